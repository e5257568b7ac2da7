import { keptTitle } from '../../policy/drill-checks.ts'
import type { DrillCheckResult } from './contract.ts'

/** Of a verdict with all its checks: results stay below 8 KiB, and the rest of the proof needs some of it. */
const maxBytes = 5_500
const maxWhy = 400
const mark = '…'

/**
 * What a verdict keeps of its checks: as much of each text as fits for all, so that many checks keep less of each. The
 * whole answer of a check is in its own step.
 */
export function fitting(checks: readonly DrillCheckResult[]): readonly DrillCheckResult[] {
  for (let length = 2_048; ; length = Math.floor(length / 2)) {
    const fitted = checks.map(({ outSha256: _out, errSha256: _err, ...check }) => ({
      ...check,
      // Counts of the next drill are compared by it.
      title: cut(check.title, Math.max(length, keptTitle)),
      out: cut(check.out, length),
      err: cut(check.err, length),
      detail: cut(check.detail, Math.max(length, 16)),
    }))
    if (length === 0 || encodedBytes(fitted) <= maxBytes) return fitted
  }
}

export function fittingWhy(why: string): string {
  return cut(why, maxWhy)
}

function cut(text: string, length: number): string {
  if (text.length <= length) return text
  return length === 0 ? '' : `${text.slice(0, length).replace(/[\uD800-\uDBFF]$/, '')}${mark}`
}

/** As UTF-8. */
function encodedBytes(value: unknown): number {
  let size = 0
  for (const char of JSON.stringify(value)) {
    const code = char.codePointAt(0) ?? 0
    size += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4
  }
  return size
}
