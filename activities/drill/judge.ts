import type { DrillCheck, DrillCheckResult } from '../../workflows/drill/contract.ts'

/** Bytes kept of each output as evidence; the rest is cut, and said to be. */
const maxOutput = 2000

/** Exit code first; then, where a count is expected, the first integer of the output within the tolerance (a share). */
export function judgeCheck(
  check: DrillCheck,
  answer: { readonly exit: number; readonly out: string; readonly err: string },
): DrillCheckResult {
  const { title, expectExit, count: expected } = check
  const base = { title, exit: answer.exit, out: cut(answer.out), err: cut(answer.err) }
  if (answer.exit !== expectExit) {
    const said = (answer.err || answer.out).trim().split('\n').at(-1) ?? ''
    return {
      ...base,
      passed: false,
      count: null,
      detail: `exit ${answer.exit}, expected ${expectExit}${said && `: ${said.slice(0, 200)}`}`,
    }
  }
  if (expected === null) return { ...base, passed: true, count: null, detail: `exit ${answer.exit}` }
  const digits = /-?\d+/.exec(answer.out)?.[0]
  if (digits === undefined) return { ...base, passed: false, count: null, detail: 'the output has no number to count' }
  const count = Number(digits)
  const allowed = Math.abs(expected.expected) * expected.tolerance
  const passed = Number.isSafeInteger(count) && Math.abs(count - expected.expected) <= allowed
  const bound = expected.tolerance === 0 ? '' : ` ± ${Number((expected.tolerance * 100).toFixed(2))} %`
  return { ...base, passed, count, detail: `counted ${count}, expected ${expected.expected}${bound}` }
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
