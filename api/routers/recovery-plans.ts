import type { OpenAPIHono } from '@hono/zod-openapi'
import { HoldfastError } from '../../base/index.ts'
import {
  abortRecoveryUpdate,
  approveStepUpdate,
  chooseTierUpdate,
  type AbortWish,
  type StepApproval,
  type TierWord,
} from '../../workflows/recovery-plan/contract.ts'
import type { ApiEnv } from '../auth.ts'
import type { ApiDeps } from '../deps.ts'
import { planRecovery, recoverySpec } from '../requests/recovery.ts'
import { newRequestId } from '../requests/restore.ts'
import { startedBefore, startOnce } from '../requests/start.ts'
import { recoveryPlanRoutes as routes } from '../routes/index.ts'
import { planCheck, recoveryPlanView, recoveryRunView, requireEnded } from '../views/recovery-plans.ts'
import { answerAccepted, requestOf, router } from './common.ts'

export function recoveryPlanRouter(deps: ApiDeps): OpenAPIHono<ApiEnv> {
  const { catalog, now, orchestrator, live } = deps
  const { recoveryPlans, recoveryRuns } = catalog
  const viewOf = (id: string) => recoveryPlanView(catalog, recoveryPlans.get(id), now())
  const reportOf = (run: string) => recoveryRunView(catalog, recoveryRuns.get(run), now())
  /** What somebody says to a run; what the run refuses is told in its words. */
  const say = async (run: string, update: string, said: AbortWish | StepApproval | TierWord) => {
    const { workflowId, runId, endedMs, planName } = recoveryRuns.get(run)
    if (endedMs !== null) throw new HoldfastError('RunEnded', `the run of ${planName} has ended`)
    await orchestrator.update({ workflowId, runId }, update, said, newRequestId())
    live.nudge()
    return reportOf(run)
  }
  return router()
    .openapi(routes.list, (c) =>
      c.json({ items: recoveryPlans.list().map((plan) => recoveryPlanView(catalog, plan, now())) }, 200),
    )
    .openapi(routes.check, (c) => c.json(planCheck(catalog, recoverySpec(c.req.valid('json'))), 200))
    .openapi(routes.get, (c) => c.json(viewOf(c.req.valid('param').id), 200))
    .openapi(routes.create, (c) => {
      const { id } = recoveryPlans.add(recoverySpec(c.req.valid('json')))
      return c.json(viewOf(id), 201)
    })
    .openapi(routes.change, (c) => {
      const { spec, revision } = c.req.valid('json')
      const { id } = recoveryPlans.set(c.req.valid('param').id, recoverySpec(spec), revision)
      return c.json(viewOf(id), 200)
    })
    .openapi(routes.remove, (c) => {
      const { id, name } = recoveryPlans.get(c.req.valid('param').id)
      requireEnded(catalog, id, name)
      recoveryPlans.remove(id)
      return c.body(null, 204)
    })
    .openapi(routes.start, async (c) => {
      const wish = c.req.valid('json')
      const context = requestOf(c.req, c.req.valid('header'), wish)
      // Asked first: the run that a repeated request has started is no reason to refuse it.
      const begun = await startedBefore(deps, context)
      const begin = () =>
        planRecovery(catalog, recoveryPlans.get(c.req.valid('param').id), wish, c.var.identity.user, now())
      return answerAccepted(c, begun ?? (await startOnce(deps, begin(), context)))
    })
    .openapi(routes.runs, (c) => {
      const { id: planId } = recoveryPlans.get(c.req.valid('param').id)
      const { items, ...page } = recoveryRuns.list(c.req.valid('query'), { planId })
      return c.json({ ...page, items: items.map((run) => recoveryRunView(catalog, run, now())) }, 200)
    })
    .openapi(routes.report, (c) => c.json(reportOf(c.req.valid('param').run), 200))
    .openapi(routes.approve, async (c) => {
      const said = { ...c.req.valid('json'), user: c.var.identity.user }
      return c.json(await say(c.req.valid('param').run, approveStepUpdate, said), 200)
    })
    .openapi(routes.choose, async (c) => {
      const said = { ...c.req.valid('json'), user: c.var.identity.user }
      return c.json(await say(c.req.valid('param').run, chooseTierUpdate, said), 200)
    })
    .openapi(routes.abort, async (c) => {
      const said = { ...c.req.valid('json'), user: c.var.identity.user }
      return c.json(await say(c.req.valid('param').run, abortRecoveryUpdate, said), 200)
    })
}
