import type { OpenAPIHono } from '@hono/zod-openapi'
import { categoryProblems, planProblems } from '../../policy/index.ts'
import type { ApiEnv } from '../auth.ts'
import type { ApiDeps } from '../deps.ts'
import { tellRunsOf } from '../plan-changes.ts'
import {
  applyPolicy,
  categoryRemovals,
  comparePolicy,
  currentPolicy,
  joinPlan,
  knownNames,
  planFarewell,
  previewPlan,
  readPolicy,
  refuseWhileFollowed,
  writePolicyFile,
} from '../policy/index.ts'
import { planRunOf } from '../requests/plan.ts'
import { startOnce } from '../requests/start.ts'
import { nothingLooked } from '../schedule-state.ts'
import { policyRoutes as routes } from '../routes/index.ts'
import { categoryView, planView, planViews } from '../views/plans.ts'
import { planLatelyView } from '../views/plan-lately.ts'
import { scheduleView } from '../views/schedules.ts'
import { answerAccepted, refuseProblems, requestOf, router } from './common.ts'

export function policyRouter(deps: ApiDeps): OpenAPIHono<ApiEnv> {
  const { catalog, now } = deps
  return router()
    .openapi(routes.listPlans, (c) => {
      const page = catalog.plans.list(c.req.valid('query'))
      return c.json({ ...page, items: planViews(catalog, page.items, now()) }, 200)
    })
    .openapi(routes.listSchedules, (c) => {
      const page = catalog.plans.list(c.req.valid('query'))
      const state = deps.schedules?.() ?? nothingLooked
      const { lookedMs, error, unknown } = state
      const items = page.items.map((plan) => scheduleView(catalog, plan, state, now()))
      return c.json({ ...page, items, lookedMs, error, unknown: [...unknown] }, 200)
    })
    .openapi(routes.previewPlan, async (c) => {
      const { plan, changeShare } = c.req.valid('json')
      return c.json(await previewPlan(catalog, plan, now(), { changeShare }), 200)
    })
    .openapi(routes.getPlan, (c) => c.json(planView(catalog, catalog.plans.get(c.req.valid('param').id), now()), 200))
    .openapi(routes.putPlan, async (c) => {
      const { revision, ...spec } = c.req.valid('json')
      const plan = { ...spec, name: c.req.valid('param').id }
      refuseProblems(planProblems(plan, knownNames(catalog)))
      const saved = catalog.plans.put(plan, revision)
      await tellRunsOf(deps, [saved.name])
      return c.json(planView(catalog, saved, now()), 200)
    })
    .openapi(routes.patchPlan, async (c) => {
      const { paused, revision } = c.req.valid('json')
      const saved = catalog.plans.put({ ...catalog.plans.get(c.req.valid('param').id), paused }, revision)
      await tellRunsOf(deps, [saved.name])
      return c.json(planView(catalog, saved, now()), 200)
    })
    .openapi(routes.planLately, (c) => c.json(planLatelyView(catalog, c.req.valid('param').id, now()), 200))
    .openapi(routes.planFarewell, (c) => c.json(planFarewell(catalog, c.req.valid('param').id), 200))
    .openapi(routes.removePlan, (c) => {
      const { id } = c.req.valid('param')
      refuseWhileFollowed(id, catalog.plans.all())
      catalog.plans.remove(id, c.req.valid('query').revision ?? null)
      return c.body(null, 204)
    })
    .openapi(routes.joinPlan, async (c) => {
      const { id } = c.req.valid('param')
      const joined = joinPlan(catalog, id, c.req.valid('json'))
      if (joined.changed) await tellRunsOf(deps, [id])
      return c.json(joined, 200)
    })
    .openapi(routes.runPlan, async (c) => {
      const wish = c.req.valid('json')
      const context = requestOf(c.req, c.req.valid('header'), wish)
      const by = { user: c.var.identity.user, reason: wish.reason }
      const asked = { name: c.req.valid('param').id, requestedBy: by, key: context.key }
      return answerAccepted(c, await startOnce(deps, planRunOf(catalog, asked, now()), context))
    })
    .openapi(routes.listCategories, (c) => c.json({ items: catalog.categories.list().map(categoryView) }, 200))
    .openapi(routes.previewCategory, async (c) => {
      const { name, ...category } = c.req.valid('json').category
      const found = categoryProblems(category).map((one) => ({ ...one, path: one.path.join('.') }))
      const removals = found.length > 0 ? [] : await categoryRemovals(catalog, name, category, now())
      const revision = catalog.categories.list().find((one) => one.name === name)?.revision ?? 0
      return c.json({ problems: found, removals, revision }, 200)
    })
    .openapi(routes.putCategory, (c) => {
      const { revision, ...category } = c.req.valid('json')
      refuseProblems(categoryProblems(category))
      return c.json(categoryView(catalog.categories.put(c.req.valid('param').id, category, revision)), 200)
    })
    .openapi(routes.removeCategory, (c) => {
      catalog.categories.remove(c.req.valid('param').id, c.req.valid('query').revision ?? null)
      return c.body(null, 204)
    })
    .openapi(routes.exportPolicy, (c) => {
      const { plan } = c.req.valid('query')
      const all = currentPolicy(catalog)
      if (plan === undefined) return c.json({ file: writePolicyFile(all) }, 200)
      const { name } = catalog.plans.get(plan)
      const one = all.plans?.[name]
      return c.json({ file: writePolicyFile({ version: 1, plans: one === undefined ? {} : { [name]: one } }) }, 200)
    })
    .openapi(routes.comparePolicy, async (c) => {
      const { file, prune } = c.req.valid('json')
      return c.json(await comparePolicy(catalog, readPolicy(catalog, file, now()), prune, now()), 200)
    })
    .openapi(routes.applyPolicy, async (c) => {
      const { file, prune } = c.req.valid('json')
      const done = applyPolicy(catalog, file, prune, now())
      const plans = done.changes.flatMap(({ kind, name }) => (kind === 'plan' ? [name] : []))
      await tellRunsOf(deps, plans)
      return c.json(done, 200)
    })
}
