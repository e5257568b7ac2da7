import type { Overview } from '#lib/api/types.ts'
import type { Tone } from '#lib/state/tone.ts'

interface Arc {
  readonly tone: Tone
  /** In units of the whole ring, which is `total` long. */
  readonly offset: number
  readonly length: number
}

export interface Ring {
  readonly total: number
  readonly arcs: readonly Arc[]
  readonly label: string
}

/** The four shares of the protection ring. A share is never too small to see: one VM at risk must show among thousands. */
export function ringOf(counts: Overview['counts']): Ring {
  const parts: readonly (readonly [Tone, number])[] = [
    ['ok', counts.protected],
    ['warn', counts.atRisk],
    ['fail', counts.unprotected],
    ['idle', counts.excluded],
  ]
  const shown = parts.filter(([, n]) => n > 0)
  const least = Math.max(1, counts.vms) * 0.018
  const lengths = shown.map(([, n]) => Math.max(n, least))
  const total = Math.max(
    1,
    lengths.reduce((a, b) => a + b, 0),
  )
  const gap = shown.length > 1 ? total * 0.006 : 0
  let offset = 0
  const arcs = shown.map(([tone], at): Arc => {
    const arc = { tone, offset, length: Math.max(0, (lengths[at] ?? 0) - gap) }
    offset += lengths[at] ?? 0
    return arc
  })
  const label = `${counts.protected} protected, ${counts.atRisk} at risk, ${counts.unprotected} unprotected, ${counts.excluded} excluded`
  return { total, arcs, label }
}
