import { defineConfig } from 'eslint/config'
import svelte from 'eslint-plugin-svelte'
import tseslint from 'typescript-eslint'

/** Policy, not style (prettier does style): what can lose data or hide a failure is an error. */
export default defineConfig(
  { ignores: ['node_modules', 'dist', '.cache', '**/.svelte-kit', 'web/build', '**/*.gen.ts'] },
  {
    files: ['**/*.ts'],
    ignores: ['web/**'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      // An interface may have to be async where an implementation has nothing to wait for.
      '@typescript-eslint/require-await': 'off',
      // tsc says so already.
      '@typescript-eslint/no-unused-vars': 'off',
      '@typescript-eslint/only-throw-error': 'error',
      '@typescript-eslint/prefer-promise-reject-errors': 'error',
      eqeqeq: 'error',
      'max-lines': ['error', 600],
      'no-empty': ['error', { allowEmptyCatch: false }],
      'no-restricted-syntax': [
        'error',
        {
          selector: 'CatchClause > BlockStatement[body.length=0]',
          message: 'A swallowed error hides the one that matters: handle it, or say in code why it is an answer.',
        },
        {
          selector:
            "CallExpression[callee.property.name='catch'] > ArrowFunctionExpression > BlockStatement[body.length=0]",
          message: 'A swallowed rejection hides the one that matters.',
        },
        {
          selector:
            "CallExpression[callee.property.name='catch'] > ArrowFunctionExpression > Identifier[name='undefined']",
          message: 'A swallowed rejection hides the one that matters.',
        },
      ],
    },
  },
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
  { files: ['**/*.test.ts'], rules: { 'max-lines': ['error', 800] } },
)
