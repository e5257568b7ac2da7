/** Verify at the control plane: what was found becomes findings, damaged points and verified points of the catalog. */
import type { Catalog, VerifyFinding } from '../../catalog/index.ts'
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
          const { blobs: _, coverage = null, ...figures } = summary
          if (coverage !== null) catalog.scrubs.recordCount(run.repositoryId, coverage, atMs)
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
  // With a budget only some packs were read: what that proves of a point is what a quick verify proves.
  const level = run.budgetBytes === null ? run.level : 'quick'
  const counts = { damagedPoints: 0, unreadablePoints: 0, mendedPoints: 0 }
  for (const point of parts.flatMap(({ points }) => points)) {
    if (point.verdict === 'damaged') counts.damagedPoints += 1
    if (point.verdict === 'unreadable') counts.unreadablePoints += 1
    const { repositoryId } = run
    const copy = catalog.copies.at(repositoryId, point.stem)
    if (point.verdict === 'unreadable' || copy?.state !== 'done') continue
    const { pointId: id } = copy
    if (point.verdict === 'damaged') {
      catalog.points.recordDamage(id, { ms: atMs, damage: point.why }, repositoryId)
      continue
    }
    if (level === 'full' && catalog.points.recordMended(id, atMs, repositoryId)) counts.mendedPoints += 1
    catalog.points.recordVerification(id, { level, ms: atMs, chunks: null }, repositoryId)
  }
  return counts
}

function findingOf({ object, pack, found, message, proved, affects }: Damage): VerifyFinding {
  return { object, pack, found, message, proved, affects: affects.map((one) => ({ ...one, ranges: [...one.ranges] })) }
}
