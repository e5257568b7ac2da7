import type { Point, Run } from '#lib/api/types.ts'

/**
 * The map of recovery points: one axis cut into stretches of different scale, oldest at the left, because the last hours
 * matter as much as the last year. Only stretches that hold something are drawn.
 */
export interface Stretch {
  readonly label: string
  /** Ages at its left and right edge, in ms. */
  readonly fromAge: number
  readonly toAge: number
  /** Its place on the axis, in percent. */
  readonly a: number
  readonly b: number
}

type MarkKind = 'full' | 'incremental' | 'unvalidated' | 'failed' | 'running' | 'proof'

export interface Mark {
  readonly kind: MarkKind
  readonly x: number
  /** Drawn small where marks stand close. */
  readonly small: boolean
  readonly pointId: string | null
  readonly ms: number
}

export interface PointMap {
  readonly stretches: readonly Stretch[]
  readonly points: readonly Mark[]
  readonly proofs: readonly Mark[]
  readonly repositories: readonly { readonly name: string; readonly a: number; readonly b: number }[]
}

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

/** Edges by age, youngest last; weight is the share of the axis. */
const scale = [
  { label: '12 months', age: 365 * day, weight: 20 },
  { label: '12 weeks', age: 84 * day, weight: 18 },
  { label: '30 days', age: 30 * day, weight: 32 },
  { label: '48 hours', age: 48 * hour, weight: 30 },
  { label: '2 hours', age: 2 * hour, weight: 30 },
] as const

/** The stretches that reach back to `oldestAge`; what is older than a year stands at the left edge. */
export function stretchesFor(oldestAge: number): Stretch[] {
  const first = Math.max(
    0,
    scale.findLastIndex((entry) => entry.age >= oldestAge),
  )
  // Two hours are worth a stretch of their own only where nothing is older than two days.
  const used = scale.slice(first, first >= 3 ? scale.length : scale.length - 1)
  const whole = used.reduce((sum, entry) => sum + entry.weight, 0)
  let a = 0
  return used.map((entry, at) => {
    const b = a + (entry.weight / whole) * 100
    const stretch = { label: entry.label, fromAge: entry.age, toAge: used[at + 1]?.age ?? 0, a, b }
    a = b
    return stretch
  })
}

/** Place of an age on the axis, in percent, kept clear of the edges of its stretch. */
export function placeOf(age: number, stretches: readonly Stretch[]): number {
  const stretch = stretches.findLast((s) => age <= s.fromAge) ?? stretches[0]
  if (!stretch) return 0
  const share = Math.min(1, Math.max(0, (stretch.fromAge - age) / (stretch.fromAge - stretch.toAge)))
  const inset = (stretch.b - stretch.a) * 0.03
  return stretch.a + inset + share * (stretch.b - stretch.a - 2 * inset)
}

/** More marks than this in one stretch are drawn small. */
const crowded = 16

export function pointMap(points: readonly Point[], runs: readonly Run[], now: number): PointMap {
  const failed = runs.filter((run) => run.kind === 'backup' && (run.state === 'failed' || run.state === 'terminated'))
  const open = runs.filter((run) => run.kind === 'backup' && run.endedMs === null)
  const oldest = Math.max(0, ...points.map((p) => now - p.createdMs))
  const stretches = stretchesFor(oldest)
  const inStretch = (ms: number): number => stretches.findLastIndex((s) => now - ms <= s.fromAge)
  const crowd = new Map<number, number>()
  for (const point of points) crowd.set(inStretch(point.createdMs), (crowd.get(inStretch(point.createdMs)) ?? 0) + 1)

  const mark = (kind: MarkKind, ms: number, pointId: string | null): Mark => ({
    kind,
    ms,
    pointId,
    x: placeOf(now - ms, stretches),
    small: kind === 'incremental' && (crowd.get(inStretch(ms)) ?? 0) > crowded,
  })
  const kindOf = (point: Point): MarkKind =>
    point.validatedMs === null ? 'unvalidated' : point.mode === 'full' ? 'full' : 'incremental'

  const names = [...new Set(points.map((point) => point.repositoryName))]
  return {
    stretches,
    points: [
      ...points.map((point) => mark(kindOf(point), point.createdMs, point.id)),
      ...failed.filter((run) => now - run.startedMs <= oldest).map((run) => mark('failed', run.startedMs, null)),
      ...open.map((run) => mark('running', run.startedMs, null)),
    ].toSorted((one, other) => one.ms - other.ms),
    proofs: points
      .filter((point) => point.proof?.verdict === 'passed')
      .map((point) => mark('proof', point.createdMs, point.id)),
    repositories: names.map((name) => {
      const xs = points
        .filter((point) => point.repositoryName === name)
        .map((point) => placeOf(now - point.createdMs, stretches))
      return { name, a: Math.max(0, Math.min(...xs) - 0.6), b: Math.min(100, Math.max(...xs) + 0.6) }
    }),
  }
}
