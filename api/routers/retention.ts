import type { OpenAPIHono } from '@hono/zod-openapi'
import { HoldfastError, toHoldfastError } from '../../base/index.ts'
import { approveSweepUpdate, type SweepApprovalWish } from '../../workflows/retention/contract.ts'
import type { ApiEnv } from '../auth.ts'
import type { ApiDeps } from '../deps.ts'
import { newRequestId } from '../requests/restore.ts'
import { rowStream } from '../exports/index.ts'
import { planHolds, planReleases, type PointAct, planRemoval, planRetention } from '../requests/retention.ts'
import { auditRetention } from '../retention-audit.ts'
import { startOnce } from '../requests/start.ts'
import { retentionRoutes as routes } from '../routes/index.ts'
import { askSite } from '../site-checks.ts'
import {
  auditColumns,
  auditRows,
  collectionView,
  holdView,
  retentionAuditView,
  sweepPointView,
  sweepSeriesView,
  sweepSettingsView,
  sweepView,
} from '../views/retention.ts'
import { accepted } from '../views/runs.ts'
import { answerAccepted, requestOf, router } from './common.ts'

export function retentionRouter(deps: ApiDeps): OpenAPIHono<ApiEnv> {
  const { catalog, orchestrator, live } = deps
  const holdsOf = (id: string) => ({
    items: catalog.retained.holdsOf(id).map(holdView),
    missing: catalog.retained.lackingHolds(50, id).map(({ repositoryId, type }) => ({ repositoryId, type })),
  })
  /** Each, whatever becomes of the others; what failed. */
  const askAll = async (acts: readonly PointAct[]): Promise<Error[]> => {
    const failed: Error[] = []
    for (const act of acts)
      await askSite(deps, act).catch((error: unknown) => {
        failed.push(toHoldfastError(error))
      })
    return failed
  }
  return router()
    .openapi(routes.start, async (c) => {
      const wish = c.req.valid('json')
      const plan = planRetention(catalog, c.req.valid('param').id, wish, c.var.identity.user)
      return answerAccepted(c, await startOnce(deps, plan, requestOf(c.req, c.req.valid('header'), wish)))
    })
    .openapi(routes.allSettings, (c) => c.json(sweepSettingsView(catalog, null), 200))
    .openapi(routes.setAllSettings, (c) => {
      catalog.sweepSettings.set(null, c.req.valid('json'))
      return c.json(sweepSettingsView(catalog, null), 200)
    })
    .openapi(routes.settings, (c) => {
      const { id } = catalog.repositories.get(c.req.valid('param').id)
      return c.json(sweepSettingsView(catalog, id), 200)
    })
    .openapi(routes.setSettings, (c) => {
      const { id } = c.req.valid('param')
      catalog.sweepSettings.set(id, c.req.valid('json'))
      return c.json(sweepSettingsView(catalog, id), 200)
    })
    .openapi(routes.list, (c) => {
      const { limit, cursor, repositoryId } = c.req.valid('query')
      const page = catalog.sweeps.list({ limit, cursor }, { repositoryId })
      return c.json({ ...page, items: page.items.map(sweepView) }, 200)
    })
    .openapi(routes.get, (c) => c.json(sweepView(catalog.sweeps.get(c.req.valid('param').run)), 200))
    .openapi(routes.series, (c) => {
      const { runId } = catalog.sweeps.get(c.req.valid('param').run)
      const { limit, cursor, orphans } = c.req.valid('query')
      const page = catalog.sweeps.series(runId, { limit, cursor }, { orphans: orphans === 'only' })
      return c.json({ ...page, items: page.items.map(sweepSeriesView) }, 200)
    })
    .openapi(routes.points, (c) => {
      const { runId } = catalog.sweeps.get(c.req.valid('param').run)
      const { limit, cursor, ...filter } = c.req.valid('query')
      const page = catalog.sweeps.points(runId, { limit, cursor }, filter)
      return c.json({ ...page, items: page.items.map(sweepPointView) }, 200)
    })
    .openapi(routes.approve, async (c) => {
      const sweep = catalog.sweeps.get(c.req.valid('param').run)
      const { digest, reason } = c.req.valid('json')
      if (digest !== sweep.digest) {
        throw new HoldfastError('InvalidRequest', `the plan of this sweep is ${sweep.digest}, not ${digest}`, {
          hint: 'Look at the plan again, and approve what it says now.',
        })
      }
      const wish: SweepApprovalWish = { user: c.var.identity.user, reason, digest }
      const { workflowId, runId } = sweep
      await orchestrator.update({ workflowId, runId }, approveSweepUpdate, wish, newRequestId())
      live.nudge()
      return c.json(accepted({ workflowId, runId }), 202)
    })
    .openapi(routes.audit, (c) => {
      const sweep = catalog.sweeps.get(c.req.valid('param').run)
      const { format } = c.req.valid('query')
      const day = new Date(sweep.plannedMs).toISOString().slice(0, 10)
      return new Response(rowStream(auditColumns, auditRows(catalog, sweep), format), {
        headers: {
          'content-type': format === 'csv' ? 'text/csv; charset=utf-8' : 'application/json',
          'content-disposition': `attachment; filename="retention-${sweep.repositoryId}-${day}.${format}"`,
        },
      })
    })
    .openapi(routes.audits, (c) => {
      const { id } = catalog.repositories.get(c.req.valid('param').id)
      return c.json({ items: catalog.retentionAudits.list(id, 30).map(retentionAuditView) }, 200)
    })
    .openapi(routes.check, async (c) => {
      const { id } = catalog.repositories.get(c.req.valid('param').id)
      const audit = await auditRetention(catalog, id, { nowMs: deps.now(), sweepsAreDue: true })
      return c.json(retentionAuditView(audit), 200)
    })
    .openapi(routes.collections, (c) => {
      const { id } = catalog.repositories.get(c.req.valid('param').id)
      return c.json({ items: catalog.retained.collections(id, 30).map(collectionView) }, 200)
    })
    .openapi(routes.hold, async (c) => {
      const { id } = c.req.valid('param')
      const { type, reason } = c.req.valid('json')
      const acts = planHolds(catalog, id, type, { user: c.var.identity.user, reason })
      const failed = await askAll(acts)
      const [first] = failed
      // Held in one repository it is held: the copies of the others follow (`hold-keeper.ts`), and are told as missing.
      if (first !== undefined && failed.length === acts.length) throw first
      return c.json(holdsOf(id), 200)
    })
    .openapi(routes.release, async (c) => {
      const { id } = c.req.valid('param')
      const { hold, reason } = c.req.valid('json')
      const requestedBy = { user: c.var.identity.user, reason }
      const [failed] = await askAll(planReleases(catalog, id, hold, requestedBy))
      if (failed !== undefined) throw failed
      return c.json(holdsOf(id), 200)
    })
    .openapi(routes.remove, async (c) => {
      const { reason, ...which } = c.req.valid('json')
      const { id } = c.req.valid('param')
      await askSite(deps, planRemoval(catalog, id, which, { user: c.var.identity.user, reason }))
      return c.body(null, 204)
    })
}
