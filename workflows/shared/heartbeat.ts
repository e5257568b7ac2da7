/**
 * What a mover tells while it moves a disk. Less than 1 KiB; a hint for display, and for a restore a claim about
 * durable bytes that is checked before it is used.
 */
export interface MoveDetails {
  readonly v: 1
  readonly disk: string
  /** The range of this part, bytes of the disk. */
  readonly start: number
  readonly end: number
  readonly stage: 'opening' | 'waiting-for-slot' | 'moving' | 'finishing'
  /** Everything before it has been read, or written in a restore. */
  readonly offset: number
  /** Everything before it survives a crash. */
  readonly durableOffset: number
  readonly bytesRead: number
  readonly bytesStored: number
  readonly chunksNew: number
  readonly bytesResumed: number
  /** Read again by a backup, written again by a restore; null: an earlier attempt ran where nobody can look. */
  readonly bytesReadAgain: number | null
  readonly bottleneck: 'source' | 'mover' | 'repository' | 'target' | null
  /** Bytes per second since the previous report; null before the second one. */
  readonly rate: number | null
  /** Milliseconds since the last byte moved. */
  readonly quietMs: number
  /** Restore only: the volume that `durableOffset` speaks about, and the point it comes from. */
  readonly volume?: string
  readonly stem?: string
}

const counts = [
  'start',
  'end',
  'offset',
  'durableOffset',
  'bytesRead',
  'bytesStored',
  'chunksNew',
  'bytesResumed',
  'quietMs',
] as const

/** null for everything that is not exactly that: other versions, other activities, damage. */
export function parseMoveDetails(value: unknown): MoveDetails | null {
  if (typeof value !== 'object' || value === null) return null
  const it = value as Record<string, unknown>
  if (it['v'] !== 1 || typeof it['disk'] !== 'string') return null
  if (!counts.every((name) => isCount(it[name]))) return null
  if (it['bytesReadAgain'] !== null && !isCount(it['bytesReadAgain'])) return null
  if (!['opening', 'waiting-for-slot', 'moving', 'finishing'].includes(it['stage'] as string)) return null
  const { bottleneck, rate } = it
  if (bottleneck !== null && !['source', 'mover', 'repository', 'target'].includes(bottleneck as string)) return null
  if (rate !== null && (typeof rate !== 'number' || !Number.isFinite(rate) || rate < 0)) return null
  for (const name of ['volume', 'stem']) if (it[name] !== undefined && typeof it[name] !== 'string') return null
  return value as MoveDetails
}

function isCount(value: unknown): boolean {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}
