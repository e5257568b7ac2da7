import type { OpenAPIHono } from '@hono/zod-openapi'
import type { ApiEnv } from '../auth.ts'
import type { ApiDeps } from '../deps.ts'
import { startMirror } from '../requests/mirror.ts'
import { arrive, ship } from '../requests/shipment.ts'
import { mirrorRoutes as routes } from '../routes/index.ts'
import { mirrorView, shipmentView } from '../views/mirrors.ts'
import { accepted } from '../views/runs.ts'
import { requestOf, router } from './common.ts'

export function mirrorRouter(deps: ApiDeps): OpenAPIHono<ApiEnv> {
  const { catalog, now } = deps
  return router()
    .openapi(routes.list, (c) => {
      const shipments = catalog.shipments.list()
      return c.json({ items: catalog.mirrors.states().map((one) => mirrorView(one, shipments, now())) }, 200)
    })
    .openapi(routes.ship, (c) => {
      const { source: sourceId, target: targetId } = c.req.valid('param')
      const row = ship(deps, { sourceId, targetId }, c.req.valid('json'), c.var.identity.user)
      return c.json(shipmentView(row, now()), 200)
    })
    .openapi(routes.arrive, (c) => {
      const { source: sourceId, target: targetId } = c.req.valid('param')
      arrive(deps, { sourceId, targetId })
      return c.body(null, 204)
    })
    .openapi(routes.start, async (c) => {
      const wish = c.req.valid('json')
      const context = requestOf(c.req, c.req.valid('header'), wish)
      const run = accepted(await startMirror(deps, wish, c.var.identity.user, context))
      c.header('location', run.links.run)
      return c.json(run, 202)
    })
}
