import { defineConfig } from 'vitest/config'

const nowhere = ['**/node_modules/**', '.cache/**', 'web/{build,.svelte-kit}/**']

/** These measure how long a guest stands still; nothing else may run beside them. */
const alone = ['drivers/qemu/guest.contract.test.ts', 'lab/freeze.contract.test.ts']

/** Real products, started by the test: seconds to minutes each, one file after the other. */
const realProducts = { testTimeout: 600_000, hookTimeout: 600_000, fileParallelism: false }

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
          exclude: [...nowhere, 'tests/**', '**/*.contract.test.ts', '**/*.stores.test.ts'],
          // Loading modules anew for each file costs more than all tests together; no module keeps state of a test.
          isolate: false,
        },
      },
      {
        extends: true,
        test: {
          ...realProducts,
          name: 'contract',
          include: ['**/*.contract.test.ts', 'tests/contract/**/*.test.ts'],
          exclude: [...nowhere, ...alone],
          // Most of the time goes into waiting for QEMU and disks: two files fit into two cores.
          fileParallelism: true,
          maxWorkers: 2,
        },
      },
      {
        extends: true,
        test: { ...realProducts, name: 'contract-alone', include: alone, sequence: { groupOrder: 1 } },
      },
      {
        extends: true,
        test: { ...realProducts, name: 'stores', include: ['**/*.stores.test.ts'], exclude: nowhere },
      },
      {
        extends: true,
        test: { ...realProducts, name: 'e2e', include: ['tests/e2e/**/*.test.ts'] },
      },
      {
        extends: true,
        test: { ...realProducts, name: 'chaos', include: ['tests/chaos/**/*.test.ts'] },
      },
    ],
  },
})
