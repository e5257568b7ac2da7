/** What the control plane writes into the catalog. Everything may come twice: each is idempotent by its ids. */
import type { SerializedError } from '../../base/index.ts'
import type { Catalog, ErrorNote, Json, MeasuredChange } from '../../catalog/index.ts'
import type { EvidenceSeal } from '../../evidence/index.ts'
import { signEvidence } from './evidence.ts'
import type { ChangeRecord, PointRecord, RecordActivities, RunStarted } from './types.ts'

export type * from './types.ts'

const titles = {
  backup: 'Backup of',
  restore: 'Restore of',
  drill: 'Drill of',
  retention: 'Retention of',
  plan: 'Plan',
  verify: 'Verify of',
  instant: 'Instant restore of',
  mirror: 'Mirror of',
  files: 'Files of',
  replication: 'Replication of',
  failover: 'Standby of',
  recovery: 'Recovery plan',
} as const

export function createRecordActivities(catalog: Catalog, seal: EvidenceSeal): RecordActivities {
  return {
    recordRunStarted: async (run) => {
      catalog.runs.started(rowOf(catalog, run))
    },
    recordPoint: async (point) => {
      const { pointId, parentPointId, validatedMs, vmId, repositoryId, stem, refs } = point
      catalog.points.record({
        id: pointId,
        stem,
        vmId,
        repositoryId,
        validatedMs,
        parentId: parentPointId,
        createdMs: point.createdMs,
        origin: point.origin,
        name: point.name,
        description: point.description,
        plan: point.plan,
        consistency: point.consistency,
        freezeDurationMs: point.freezeDurationMs,
        atRest: point.atRest,
        disks: point.disks,
        spotCheckedChunks: 0,
        manifestBytes: point.manifestBytes,
        lockUntilMs: point.lockUntilMs,
        refs: refs.map(({ disk, ref }): Json => ({ disk, ref: { ...ref } })),
        workflowId: point.workflowId,
        runId: point.runId,
      })
      wantMirrors(catalog, point)
      if (catalog.runs.find(point.runId) !== undefined) catalog.runs.observe(point.runId, { pointId })
    },
    recordDamage: async ({ pointId, foundMs, error }) => {
      catalog.points.recordDamage(pointId, { ms: foundMs, damage: error.message })
    },
    knownDamage: async ({ vmId, repositoryId }) => ({
      points: catalog.points.damaged(vmId, repositoryId),
      fulls: catalog.policy.lastFulls(vmId, repositoryId),
    }),
    recordChange: async ({ pointId, change, problem }) => {
      const { score, isSuspicious } = catalog.changes.record({ pointId, compared: comparedOf(change), problem })
      return { score, isSuspicious }
    },
    recordProof: async (proof) => {
      const { verdict, why, rtoSeconds, restoreSeconds, bootSeconds, checks, screenshot } = proof.result
      const { vmId, repositoryId, stem, startedMs, endedMs, workflowId, runId, boot } = proof
      const pointId = catalog.copies.pointIdOf(stem)
      const what = { vmId, pointId, repositoryId, startedMs, endedMs, workflowId, runId }
      const seen = { verdict, why, rtoSeconds, restoreSeconds, bootSeconds, checks, screenshot }
      catalog.transaction(() => {
        const drillId = catalog.drills.record({ ...what, ...seen, bootedFrom: proof.bootedFrom ?? 'disks' })
        signEvidence(catalog, seal, drillId, proof)
        if (boot) catalog.bootLists.keep(vmId, { ...boot, drillId, recordedMs: endedMs })
      })
    },
    recordRunFinished: async (run) => {
      catalog.transaction(() => {
        catalog.slots.release(run.runId)
        catalog.runs.started(rowOf(catalog, { ...run.started, workflowId: run.workflowId, runId: run.runId }))
        catalog.runs.observe(run.runId, {
          state: run.outcome,
          endedMs: run.finishedMs,
          progress: null,
          bytesRead: run.bytesRead,
          bytesStored: run.bytesStored,
          error: run.error && noteOf(run.error),
          residue: run.residue,
          summary: run.summary,
          attention: run.attention ?? null,
        })
        const { made } = run
        if (made === null || made.spotCheckedChunks === 0 || catalog.points.find(made.pointId) === undefined) return
        const seen = { level: 'spot-checked', ms: run.finishedMs, chunks: made.spotCheckedChunks } as const
        catalog.points.recordVerification(made.pointId, seen)
      })
    },
  }
}

function comparedOf(change: ChangeRecord['change']): MeasuredChange['compared'] {
  if (change === null) return null
  const { beforeSnap: beforeId, beforeMs, ...figures } = change
  return { beforeId, beforeMs, figures }
}

/** The plan that made it says where else it is to lie. Who copies it there finds it wanted (ADR 0711). */
function wantMirrors({ mirrors, plans, repositories }: Catalog, { plan, pointId, repositoryId }: PointRecord): void {
  const targets = (plan === null ? undefined : plans.find(plan))?.targets ?? []
  for (const { repository: targetId, copy } of targets) {
    if (copy !== 'mirror' || targetId === repositoryId || repositories.find(targetId) === undefined) continue
    mirrors.want({ sourceId: repositoryId, targetId }, pointId, false)
  }
}

function rowOf(catalog: Catalog, run: RunStarted): Parameters<Catalog['runs']['started']>[0] {
  return {
    workflowId: run.workflowId,
    runId: run.runId,
    kind: run.kind,
    title: `${titles[run.kind]} ${run.vmName}`,
    vmId: run.vmId,
    repositoryId: run.repositoryId,
    pointId: run.stem === null ? null : catalog.copies.pointIdOf(run.stem),
    startedMs: run.startedMs,
    requestedUser: run.requestedBy.user,
    requestedReason: run.requestedBy.reason,
    idempotencyKey: null,
  }
}

function noteOf({ code, message, hint, docs }: SerializedError): ErrorNote {
  return { code, message, hint, docs }
}
