import type { z } from '@hono/zod-openapi'
import { HoldfastError } from '../../base/index.ts'
import { snapOf, type Catalog, type LackingHold, type LeftHold, type PointView } from '../../catalog/index.ts'
import { isInstantHold } from '../../workflows/instant/contract.ts'
import { isRecoveryHold } from '../../workflows/recovery-plan/contract.ts'
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
import type { removePointBody } from '../schemas/holds.ts'
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
  const { mode, collect, waits, reason } = wish
  // A sweep runs to its end with what it was started with.
  const set = catalog.sweepSettings.of(repositoryId)
  const requestedBy = { user, reason }
  const input: SweepInput = {
    v: 1,
    repository: repositoryRefOf(repository),
    mode,
    approval: wish.approval ?? set.approval,
    graceMs: wish.graceMs ?? set.graceMs,
    approveWithinMs: wish.approveWithinMs ?? set.approveWithinMs,
    maxShare: wish.maxShare ?? set.maxShare,
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

/** In each repository that has the point: a hold is of all its copies. None where it is held so already. */
export function planHolds(
  catalog: Catalog,
  pointId: string,
  type: 'pin' | 'legal',
  requestedBy: KeepPointInput['requestedBy'],
): readonly PointAct[] {
  const point = pointOf(catalog, pointId)
  const { user, reason } = requestedBy
  const holds = catalog.retained
    .holdsOf(point.id)
    .filter((hold) => hold.type === type && hold.actor === user && hold.reason === reason)
  const there = catalog.copies.of(point.id).flatMap(({ state, goneMs, validatedMs, stem, repositoryId }) => {
    return state === 'done' && goneMs === null && validatedMs !== null && stem !== null ? [{ repositoryId, stem }] : []
  })
  const { repositoryId, stem } = point
  return (there.length === 0 ? [{ repositoryId, stem }] : there)
    .filter((copy) => !holds.some(({ name }) => name.startsWith(`hold/${snapOf(copy.stem)}-`)))
    .map((copy) => actOnHolds(catalog, point, { ...copy, act: { kind: 'hold', type }, requestedBy }))
}

/** `request`: 32 hex digits that are the same for the same hold and copy. */
export function planLackingHold(catalog: Catalog, hold: LackingHold, request: string): PointAct {
  const { repositoryId, stem, type, actor, reason } = hold
  const act = { kind: 'hold', type } as const
  return actOnHolds(catalog, hold, { repositoryId, stem, act, requestedBy: { user: actor, reason } }, request)
}

/** `holds`: of one actor in one repository, where the run of a recovery plan that placed them is over. */
export function planLeftHolds(catalog: Catalog, holds: readonly LeftHold[], request: string): PointAct {
  const [first] = holds
  if (first === undefined) throw new HoldfastError('Internal', 'there is no hold to end')
  const { repositoryId, stem } = first
  const act = { kind: 'release', holds: holds.map(({ name }) => name) } as const
  const requestedBy = { user: 'holdfast', reason: 'the run of the recovery plan is over' }
  return actOnHolds(catalog, first, { repositoryId, stem, act, requestedBy }, request)
}

/**
 * Ends the hold that is named, else all pins, each in every repository that has it: those of one person for one reason are
 * one hold. A legal hold is ended by name only, and so is that of a run which reads the point.
 */
export function planReleases(
  catalog: Catalog,
  pointId: string,
  named: string | undefined,
  requestedBy: KeepPointInput['requestedBy'],
): readonly PointAct[] {
  const point = pointOf(catalog, pointId)
  const holds = catalog.retained.holdsOf(point.id)
  const wanted = holds.find(({ name }) => name === named)
  const chosen = holds.filter(({ name, type, actor, reason }) =>
    named === undefined
      ? type === 'pin' && !isInstantHold(actor) && !isRecoveryHold(actor)
      : // Whose those are that cannot be read nobody knows: each is one of its own.
        wanted?.type === 'unknown'
        ? name === named
        : type === wanted?.type && actor === wanted.actor && reason === wanted.reason,
  )
  if (chosen.length === 0) {
    const others = holds.map(({ name, type }) => `${name} (${type})`)
    const message = named === undefined ? 'the point has no pin' : `the point has no hold ${named}`
    throw new HoldfastError('NotFound', message, {
      hint: others.length === 0 ? 'Nothing holds it.' : `It is held by ${others.join(', ')}: name the one to end.`,
    })
  }
  return [...Map.groupBy(chosen, ({ repositoryId }) => repositoryId)].map(([repositoryId, there]) => {
    const stem = catalog.copies.find(point.id, repositoryId)?.stem ?? point.stem
    const act = { kind: 'release', holds: there.map(({ name }) => name) } as const
    return actOnHolds(catalog, point, { repositoryId, stem, act, requestedBy })
  })
}

function actOnHolds(
  catalog: Catalog,
  { vmName }: Pick<PointView, 'vmName'>,
  { repositoryId, ...rest }: Omit<KeepPointInput, 'v' | 'repository'> & { readonly repositoryId: string },
  request = newRequestId(),
): PointAct {
  const repository = catalog.repositories.get(repositoryId)
  return {
    workflow: keepPointWorkflow,
    workflowId: keepPointWorkflowId(request),
    input: { v: 1, repository: repositoryRefOf(repository), ...rest } satisfies KeepPointInput,
    summary: `${rest.act.kind === 'hold' ? 'Hold' : 'Release'} a point of ${vmName}`,
    site: repository.site,
  }
}

/** From the repository that is named; without a name the point must lie in one only. */
export function planRemoval(
  catalog: Catalog,
  pointId: string,
  { confirmName, repositoryId }: Pick<z.infer<typeof removePointBody>, 'confirmName' | 'repositoryId'>,
  requestedBy: RemovePointInput['requestedBy'],
): PointAct {
  const point = pointOf(catalog, pointId)
  if (confirmName !== point.vmName) {
    throw new HoldfastError('InvalidRequest', `removing a point of ${point.vmName} needs its name as confirmation`, {
      hint: `Give confirmName "${point.vmName}".`,
    })
  }
  const { stem, repository } = copyToRemove(catalog, point, repositoryId)
  const input: RemovePointInput = { v: 1, repository: repositoryRefOf(repository), stem, requestedBy }
  return {
    workflow: removePointWorkflow,
    workflowId: removePointWorkflowId(repository.id, point.id),
    input,
    summary: `Remove a point of ${point.vmName}`,
    site: repository.site,
  }
}

function copyToRemove(
  catalog: Catalog,
  point: PointView,
  repositoryId: string | undefined,
): { readonly stem: string; readonly repository: ReturnType<Catalog['repositories']['get']> } {
  const there = catalog.copies.of(point.id).filter(({ state, goneMs }) => state === 'done' && goneMs === null)
  const names = there.map((one) => one.repositoryName).join(', ')
  if (repositoryId === undefined) {
    if (there.length <= 1) return { stem: point.stem, repository: catalog.repositories.get(point.repositoryId) }
    throw new HoldfastError('InvalidRequest', `this point of ${point.vmName} lies in ${names}`, {
      hint: 'Name the repository to remove it from; the others keep theirs.',
    })
  }
  const repository = catalog.repositories.get(repositoryId)
  const stem = there.find((one) => one.repositoryId === repositoryId)?.stem ?? null
  if (stem !== null) return { stem, repository }
  throw new HoldfastError('NotFound', `${repository.name} does not hold this point of ${point.vmName}`, {
    hint: there.length === 0 ? 'No repository does.' : `It lies in ${names}.`,
  })
}

/** Throws NotFound, with who removed it where that is known. */
function pointOf(catalog: Catalog, pointId: string): PointView {
  const removed = catalog.points.find(pointId) === undefined ? catalog.retained.removed(pointId) : undefined
  if (removed === undefined) return catalog.points.get(pointId)
  throw new HoldfastError('NotFound', `the point ${pointId} was removed by ${removed.removedBy}: ${removed.why}`)
}
