import type { z } from '@hono/zod-openapi'
import { HoldfastError, isHoldfastError } from '../../base/index.ts'
import type { Catalog, MirrorPair } from '../../catalog/index.ts'
import { mirrorWorkflow, mirrorWorkflowId, type MirrorInput } from '../../workflows/mirror/contract.ts'
import type { ApiDeps } from '../deps.ts'
import type { RunHandle } from '../orchestrator.ts'
import type { mirrorBody } from '../schemas/mirrors.ts'
import { planAtRepository, startOnce, type StartContext, type StartPlan } from './start.ts'
import { repositoryRefOf, requireOneSite, tuningOf } from './targets.ts'

type Wish = z.infer<typeof mirrorBody>

/** Throws Unsupported where no worker reaches both. */
export function planMirror(
  catalog: Catalog,
  { sourceId, targetId }: MirrorPair,
  { reason, tuning }: Pick<Wish, 'reason' | 'tuning'>,
  user: string,
): StartPlan {
  const source = catalog.repositories.get(sourceId)
  const target = catalog.repositories.get(targetId)
  requireOneSite(source.name, source.site, target)
  const requestedBy = { user, reason }
  const input: MirrorInput = {
    v: 1,
    source: repositoryRefOf(source),
    target: repositoryRefOf(target),
    requestedBy,
    tuning: tuningOf(tuning),
    part: 0,
  }
  const title = `Mirror of ${source.name} to ${target.name}`
  return planAtRepository(target, requestedBy, {
    workflowId: mirrorWorkflowId(sourceId, targetId),
    title,
    workflow: mirrorWorkflow,
    input,
    summary: title,
    priority: 4,
  })
}

/** What is asked for is written down first: the run under way takes it as well, and then it is the answer. */
export async function startMirror(
  deps: Pick<ApiDeps, 'catalog' | 'orchestrator' | 'live' | 'now'>,
  wish: Wish,
  user: string,
  context: StartContext,
): Promise<RunHandle> {
  const { catalog, orchestrator } = deps
  const { sourceId, targetId, pointId, vmId = null, all } = wish
  const pair = { sourceId, targetId }
  const plan = planMirror(catalog, pair, wish, user)
  if (pointId !== undefined) {
    requireCopy(catalog, pointId, sourceId)
    catalog.mirrors.want(pair, pointId, true)
  } else catalog.mirrors.wantNewer(pair, { vmId: vmId && catalog.vms.get(vmId).id, all })
  try {
    return await startOnce(deps, plan, context)
  } catch (error) {
    if (!isHoldfastError(error) || error.code !== 'AlreadyRunning') throw error
    const running = await orchestrator.describe(plan.workflowId)
    if (running === undefined) throw error
    return { workflowId: running.workflowId, runId: running.runId }
  }
}

function requireCopy(catalog: Catalog, pointId: string, sourceId: string): void {
  const { vmName } = catalog.points.get(pointId)
  const copy = catalog.copies.find(pointId, sourceId)
  if (copy?.state === 'done' && copy.goneMs === null) return
  const there = catalog.copies.of(pointId).filter(({ state, goneMs }) => state === 'done' && goneMs === null)
  const { name } = catalog.repositories.get(sourceId)
  throw new HoldfastError('NotFound', `${name} does not hold this point of ${vmName}`, {
    hint:
      there.length === 0
        ? 'No repository does.'
        : `Copy it from ${there.map((one) => one.repositoryName).join(' or ')}.`,
  })
}
