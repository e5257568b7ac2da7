import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { HoldfastError } from '../../base/index.ts'
import type { HoldEntry, RetentionPoint } from '../../repository/index.ts'

/** One part of a survey. `removed` and `holds` are whole in the first part. */
export interface SurveyPart {
  readonly v: 1
  /** Whose it is: parts of different repositories never have the same name in the store. */
  readonly repository: string
  readonly points: readonly SurveyedPoint[]
  readonly removed: readonly string[]
  readonly holds: readonly HoldEntry[]
}
export type SurveyedPoint = Omit<RetentionPoint, 'snap'>

export const pointsPerPart = 50_000
/** Of one part, unpacked: far more than its points need. */
const largest = 256 * 1024 * 1024

/** Text, because that is what the server's store takes from workers: base64 of compressed JSON. */
export function packBlob(value: unknown): Buffer {
  return Buffer.from(zstdCompressSync(Buffer.from(JSON.stringify(value))).toString('base64'))
}

/** Throws FormatError. */
export function unpackBlob(bytes: Uint8Array): unknown {
  try {
    const packed = Buffer.from(Buffer.from(bytes).toString('latin1'), 'base64')
    return JSON.parse(zstdDecompressSync(packed, { maxOutputLength: largest }).toString('utf8'))
  } catch (cause) {
    throw new HoldfastError('FormatError', 'a list of points is not what a worker has written', { cause })
  }
}

export function surveyParts(
  repository: string,
  points: readonly RetentionPoint[],
  removed: readonly string[],
  holds: readonly HoldEntry[],
): SurveyPart[] {
  const parts: SurveyPart[] = []
  for (let at = 0; at === 0 || at < points.length; at += pointsPerPart) {
    const slice = points.slice(at, at + pointsPerPart).map(({ snap: _, ...point }) => point)
    parts.push({ v: 1, repository, points: slice, removed: at === 0 ? removed : [], holds: at === 0 ? holds : [] })
  }
  return parts
}

export function readSurveyPart(bytes: Uint8Array): SurveyPart {
  const part = unpackBlob(bytes) as Partial<SurveyPart>
  if (part.v === 1 && Array.isArray(part.points) && Array.isArray(part.removed) && Array.isArray(part.holds)) {
    return part as SurveyPart
  }
  throw new HoldfastError('FormatError', 'a list of points is of another version')
}
