import { defineConfig } from 'vitest/config'

/** Three layers by name: unit beside the source, contract suites, and what spans folders (e2e, chaos). */
export default defineConfig({
  test: {
    pool: 'forks',
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['**/*.test.ts'],
          exclude: [
            '**/node_modules/**',
            'tests/**',
            'web/{build,.svelte-kit}/**',
            '**/*.contract.test.ts',
            '.cache/**',
          ],
        },
      },
      {
        extends: true,
        test: {
          name: 'contract',
          include: ['**/*.contract.test.ts', 'tests/contract/**/*.test.ts'],
          exclude: ['**/node_modules/**', '.cache/**'],
          testTimeout: 180_000,
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['tests/e2e/**/*.test.ts'],
          testTimeout: 600_000,
          hookTimeout: 600_000,
          fileParallelism: false,
        },
      },
      {
        extends: true,
        test: {
          name: 'chaos',
          include: ['tests/chaos/**/*.test.ts'],
          testTimeout: 600_000,
          hookTimeout: 600_000,
          fileParallelism: false,
        },
      },
    ],
  },
})
