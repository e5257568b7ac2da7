import { HoldfastError } from '../../base/index.ts'
import type { Damage, Stem, VerifyReport } from '../../repository/index.ts'
import { packBlob, unpackBlob } from '../retention/blob.ts'

/**
 * What the whole report says of one point. `damaged`: it needs what is proved damaged, and `why` says what; `unreadable`: it
 * needs what could not be read now; `sound`: its references were checked, and nothing that it needs was found wrong.
 */
type PointVerdict =
  | { readonly stem: Stem; readonly verdict: 'sound' | 'unreadable' }
  | { readonly stem: Stem; readonly verdict: 'damaged'; readonly why: string }

/** One part of what a verify has found. */
export interface FindingsPart {
  readonly v: 2
  readonly repository: string
  /** Every point that was checked or that a damage affects, each in one part. */
  readonly points: readonly PointVerdict[]
  /** To be shown, cut short; nothing is judged by them. */
  readonly damages: readonly Damage[]
}

/** Of one part. Each stays far below what the store takes (16 MiB), however long the words are. */
const pointsPerPart = 20_000
const damagesPerPart = 250
/** Damages that are told one by one; whoever has more has lost the repository, not parts of it. */
export const damagesKept = 5_000
/** Of each damage. */
const placesKept = 20
const rangesKept = 20
const messageChars = 2_000
/** Of the words that stay with a damaged point. */
const whyChars = 500

export function findingsParts(repository: string, report: VerifyReport, checked: readonly Stem[]): Buffer[] {
  const points = verdictsOf(report.damages, checked)
  // What is proved first: that is what must not be cut off.
  const proved = report.damages.filter((damage) => damage.proved)
  const damages = [...proved, ...report.damages.filter((damage) => !damage.proved)].slice(0, damagesKept).map(shown)
  const count = Math.max(1, Math.ceil(points.length / pointsPerPart), Math.ceil(damages.length / damagesPerPart))
  return Array.from({ length: count }, (_, no) => {
    const part: FindingsPart = {
      v: 2,
      repository,
      points: points.slice(no * pointsPerPart, (no + 1) * pointsPerPart),
      damages: damages.slice(no * damagesPerPart, (no + 1) * damagesPerPart),
    }
    return packBlob(part)
  })
}

/** By every damage and everything that it affects: a point may be called sound only by the whole report. */
function verdictsOf(damages: readonly Damage[], checked: readonly Stem[]): PointVerdict[] {
  const verdicts = new Map<Stem, PointVerdict>(checked.map((stem) => [stem, { stem, verdict: 'sound' }]))
  for (const damage of damages) {
    for (const { stem, disk } of damage.affects) {
      if (verdicts.get(stem)?.verdict === 'damaged') continue
      verdicts.set(
        stem,
        damage.proved ? { stem, verdict: 'damaged', why: wordsOf(damage, disk) } : { stem, verdict: 'unreadable' },
      )
    }
  }
  return [...verdicts.values()]
}

function wordsOf({ object, found, message }: Damage, disk: string | null): string {
  const where = disk === null ? '' : `, needed by disk ${disk}`
  return `${object} (${found}): ${message}${where}`.slice(0, whyChars)
}

function shown(damage: Damage): Damage {
  const more = damage.affects.length - placesKept
  const left = more > 0 ? `; ${more} more places that need it are not listed` : ''
  return {
    ...damage,
    message: damage.message.slice(0, messageChars) + left,
    affects: damage.affects.slice(0, placesKept).map((one) => ({ ...one, ranges: one.ranges.slice(0, rangesKept) })),
  }
}

/** Throws FormatError. */
export function readFindings(bytes: Uint8Array): FindingsPart {
  const part = unpackBlob(bytes) as Partial<FindingsPart>
  if (part.v === 2 && Array.isArray(part.points) && Array.isArray(part.damages)) return part as FindingsPart
  throw new HoldfastError('FormatError', 'what a verify has found is of another version')
}
