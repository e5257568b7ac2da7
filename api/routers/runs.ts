import type { OpenAPIHono } from '@hono/zod-openapi'
import { HoldfastError } from '../../base/index.ts'
import { readHistory } from '../archive.ts'
import type { ApiEnv } from '../auth.ts'
import type { ApiDeps } from '../deps.ts'
import { historyPage } from '../history-page.ts'
import { runRoutes as routes } from '../routes/index.ts'
import { cancelRun, findRun, pauseRun, resumeRun, retryRun, retryRunNow } from '../runs.ts'
import { runbookView } from '../views/runbook.ts'
import { accepted, planRunVmView, runView } from '../views/runs.ts'
import { answerAccepted, requestOf, router } from './common.ts'

export function runRouter(deps: ApiDeps): OpenAPIHono<ApiEnv> {
  const { catalog, now, live } = deps
  return router()
    .openapi(routes.list, (c) => {
      const { limit, cursor, ...filter } = c.req.valid('query')
      const page = catalog.runs.list({ limit, cursor }, filter)
      return c.json({ ...page, items: page.items.map((run) => runView(run, now())) }, 200)
    })
    .openapi(routes.get, async (c) => c.json(runView(await findRun(deps, c.req.valid('param').run), now()), 200))
    .openapi(routes.runbook, async (c) => {
      const run = await findRun(deps, c.req.valid('param').run)
      return c.json(runbookView(await live.runbook(run)), 200)
    })
    .openapi(routes.history, async (c) => {
      const run = await findRun(deps, c.req.valid('param').run)
      const history = await readHistory(deps, run)
      if (!history) throw new HoldfastError('NotFound', `the history of ${run.workflowId} is gone`)
      return c.json(historyPage(history, c.req.valid('query')), 200)
    })
    .openapi(routes.vms, async (c) => {
      const run = await findRun(deps, c.req.valid('param').run)
      const page = catalog.planRuns.vms(run.workflowId, c.req.valid('query'))
      return c.json({ ...page, items: page.items.map((row) => planRunVmView(catalog, row)) }, 200)
    })
    .openapi(routes.pause, async (c) => {
      const run = await findRun(deps, c.req.valid('param').run)
      await pauseRun(deps, run, { user: c.var.identity.user, reason: c.req.valid('json').reason })
      return c.json(accepted(run), 202)
    })
    .openapi(routes.resume, async (c) => {
      const run = await findRun(deps, c.req.valid('param').run)
      await resumeRun(deps, run, { user: c.var.identity.user, reason: c.req.valid('json').reason })
      return c.json(accepted(run), 202)
    })
    .openapi(routes.cancel, async (c) => {
      const run = await findRun(deps, c.req.valid('param').run)
      await cancelRun(deps, run, { user: c.var.identity.user, reason: c.req.valid('json').reason })
      return c.json(accepted(run), 202)
    })
    .openapi(routes.retry, async (c) => {
      const run = await findRun(deps, c.req.valid('param').run)
      const { reason, confirmName } = c.req.valid('json')
      const started = await retryRun(deps, run, {
        by: { user: c.var.identity.user, reason },
        confirmName,
        context: requestOf(c.req, c.req.valid('header'), c.req.valid('json')),
      })
      return answerAccepted(c, started)
    })
    .openapi(routes.retryNow, async (c) => {
      const run = await findRun(deps, c.req.valid('param').run)
      const { step, reason } = c.req.valid('json')
      return c.json({ steps: await retryRunNow(deps, run, { user: c.var.identity.user, reason }, step) }, 200)
    })
}
