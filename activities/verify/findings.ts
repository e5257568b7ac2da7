import { HoldfastError } from '../../base/index.ts'
import type { Damage, Stem, VerifyReport } from '../../repository/index.ts'
import { packBlob, unpackBlob } from '../retention/blob.ts'

/** One part of what a verify has found. */
export interface FindingsPart {
  readonly v: 1
  readonly repository: string
  /** Points whose references were checked. */
  readonly checked: readonly Stem[]
  readonly damages: readonly Damage[]
}

/** Points of one part. */
const pointsPerPart = 50_000
/** Damages that are told one by one, and ranges of each; whoever has more has lost the repository, not parts of it. */
const damagesKept = 5_000
const rangesKept = 20

export function findingsParts(repository: string, report: VerifyReport, checked: readonly Stem[]): Buffer[] {
  const damages = report.damages.slice(0, damagesKept).map((damage) => ({
    ...damage,
    affects: damage.affects.map((one) => ({ ...one, ranges: one.ranges.slice(0, rangesKept) })),
  }))
  const parts: Buffer[] = []
  for (let at = 0; at === 0 || at < checked.length; at += pointsPerPart) {
    const part: FindingsPart = {
      v: 1,
      repository,
      checked: checked.slice(at, at + pointsPerPart),
      damages: at === 0 ? damages : [],
    }
    parts.push(packBlob(part))
  }
  return parts
}

/** Throws FormatError. */
export function readFindings(bytes: Uint8Array): FindingsPart {
  const part = unpackBlob(bytes) as Partial<FindingsPart>
  if (part.v === 1 && Array.isArray(part.checked) && Array.isArray(part.damages)) return part as FindingsPart
  throw new HoldfastError('FormatError', 'what a verify has found is of another version')
}
