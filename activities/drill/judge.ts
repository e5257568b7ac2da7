import { createHash } from 'node:crypto'
import type { DrillCheck, DrillCheckResult } from '../../workflows/drill/contract.ts'
import { matches } from './pattern.ts'

/** Bytes kept of each output as evidence; the rest is cut, and said to be. */
const maxOutput = 2000

/** Bytes of an output in which a pattern is looked for. */
const maxSearched = 65_536

/**
 * Exit code first, then the pattern; then, where a count is expected, the first integer of the output within the
 * tolerance (a share). Throws InvalidRequest for a pattern that comes to no end.
 */
export function judgeCheck(
  check: DrillCheck,
  answer: { readonly exit: number; readonly out: string; readonly err: string },
): DrillCheckResult {
  const { title, expectExit, count: expected, pattern = null } = check
  const { exit, out, err } = answer
  const base = {
    ...{ title, exit, out: cut(out), err: cut(err), count: null },
    ...{ outSha256: sha256(out), errSha256: sha256(err) },
  }
  const failed = (detail: string): DrillCheckResult => ({ ...base, passed: false, detail })
  if (answer.exit !== expectExit) {
    const said = (answer.err || answer.out).trim().split('\n').at(-1) ?? ''
    return failed(`exit ${answer.exit}, expected ${expectExit}${said && `: ${said.slice(0, 200)}`}`)
  }
  if (pattern !== null && !matches(pattern, answer.out.slice(0, maxSearched)))
    return failed(`the output does not match ${pattern}`)
  const fine = pattern === null ? `exit ${answer.exit}` : `exit ${answer.exit}, matches ${pattern}`
  if (expected === null) return { ...base, passed: true, detail: fine }
  const digits = /-?\d+/.exec(answer.out)?.[0]
  if (digits === undefined) return failed('the output has no number to count')
  const count = Number(digits)
  if (!Number.isSafeInteger(count)) return failed(`${digits} is no count`)
  if (expected.expected === null)
    return { ...base, passed: true, count, detail: `counted ${count}; no earlier drill to compare it with` }
  const allowed = Math.abs(expected.expected) * expected.tolerance
  const passed = Math.abs(count - expected.expected) <= allowed
  const bound = expected.tolerance === 0 ? '' : ` ± ${Number((expected.tolerance * 100).toFixed(2))} %`
  return { ...base, passed, count, detail: `counted ${count}, expected ${expected.expected}${bound}` }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

function cut(text: string): string {
  const whole = Buffer.from(text)
  if (whole.byteLength <= maxOutput) return text
  // A character that the cut went through is dropped.
  return `${whole
    .subarray(0, maxOutput)
    .toString()
    .replace(/\uFFFD+$/, '')}\n[cut]`
}
