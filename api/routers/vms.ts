import type { OpenAPIHono } from '@hono/zod-openapi'
import { HoldfastError } from '../../base/index.ts'
import { overrideProblems } from '../../policy/index.ts'
import type { ApiEnv } from '../auth.ts'
import type { ApiDeps } from '../deps.ts'
import { vmRemovals } from '../policy/index.ts'
import { planBackup } from '../requests/backup.ts'
import { startOnce } from '../requests/start.ts'
import { vmRoutes as routes } from '../routes/index.ts'
import { pointView } from '../views/points.ts'
import { runView } from '../views/runs.ts'
import { vmDetailView, vmView } from '../views/vms.ts'
import { answerAccepted, refuseProblems, requestOf, router } from './common.ts'

function refusePast(untilMs: number | null | undefined, nowMs: number): void {
  if (untilMs === undefined || untilMs === null || untilMs > nowMs) return
  throw new HoldfastError('InvalidRequest', 'the VM would be left out until a time that is over', {
    hint: 'Say a later day, or none.',
  })
}

export function vmRouter(deps: ApiDeps): OpenAPIHono<ApiEnv> {
  const { catalog, now } = deps
  return router()
    .openapi(routes.list, (c) => {
      const { limit, cursor, hypervisorId, gone, ...rest } = c.req.valid('query')
      const page = catalog.vms.list({ limit, cursor }, { ...rest, endpointId: hypervisorId, showGone: gone === 'show' })
      const plansOf = catalog.policy.takers()
      return c.json({ ...page, items: page.items.map((vm) => vmView(catalog, vm, now(), plansOf(vm))) }, 200)
    })
    .openapi(routes.get, (c) => c.json(vmDetailView(catalog, catalog.vms.get(c.req.valid('param').id), now()), 200))
    .openapi(routes.preview, async (c) => {
      const vm = catalog.vms.get(c.req.valid('param').id)
      const { category = vm.category, override = vm.override } = c.req.valid('json')
      const found = overrideProblems(override).map((one) => ({ ...one, path: one.path.join('.') }))
      const wishes = new Map([[vm.id, { category, keep: override.keep }]])
      const removals = found.length > 0 ? [] : await vmRemovals(catalog, wishes, undefined, now())
      return c.json(
        { problems: found, removals: removals.map(({ vmId: _, ...one }) => one), revision: vm.revision },
        200,
      )
    })
    .openapi(routes.patch, (c) => {
      const { revision, ...change } = c.req.valid('json')
      refusePast(change.excludedUntilMs, now())
      if (change.override !== undefined) refuseProblems(overrideProblems(change.override))
      const changed = catalog.vms.change(c.req.valid('param').id, change, revision)
      return c.json(vmDetailView(catalog, changed, now()), 200)
    })
    .openapi(routes.points, (c) => {
      const { id } = catalog.vms.get(c.req.valid('param').id)
      const page = catalog.points.list(c.req.valid('query'), { vmId: id })
      return c.json({ ...page, items: page.items.map(pointView) }, 200)
    })
    .openapi(routes.runs, (c) => {
      const { id } = catalog.vms.get(c.req.valid('param').id)
      const page = catalog.runs.list(c.req.valid('query'), { vmId: id })
      return c.json({ ...page, items: page.items.map((run) => runView(run, now())) }, 200)
    })
    .openapi(routes.backup, async (c) => {
      const wish = c.req.valid('json')
      const plan = planBackup(catalog, c.req.valid('param').id, wish, c.var.identity.user)
      return answerAccepted(c, await startOnce(deps, plan, requestOf(c.req, c.req.valid('header'), wish)))
    })
}
