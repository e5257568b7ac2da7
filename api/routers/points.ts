import type { OpenAPIHono } from '@hono/zod-openapi'
import { locationText } from '../../base/index.ts'
import type { ApiEnv } from '../auth.ts'
import type { ApiDeps } from '../deps.ts'
import { pointRoutes as routes } from '../routes/index.ts'
import { pointDetailView, pointView } from '../views/points.ts'
import { router } from './common.ts'

export function pointRouter({ catalog }: ApiDeps): OpenAPIHono<ApiEnv> {
  return router()
    .openapi(routes.list, (c) => {
      const { limit, cursor, ...filter } = c.req.valid('query')
      const page = catalog.points.list({ limit, cursor }, filter)
      return c.json({ ...page, items: page.items.map(pointView) }, 200)
    })
    .openapi(routes.get, (c) => {
      const point = catalog.points.get(c.req.valid('param').id)
      return c.json(pointDetailView(point, locationText(catalog.repositories.get(point.repositoryId).location)), 200)
    })
}
