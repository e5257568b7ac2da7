import type { z } from '@hono/zod-openapi'
import type { CopyView, PointView } from '../../catalog/index.ts'
import type { bootListSchema, copySchema, pointDetailSchema, pointSchema } from '../schemas/points.ts'
import { changeView } from './changes.ts'
import { isStanding } from '../../catalog/index.ts'
import { fullReasons, isFullReason } from '../../workflows/shared/summaries.ts'

export function pointView(point: PointView): z.infer<typeof pointSchema> {
  return {
    id: point.id,
    stem: point.stem,
    vmId: point.vmId,
    vmName: point.vmName,
    repositoryId: point.repositoryId,
    repositoryName: point.repositoryName,
    createdMs: point.createdMs,
    validatedMs: point.validatedMs,
    origin: point.origin,
    name: point.name,
    description: point.description,
    mode: point.mode,
    consistency: point.consistency,
    freezeDurationMs: point.freezeDurationMs,
    atRest: point.atRest,
    diskCount: point.disks.length,
    logicalBytes: point.logicalBytes,
    readBytes: point.readBytes,
    newBytes: point.newBytes,
    verification:
      point.verifyLevel === null || point.verifiedMs === null
        ? null
        : { level: point.verifyLevel, ms: point.verifiedMs, chunks: point.verifyChunks },
    damage: point.damagedMs === null ? null : { ms: point.damagedMs, what: point.damage ?? '' },
    change: changeView(point),
    kept: point.kept === null ? null : { by: [...point.kept.by], ms: point.kept.ms },
    proof: point.proof,
    run:
      point.workflowId === null || point.runId === null ? null : { workflowId: point.workflowId, runId: point.runId },
  }
}

export function copyView(copy: CopyView): z.infer<typeof copySchema> {
  const { verifyLevel, verifiedMs, verifyChunks, damagedMs, damage, lockUntilMs, ...of } = copy
  const { repositoryId, repositoryName, sourceId, sourceName, state, stem, wantedMs, validatedMs, storedBytes } = of
  const { goneMs, problem, attempts, retryMs, runId } = of
  return {
    ...{ repositoryId, repositoryName, sourceId, sourceName, state, stem, wantedMs, validatedMs, storedBytes },
    ...{ goneMs, problem, attempts, retryMs, runId },
    isRestorable: isStanding(copy),
    verification:
      verifyLevel === null || verifiedMs === null ? null : { level: verifyLevel, ms: verifiedMs, chunks: verifyChunks },
    damage: damagedMs === null ? null : { ms: damagedMs, what: damage ?? '' },
    immutableUntilMs: lockUntilMs,
  }
}

/** What is read ahead is of no interest to who looks; how much, and who says so, is. */
export function bootListView(list: z.infer<typeof bootListSchema> | null): z.infer<typeof bootListSchema> | null {
  if (list === null) return null
  const { bytes, recordedMs, drillId } = list
  return { bytes, recordedMs, drillId }
}

export function pointDetailView(
  point: PointView,
  repositoryPath: string,
): Omit<z.infer<typeof pointDetailSchema>, 'holds' | 'copies' | 'changed' | 'bootList'> {
  return {
    ...pointView(point),
    disks: point.disks.map((disk) => ({ ...disk, why: isFullReason(disk.why) ? fullReasons[disk.why] : disk.why })),
    parentId: point.parentId,
    repositoryPath,
    command: `holdfast restore ${point.vmId} --point ${point.id} --name ${point.vmId}-restored`,
  }
}
