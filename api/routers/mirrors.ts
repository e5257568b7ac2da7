import type { OpenAPIHono } from '@hono/zod-openapi'
import type { ApiEnv } from '../auth.ts'
import type { ApiDeps } from '../deps.ts'
import { startMirror } from '../requests/mirror.ts'
import { mirrorRoutes as routes } from '../routes/index.ts'
import { mirrorView } from '../views/mirrors.ts'
import { accepted } from '../views/runs.ts'
import { requestOf, router } from './common.ts'

export function mirrorRouter(deps: ApiDeps): OpenAPIHono<ApiEnv> {
  const { catalog, now } = deps
  return router()
    .openapi(routes.list, (c) => c.json({ items: catalog.mirrors.states().map((one) => mirrorView(one, now())) }, 200))
    .openapi(routes.start, async (c) => {
      const wish = c.req.valid('json')
      const context = requestOf(c.req, c.req.valid('header'), wish)
      const run = accepted(await startMirror(deps, wish, c.var.identity.user, context))
      c.header('location', run.links.run)
      return c.json(run, 202)
    })
}
