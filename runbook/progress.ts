import { GiB } from '../base/index.ts'
import type { MoveDetails } from '../workflows/shared/heartbeat.ts'
import { fieldsOf, numberOf } from './events.ts'
import type { Start } from './activities.ts'
import type { Step, StepProgress } from './types.ts'

/** Progress of a step that moves a disk; null for all others and before anything is known. */
export function progressOf(start: Start): StepProgress | null {
  const range = rangeOf(start)
  if (range === null) return null
  const { heartbeat } = start
  if (start.end === 'completed') return finished(start, range)
  if (heartbeat === null) return untouched(start, range)
  return fromHeartbeat(heartbeat, start.pending?.heartbeatMs ?? start.endedMs ?? start.startedMs ?? start.scheduledMs)
}

function finished(start: Start, { start: from, end }: { readonly start: number; readonly end: number }): StepProgress {
  const result = fieldsOf(start.result)
  const count = (...names: string[]): number =>
    names.map((name) => numberOf(result[name])).find((n) => n !== undefined) ?? 0
  return {
    bytesDone: end - from,
    bytesTotal: end - from,
    bytesRead: count('readBytes', 'writtenBytes'),
    bytesStored: count('newBytes', 'writtenBytes'),
    bytesResumed: count('bytesResumed'),
    durableOffset: end,
    rate: null,
    secondsLeft: null,
    bottleneck: null,
    seenMs: start.endedMs ?? start.scheduledMs,
  }
}

/** Nothing has been said yet: nothing is done, but how much there is to do is known. */
function untouched(start: Start, { start: from, end }: { readonly start: number; readonly end: number }): StepProgress {
  return {
    bytesDone: 0,
    bytesTotal: end - from,
    bytesRead: 0,
    bytesStored: 0,
    bytesResumed: 0,
    durableOffset: from,
    rate: null,
    secondsLeft: null,
    bottleneck: null,
    seenMs: start.startedMs ?? start.scheduledMs,
  }
}

function fromHeartbeat(beat: MoveDetails, seenMs: number): StepProgress {
  const left = Math.max(0, beat.end - beat.offset)
  return {
    bytesDone: Math.min(Math.max(0, beat.offset - beat.start), Math.max(0, beat.end - beat.start)),
    bytesTotal: Math.max(0, beat.end - beat.start),
    bytesRead: beat.bytesRead,
    bytesStored: beat.bytesStored,
    bytesResumed: beat.bytesResumed,
    durableOffset: beat.durableOffset,
    rate: beat.rate,
    secondsLeft: beat.rate === null || beat.rate === 0 ? null : Math.round(left / beat.rate),
    bottleneck: beat.bottleneck,
    seenMs,
  }
}

/** Bytes of the disk that a move covers, from what it was asked to do. */
function rangeOf(start: Start): { readonly start: number; readonly end: number } | null {
  const input = fieldsOf(start.input)
  if (start.type === 'restoreDisk') {
    const size = sizeOf(fieldsOf(input['target'])['disks'], (disk) => disk['key'] === input['disk'])
    return size === null ? null : { start: 0, end: size }
  }
  if (start.type !== 'copyDisk') return null
  const range = fieldsOf(input['range'])
  const size = sizeOf(fieldsOf(input['point'])['disks'], (disk) => disk['key'] === range['disk'])
  const first = numberOf(range['firstPage'])
  const pages = numberOf(range['nPages'])
  if (size === null || first === undefined || pages === undefined) return null
  const from = Math.min(size, Math.max(0, first * GiB))
  return { start: from, end: Math.min(size, Math.max(from, (first + pages) * GiB)) }
}

function sizeOf(disks: unknown, isIt: (disk: { readonly [name: string]: unknown }) => boolean): number | null {
  if (!Array.isArray(disks)) return null
  for (const entry of disks) {
    const outer = fieldsOf(entry)
    const disk = 'disk' in outer ? fieldsOf(outer['disk']) : outer
    const size = numberOf(disk['size'])
    if (isIt(disk) && size !== undefined && size >= 0) return size
  }
  return null
}

/** The moves that count: of a disk that was begun again in another round only the last one. */
export function latestMoves(steps: readonly Step[]): readonly Step[] {
  const byDisk = new Map(
    steps.flatMap((step) => (step.progress === null ? [] : [[step.id.replace(/~\d+$/, ''), step] as const])),
  )
  return [...byDisk.values()]
}

/** All moves of a run together; null where nothing moves yet. */
export function totalProgress(steps: readonly Step[]): StepProgress | null {
  const parts = latestMoves(steps)
    .map(({ progress }) => progress)
    .filter((progress) => progress !== null)
  const [first] = parts
  if (first === undefined) return null
  const sum = (of: (progress: StepProgress) => number): number => parts.reduce((total, part) => total + of(part), 0)
  const rates = parts.map(({ rate }) => rate).filter((rate) => rate !== null)
  const rate = rates.length === 0 ? null : rates.reduce((total, part) => total + part, 0)
  const left = parts.map(({ secondsLeft }) => secondsLeft).filter((seconds) => seconds !== null)
  return {
    bytesDone: sum(({ bytesDone }) => bytesDone),
    bytesTotal: sum(({ bytesTotal }) => bytesTotal),
    bytesRead: sum(({ bytesRead }) => bytesRead),
    bytesStored: sum(({ bytesStored }) => bytesStored),
    bytesResumed: sum(({ bytesResumed }) => bytesResumed),
    durableOffset: sum(({ durableOffset }) => durableOffset),
    rate,
    // The longest move decides: they run side by side.
    secondsLeft: left.length === 0 ? null : Math.max(...left),
    bottleneck: parts.find(({ bottleneck }) => bottleneck !== null)?.bottleneck ?? null,
    seenMs: Math.max(...parts.map(({ seenMs }) => seenMs)),
  }
}
