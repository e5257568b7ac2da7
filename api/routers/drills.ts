import type { OpenAPIHono } from '@hono/zod-openapi'
import { HoldfastError } from '../../base/index.ts'
import type { ApiEnv } from '../auth.ts'
import type { ApiDeps } from '../deps.ts'
import { readEvidence, sendEvidence } from '../evidence.ts'
import { planDrill } from '../requests/drill.ts'
import { startOnce } from '../requests/start.ts'
import { drillRoutes as routes } from '../routes/index.ts'
import { agendaView, drillDetailView, drillView } from '../views/drills.ts'
import { accepted } from '../views/runs.ts'
import { requestOf, router } from './common.ts'

export function drillRouter(deps: ApiDeps): OpenAPIHono<ApiEnv> {
  const { catalog, now, evidenceDir } = deps
  return router()
    .openapi(routes.start, async (c) => {
      const wish = c.req.valid('json')
      const plan = planDrill(catalog, wish, c.var.identity.user, now())
      const run = await startOnce(deps, plan, requestOf(c.req, c.req.valid('header'), wish))
      c.header('location', accepted(run).links.run)
      return c.json(accepted(run), 202)
    })
    .openapi(routes.list, (c) => {
      const { limit, cursor, ...filter } = c.req.valid('query')
      const page = catalog.drills.list({ limit, cursor }, filter)
      return c.json({ ...page, items: page.items.map(drillView) }, 200)
    })
    .openapi(routes.agenda, (c) => {
      const { limit, cursor, ...filter } = c.req.valid('query')
      return c.json(agendaView(deps, { limit, cursor }, filter), 200)
    })
    .openapi(routes.get, (c) => c.json(drillDetailView(catalog.drills.get(c.req.valid('param').id)), 200))
    .openapi(routes.screenshot, async (c) => {
      const drill = catalog.drills.get(c.req.valid('param').id)
      if (drill.screenshot === null) throw new HoldfastError('NotFound', `the drill ${drill.id} took no picture`)
      return sendEvidence(await readEvidence(evidenceDir, drill.screenshot))
    })
}
