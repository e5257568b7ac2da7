import { writeFileSync } from 'node:fs'
import type { Reporter } from 'vitest/node'

/**
 * A reporter of vitest: writes the errors that belong to no test, which its JSON report leaves out, as an array of texts
 * into the file that `HOLDFAST_UNHANDLED` names. A run with one of them fails with no failed test in it.
 */
export default class Unhandled implements Reporter {
  onTestRunEnd: NonNullable<Reporter['onTestRunEnd']> = (_modules, errors) => {
    const file = process.env['HOLDFAST_UNHANDLED']
    if (file !== undefined) writeFileSync(file, JSON.stringify(errors.map(textOf)))
  }
}

/** With where it came from, as far as it is told: the file, the test that ran, the lines. */
function textOf(error: Parameters<NonNullable<Reporter['onTestRunEnd']>>[1][number]): string {
  const { name, message, stack, VITEST_TEST_NAME: test, VITEST_TEST_PATH: path } = error
  const where = [path, test].filter((part) => typeof part === 'string').join(': ')
  return [where, stack ?? `${name}: ${message}`].filter((part) => part !== '').join('\n  ')
}
