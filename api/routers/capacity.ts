import type { OpenAPIHono } from '@hono/zod-openapi'
import type { ApiEnv } from '../auth.ts'
import type { ApiDeps } from '../deps.ts'
import { capacityRoutes as routes } from '../routes/index.ts'
import { capacityDetailView, capacityView, whatIfView } from '../views/capacity.ts'
import { router } from './common.ts'

export function capacityRouter({ catalog, now }: ApiDeps): OpenAPIHono<ApiEnv> {
  return router()
    .openapi(routes.list, (c) => {
      const page = catalog.repositories.list(c.req.valid('query'))
      return c.json({ ...page, items: page.items.map((row) => capacityView(catalog, row)) }, 200)
    })
    .openapi(routes.get, (c) =>
      c.json(capacityDetailView(catalog, catalog.repositories.get(c.req.valid('param').id)), 200),
    )
    .openapi(routes.whatIf, (c) => {
      const repository = catalog.repositories.get(c.req.valid('param').id)
      return c.json(whatIfView(catalog, repository, c.req.valid('json'), now()), 200)
    })
}
