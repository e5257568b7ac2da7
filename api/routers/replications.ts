import type { OpenAPIHono } from '@hono/zod-openapi'
import type { ApiEnv } from '../auth.ts'
import type { ApiDeps } from '../deps.ts'
import { addReplication, planCycle, planMove, planStandbyTest } from '../requests/replication.ts'
import { startOnce } from '../requests/start.ts'
import { replicationRoutes as routes } from '../routes/index.ts'
import { replicationView } from '../views/replications.ts'
import { answerAccepted, requestOf, router } from './common.ts'

export function replicationRouter(deps: ApiDeps): OpenAPIHono<ApiEnv> {
  const { catalog, now } = deps
  const { replications } = catalog
  return router()
    .openapi(routes.list, (c) => c.json({ items: replications.list().map((row) => replicationView(row, now())) }, 200))
    .openapi(routes.get, (c) => c.json(replicationView(replications.find(c.req.valid('param').id), now()), 200))
    .openapi(routes.create, (c) => c.json(replicationView(addReplication(catalog, c.req.valid('json')), now()), 201))
    .openapi(routes.change, (c) => {
      const { id } = replications.find(c.req.valid('param').id)
      replications.set(id, c.req.valid('json'))
      return c.json(replicationView(replications.find(id), now()), 200)
    })
    .openapi(routes.cycle, async (c) => {
      const wish = c.req.valid('json')
      const plan = planCycle(catalog, replications.find(c.req.valid('param').id), wish, c.var.identity.user)
      return answerAccepted(c, await startOnce(deps, plan, requestOf(c.req, c.req.valid('header'), wish)))
    })
    .openapi(routes.move, async (c) => {
      const wish = c.req.valid('json')
      const plan = planMove(catalog, replications.find(c.req.valid('param').id), wish, c.var.identity.user)
      return answerAccepted(c, await startOnce(deps, plan, requestOf(c.req, c.req.valid('header'), wish)))
    })
    .openapi(routes.test, async (c) => {
      const wish = c.req.valid('json')
      const plan = planStandbyTest(catalog, replications.find(c.req.valid('param').id), wish, c.var.identity.user)
      return answerAccepted(c, await startOnce(deps, plan, requestOf(c.req, c.req.valid('header'), wish)))
    })
}
