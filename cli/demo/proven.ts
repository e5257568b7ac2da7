import { MiB, formatDuration } from '../../base/index.ts'

/** What a demo measured; null: not measured (yet). Durations in ms, sizes in bytes, rates per second. */
export interface DemoFacts {
  readonly durations: { readonly [scene: string]: number }
  readonly points: readonly PointFacts[]
  readonly resume: {
    readonly killedPid: number | null
    readonly journalSourceBytes: number
    readonly bytesResumed: number | null
    readonly bytesReadAgain: number | null
  }
  /** How long two file systems were frozen in the undisturbed full backup. */
  readonly frozenMs: number | null
  readonly verify: {
    readonly level: string | null
    readonly points: number | null
    readonly chunks: number | null
    readonly damages: number | null
    readonly quarantined: number | null
    readonly notes: readonly string[]
  }
  readonly restore: {
    readonly identical: boolean | null
    /** Sizes of the disks, holes included. */
    readonly logicalBytes: number | null
    /** Data written to the disks; holes are not written. */
    readonly writtenBytes: number | null
    /** From the start of the first disk's write to the end of the last one's. */
    readonly writeMs: number | null
    /** The whole run as its user waits for it. */
    readonly durationMs: number | null
  }
  readonly drill: {
    readonly verdict: string | null
    readonly rtoSeconds: number | null
    readonly screenshot: string | null
    /** Document and picture are what was signed, as the server verifies them. */
    readonly genuine: boolean | null
  }
  readonly ratios: { readonly dedup: number | null; readonly compression: number | null }
  readonly throughput: {
    /** Bytes read from the disks, by the time of the copy. */
    readonly fullBytesPerSecond: number | null
    /** The same, with the kill and the new start inside the time. */
    readonly incrementalBytesPerSecond: number | null
    /** `restore.writtenBytes` by `restore.writeMs`. */
    readonly restoreBytesPerSecond: number | null
  }
}

export interface PointFacts {
  readonly id: string
  readonly mode: string
  readonly validated: boolean
  readonly consistency: string
  readonly logicalBytes: number
  readonly readBytes: number
  readonly newBytes: number
  readonly freezeDurationMs: number | null
}

export const journalSourceBytes = 32 * MiB
/** At most this is read again after a kill, with journals every 32 MiB (the journal distance and what was in flight). */
export const mostReadAgain = 64 * MiB

/** In an undisturbed backup the file systems of two disks stand still for at most so long; ms. */
export const mostFrozenMs = 300

/** A demo in which nothing has been measured yet. */
export const nothingMeasured: DemoFacts = {
  durations: {},
  points: [],
  resume: { killedPid: null, journalSourceBytes, bytesResumed: null, bytesReadAgain: null },
  frozenMs: null,
  verify: { level: null, points: null, chunks: null, damages: null, quarantined: null, notes: [] },
  restore: { identical: null, logicalBytes: null, writtenBytes: null, writeMs: null, durationMs: null },
  drill: { verdict: null, rtoSeconds: null, screenshot: null, genuine: null },
  ratios: { dedup: null, compression: null },
  throughput: { fullBytesPerSecond: null, incrementalBytesPerSecond: null, restoreBytesPerSecond: null },
}

type Claim = string | ((facts: DemoFacts) => string)

/** What the demo claims, each with what would have to be seen for it. */
const claims: readonly (readonly [claim: Claim, holds: (facts: DemoFacts) => boolean])[] = [
  [
    'two points were made: a full one, then an incremental one',
    ({ points: [full, second, ...more] }) =>
      full?.mode === 'full' && second !== undefined && second.mode !== 'full' && more.length === 0,
  ],
  ['both points are validated', ({ points }) => points.length > 0 && points.every((point) => point.validated)],
  [
    'the guest was frozen for both, neither is only crash-consistent',
    ({ points, frozenMs }) =>
      frozenMs !== null &&
      points.length > 0 &&
      points.every(({ consistency, freezeDurationMs }) => consistency !== 'crash' && freezeDurationMs !== null),
  ],
  [
    ({ frozenMs }) =>
      `the undisturbed full backup froze the guest for at most ${formatDuration(mostFrozenMs)}: it was ${measured(frozenMs)}`,
    ({ frozenMs }) => frozenMs !== null && frozenMs <= mostFrozenMs,
  ],
  [
    'the killed copy went on at its journal, and how much it read again was measured',
    ({ resume }) =>
      resume.killedPid !== null &&
      (resume.bytesResumed ?? 0) > 0 &&
      resume.bytesReadAgain !== null &&
      resume.bytesReadAgain <= mostReadAgain,
  ],
  [
    'every stored chunk was verified, and nothing is to be said about any',
    ({ verify }) =>
      verify.level === 'full' &&
      (verify.points ?? 0) >= 2 &&
      (verify.chunks ?? 0) > 0 &&
      verify.damages === 0 &&
      verify.quarantined === 0 &&
      verify.notes.length === 0,
  ],
  ['the restored disks are identical', ({ restore }) => restore.identical === true],
  [
    'the drill passed, with its recovery time and a screenshot',
    ({ drill }) => drill.verdict === 'passed' && drill.rtoSeconds !== null && drill.screenshot !== null,
  ],
  ['the proof of the drill is signed, and verifies', ({ drill }) => drill.genuine === true],
  ['the ratios were measured', ({ ratios }) => ratios.dedup !== null && ratios.compression !== null],
  ['the throughput was measured', ({ throughput }) => Object.values(throughput).every((rate) => (rate ?? 0) > 0)],
]

/** The claims that these facts do not bear out; in words, for people. */
export function unproven(facts: DemoFacts): readonly string[] {
  return claims
    .filter(([, holds]) => !holds(facts))
    .map(([claim]) => (typeof claim === 'string' ? claim : claim(facts)))
}

function measured(ms: number | null): string {
  return ms === null ? 'not measured' : formatDuration(ms)
}

export function isProven(facts: DemoFacts): boolean {
  return unproven(facts).length === 0
}
