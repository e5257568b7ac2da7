import { runInNewContext } from 'node:vm'
import { HoldfastError } from '../../base/index.ts'

/** An expression that goes back and forth without end must not hold up what else the worker does. */
const withinMs = 2_000

/** Whether the text matches, line by line. Throws InvalidRequest for an expression that takes too long over it. */
export function matches(pattern: string, text: string): boolean {
  try {
    return runInNewContext('new RegExp(pattern, "m").test(text)', { pattern, text }, { timeout: withinMs }) === true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error
    throw new HoldfastError('InvalidRequest', `the pattern ${pattern} does not come to an end`, {
      cause: error,
      hint: 'Write it without repetitions inside repetitions, such as (a+)+.',
    })
  }
}
