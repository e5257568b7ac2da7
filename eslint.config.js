import { defineConfig } from 'eslint/config'
import svelte from 'eslint-plugin-svelte'
import tseslint from 'typescript-eslint'

/** The dashboard's components, which oxlint cannot read. Everything else is in .oxlintrc.json. */
export default defineConfig(
  { ignores: ['**/.svelte-kit', 'web/build', '**/*.gen.ts'] },
  {
    files: ['web/**/*.svelte', 'web/**/*.ts'],
    extends: [tseslint.configs.recommended, svelte.configs.recommended],
    languageOptions: { parserOptions: { parser: tseslint.parser } },
    // The API serves the dashboard at the root of its origin, so a path is its own address.
    // {' '} is the one way to keep a space at the edge of a block.
    rules: {
      'svelte/no-navigation-without-resolve': 'off',
      'svelte/no-useless-mustaches': 'off',
      'max-lines': ['error', 600],
    },
  },
)
