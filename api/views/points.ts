import type { z } from '@hono/zod-openapi'
import type { PointView } from '../../catalog/index.ts'
import type { pointDetailSchema, pointSchema } from '../schemas/points.ts'
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
    diskCount: point.disks.length,
    logicalBytes: point.logicalBytes,
    readBytes: point.readBytes,
    newBytes: point.newBytes,
    verification:
      point.verifyLevel === null || point.verifiedMs === null
        ? null
        : { level: point.verifyLevel, ms: point.verifiedMs, chunks: point.verifyChunks },
    damage: point.damagedMs === null ? null : { ms: point.damagedMs, what: point.damage ?? '' },
    proof: point.proof,
    run:
      point.workflowId === null || point.runId === null ? null : { workflowId: point.workflowId, runId: point.runId },
  }
}

export function pointDetailView(
  point: PointView,
  repositoryPath: string,
): Omit<z.infer<typeof pointDetailSchema>, 'holds'> {
  return {
    ...pointView(point),
    disks: point.disks.map((disk) => ({ ...disk, why: isFullReason(disk.why) ? fullReasons[disk.why] : disk.why })),
    parentId: point.parentId,
    repositoryPath,
    command: `holdfast restore ${point.vmId} --point ${point.id} --name ${point.vmId}-restored`,
  }
}
