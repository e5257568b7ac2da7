import type { z } from '@hono/zod-openapi'
import { HoldfastError } from '../../base/index.ts'
import type { Catalog, PointView } from '../../catalog/index.ts'
import { isInstantHold } from '../../workflows/instant/contract.ts'
import {
  keepPointWorkflow,
  keepPointWorkflowId,
  removePointWorkflow,
  removePointWorkflowId,
  sweepWorkflow,
  sweepWorkflowId,
  type KeepPointInput,
  type RemovePointInput,
  type SweepInput,
} from '../../workflows/retention/contract.ts'
import type { StartSpec } from '../orchestrator.ts'
import type { sweepBody } from '../schemas/retention.ts'
import { newRequestId } from './restore.ts'
import { planAtRepository, type StartPlan } from './start.ts'
import { repositoryRefOf, tuningOf } from './targets.ts'

export function planRetention(
  catalog: Catalog,
  repositoryId: string,
  wish: z.infer<typeof sweepBody>,
  user: string,
): StartPlan {
  const repository = catalog.repositories.get(repositoryId)
  const { mode, approval, graceMs, approveWithinMs, maxShare, collect, waits, reason } = wish
  const requestedBy = { user, reason }
  const input: SweepInput = {
    v: 1,
    repository: repositoryRefOf(repository),
    mode,
    approval,
    graceMs,
    approveWithinMs,
    maxShare,
    collect,
    waits,
    requestedBy,
    tuning: tuningOf(wish.tuning),
  }
  const title = `Retention of ${repository.name}`
  return planAtRepository(repository, requestedBy, {
    workflowId: sweepWorkflowId(repositoryId, mode),
    title,
    workflow: sweepWorkflow,
    input,
    summary: mode === 'plan' ? `${title}, dry run` : title,
    priority: 4,
  })
}

/** A question to the site that is answered while somebody waits. */
export type PointAct = Pick<StartSpec, 'workflow' | 'workflowId' | 'input' | 'summary'> & { readonly site: string }

export function planKeep(
  catalog: Catalog,
  pointId: string,
  act: KeepPointInput['act'],
  requestedBy: KeepPointInput['requestedBy'],
): PointAct {
  const { point, repository } = partsOf(catalog, pointId)
  const input: KeepPointInput = { v: 1, repository: repositoryRefOf(repository), stem: point.stem, act, requestedBy }
  return {
    workflow: keepPointWorkflow,
    workflowId: keepPointWorkflowId(newRequestId()),
    input,
    summary: `${act.kind === 'hold' ? 'Hold' : 'Release'} a point of ${point.vmName}`,
    site: repository.site,
  }
}

/**
 * Names of the holds that a release ends: the one that is named, else all pins. A legal hold is ended by name only, and so
 * is that of a VM which runs from the point.
 */
export function holdsToRelease(catalog: Catalog, pointId: string, named: string | undefined): readonly string[] {
  const holds = catalog.retained.holdsOf(catalog.points.get(pointId).id)
  const chosen = holds.filter(({ name, type, actor }) =>
    named === undefined ? type === 'pin' && !isInstantHold(actor) : name === named,
  )
  if (chosen.length > 0) return chosen.map(({ name }) => name)
  const others = holds.map(({ name, type }) => `${name} (${type})`)
  throw new HoldfastError('NotFound', named === undefined ? 'the point has no pin' : `the point has no hold ${named}`, {
    hint: others.length === 0 ? 'Nothing holds it.' : `It is held by ${others.join(', ')}: name the one to end.`,
  })
}

export function planRemoval(
  catalog: Catalog,
  pointId: string,
  confirmName: string,
  requestedBy: RemovePointInput['requestedBy'],
): PointAct {
  const { point, repository } = partsOf(catalog, pointId)
  if (confirmName !== point.vmName) {
    throw new HoldfastError('InvalidRequest', `removing a point of ${point.vmName} needs its name as confirmation`, {
      hint: `Give confirmName "${point.vmName}".`,
    })
  }
  const ref = repositoryRefOf(repository)
  const input: RemovePointInput = { v: 1, repository: ref, stem: point.stem, requestedBy }
  return {
    workflow: removePointWorkflow,
    workflowId: removePointWorkflowId(point.id),
    input,
    summary: `Remove a point of ${point.vmName}`,
    site: repository.site,
  }
}

function partsOf(
  catalog: Catalog,
  pointId: string,
): { readonly point: PointView; readonly repository: ReturnType<Catalog['repositories']['get']> } {
  const removed = catalog.points.find(pointId) === undefined ? catalog.retained.removed(pointId) : undefined
  if (removed !== undefined) {
    throw new HoldfastError('NotFound', `the point ${pointId} was removed by ${removed.removedBy}: ${removed.why}`)
  }
  const point = catalog.points.get(pointId)
  return { point, repository: catalog.repositories.get(point.repositoryId) }
}
