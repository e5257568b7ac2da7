/** Verify at the control plane: what was found becomes findings, damaged points and verified points of the catalog. */
import { snapOf, type Catalog, type VerifyFinding } from '../../catalog/index.ts'
import type { Damage } from '../../repository/index.ts'
import type { BlobStore } from '../retention/record.ts'
import { readFindings, type FindingsPart } from './findings.ts'
import type { VerifyRecordActivities } from './types.ts'

export function createVerifyRecordActivities(catalog: Catalog, blobs: BlobStore): VerifyRecordActivities {
  return {
    recordVerifyStarted: async (run) => {
      catalog.verifyRuns.started(run)
    },
    recordFindings: async ({ runId, summary, atMs }) => {
      const run = catalog.verifyRuns.get(runId)
      // An attempt that wrote it down and could not say so.
      if (run.state === 'running') {
        const parts: FindingsPart[] = []
        for (const blob of summary.blobs) parts.push(readFindings(await blobs.get(blob)))
        catalog.transaction(() => {
          const counts = judge(catalog, run, parts, atMs)
          const { blobs: _, ...figures } = summary
          const findings = parts.flatMap(({ damages }) => damages).map(findingOf)
          catalog.verifyRuns.completed(runId, { ...figures, ...counts, endedMs: atMs }, findings)
        })
      }
      for (const blob of summary.blobs) await blobs.drop(blob)
      const { damagedPoints, unreadablePoints, mendedPoints } = catalog.verifyRuns.get(runId)
      return { damagedPoints, unreadablePoints, mendedPoints }
    },
    recordVerifyEnd: async ({ runId, state, error, atMs }) => {
      const note = error && { code: error.code, message: error.message, hint: error.hint, docs: error.docs }
      catalog.verifyRuns.ended(runId, { state, error: note, endedMs: atMs })
    },
  }
}

interface Counts {
  readonly damagedPoints: number
  readonly unreadablePoints: number
  readonly mendedPoints: number
}

/** Only what is proved takes a validation back; only what was opened chunk by chunk gives one back. */
function judge(
  catalog: Catalog,
  run: {
    readonly level: 'quick' | 'data' | 'full'
    readonly repositoryId: string
    readonly budgetBytes: number | null
  },
  parts: readonly FindingsPart[],
  atMs: number,
): Counts {
  const damages = parts.flatMap((part) => part.damages)
  const damaged = new Map<string, string>()
  const unreadable = new Set<string>()
  for (const damage of damages) {
    for (const { stem, disk } of damage.affects) {
      if (!damage.proved) unreadable.add(stem)
      else if (!damaged.has(stem)) damaged.set(stem, wordsOf(damage, disk))
    }
  }
  const isOurs = (stem: string): boolean => catalog.points.find(snapOf(stem))?.repositoryId === run.repositoryId
  for (const [stem, damage] of damaged) {
    if (isOurs(stem)) catalog.points.recordDamage(snapOf(stem), { ms: atMs, damage })
  }
  // With a budget only some packs were read: what that proves of a point is what a quick verify proves.
  const level = run.budgetBytes === null ? run.level : 'quick'
  let mendedPoints = 0
  for (const stem of parts.flatMap((part) => part.checked)) {
    if (damaged.has(stem) || unreadable.has(stem) || !isOurs(stem)) continue
    const id = snapOf(stem)
    if (level === 'full' && catalog.points.recordMended(id, atMs)) mendedPoints += 1
    catalog.points.recordVerification(id, { level, ms: atMs, chunks: null })
  }
  return {
    damagedPoints: damaged.size,
    unreadablePoints: [...unreadable].filter((stem) => !damaged.has(stem)).length,
    mendedPoints,
  }
}

function wordsOf({ object, found, message }: Damage, disk: string | null): string {
  const where = disk === null ? '' : `, needed by disk ${disk}`
  return `${object} (${found}): ${message}${where}`.slice(0, 500)
}

function findingOf({ object, pack, found, message, proved, affects }: Damage): VerifyFinding {
  return { object, pack, found, message, proved, affects: affects.map((one) => ({ ...one, ranges: [...one.ranges] })) }
}
