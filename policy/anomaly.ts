/** What changed between two points of a VM, in bytes of disk (the repository's `compareWithPrevious` measures it). */
export interface ChangeFigures {
  readonly comparedBytes: number
  readonly heldBytes: number
  /** Of that, what can be compressed. */
  readonly softBytes: number
  readonly rewrittenBytes: number
  /** What compression left of it, before and now. */
  readonly rewrittenStoredBefore: number
  readonly rewrittenStored: number
  readonly rewrittenHardBytes: number
  /** Rewritten in place: could be compressed before, hardly can now. */
  readonly turnedBytes: number
  readonly addedBytes: number
  readonly addedStored: number
  readonly addedHardBytes: number
  readonly removedBytes: number
  readonly removedSoftBytes: number
}

/**
 * Shapes of destruction (product P-ANOMALY). `encrypted`: what could be compressed no longer can. `overwritten`: most of a
 * disk that could not be compressed anyhow (an encrypted volume, films) has other content. `emptied`: most of it is holes.
 */
export type ChangeSign = 'encrypted' | 'overwritten' | 'emptied'

export interface ChangeVerdict {
  /** 0 … 100; from 50 on it is flagged. */
  readonly score: number
  readonly isSuspicious: boolean
  /** Of the shapes, the one that it comes nearest to; null: to none. */
  readonly sign: ChangeSign | null
  /** Bytes that this VM does not exceed by itself, for that shape; null: too few points to tell. */
  readonly usualBytes: number | null
}

export interface PastChange {
  readonly figures: ChangeFigures
  /** A person has looked at it and said that it was meant. */
  readonly isExpected: boolean
}

const mebibyte = 2 ** 20
/** From so many compared points on a VM has a habit. */
const fewestPast = 3
/** Points that a habit is made of. */
export const habitPoints = 30

/**
 * What has turned is noise by its content, and belongs to nothing that a guest does by itself on this scale: an upgrade
 * writes archives too, and unpacks them beside, so that at least half of what it writes can still be compressed.
 */
const turnedLimits = { bytes: 8 * mebibyte, ofChanged: 0.5, ofSoft: 0.02, ofSoftAlone: 0.25 } as const
const overwrittenLimits = { bytes: 64 * mebibyte, ofHeld: 0.5 } as const
const emptiedLimits = { bytes: 64 * mebibyte, ofHeld: 0.8 } as const

/** `past`: earlier changes of the VM that were not suspicious, or were meant; any order, at most `habitPoints` matter. */
export function judgeChange(figures: ChangeFigures, past: readonly PastChange[]): ChangeVerdict {
  const shapes = [encrypted, overwritten, emptied].map((shape) => shape(figures, past))
  const worst = shapes.reduce((a, b) => (b.degree > a.degree ? b : a))
  const score = Math.floor(Math.min(100, 50 * worst.degree))
  if (score === 0) return { score, isSuspicious: false, sign: null, usualBytes: null }
  return { score, isSuspicious: worst.degree >= 1, sign: worst.sign, usualBytes: worst.usualBytes }
}

/** What has turned, in its place or elsewhere: as much noise has come as went of what could be compressed. */
export function turnedOf({ turnedBytes, removedSoftBytes, addedHardBytes }: ChangeFigures): number {
  return turnedBytes + Math.min(removedSoftBytes, addedHardBytes)
}

interface Shape {
  readonly sign: ChangeSign
  /** How far the measure that reaches its limit least has got: 1 and more means all of them do. */
  readonly degree: number
  readonly usualBytes: number | null
}

function encrypted(figures: ChangeFigures, past: readonly PastChange[]): Shape {
  const turned = turnedOf(figures)
  const { bytes, ofChanged, ofSoft, ofSoftAlone } = turnedLimits
  const changed = figures.rewrittenBytes + figures.addedBytes
  const share = part(turned, figures.softBytes)
  const mostly = Math.min(part(turned, changed) / ofChanged, share / ofSoft)
  const usualBytes = habit(past, turnedOf)
  const degree = Math.min(turned / bytes, Math.max(mostly, share / ofSoftAlone), beyond(turned, usualBytes))
  return { sign: 'encrypted', degree, usualBytes }
}

function overwritten(figures: ChangeFigures, past: readonly PastChange[]): Shape {
  const { rewrittenHardBytes, heldBytes } = figures
  const usualBytes = habit(past, (one) => one.rewrittenHardBytes)
  const share = part(rewrittenHardBytes, heldBytes) / overwrittenLimits.ofHeld
  const degree = Math.min(rewrittenHardBytes / overwrittenLimits.bytes, share, beyond(rewrittenHardBytes, usualBytes))
  return { sign: 'overwritten', degree, usualBytes }
}

function emptied(figures: ChangeFigures, past: readonly PastChange[]): Shape {
  const { removedBytes, heldBytes } = figures
  const usualBytes = habit(past, (one) => one.removedBytes)
  const share = part(removedBytes, heldBytes) / emptiedLimits.ofHeld
  const degree = Math.min(removedBytes / emptiedLimits.bytes, share, beyond(removedBytes, usualBytes))
  return { sign: 'emptied', degree, usualBytes }
}

/**
 * Median and six robust standard deviations (1.4826 × MAD), for a few wild points must not widen what is usual; and whatever
 * a person has called expected, with a quarter more.
 */
function habit(past: readonly PastChange[], of: (figures: ChangeFigures) => number): number | null {
  const recent = past.slice(0, habitPoints)
  if (recent.length < fewestPast) return null
  const values = recent.map(({ figures }) => of(figures))
  const middle = median(values)
  const spread = 1.4826 * median(values.map((value) => Math.abs(value - middle)))
  const meant = recent.filter(({ isExpected }) => isExpected).map(({ figures }) => 1.25 * of(figures))
  return Math.round(Math.max(middle + 6 * Math.max(spread, middle / 10, mebibyte), ...meant))
}

function beyond(value: number, usualBytes: number | null): number {
  return usualBytes === null ? Infinity : value / usualBytes
}

function part(value: number, whole: number): number {
  return whole <= 0 ? 0 : value / whole
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const half = sorted.length >> 1
  const upper = sorted[half] ?? 0
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[half - 1] ?? upper)) / 2
}
