import type { OpenAPIHono } from '@hono/zod-openapi'
import type { ApiEnv } from '../auth.ts'
import type { ApiDeps } from '../deps.ts'
import { auditRoutes as routes } from '../routes/index.ts'
import { auditView } from '../views/audit.ts'
import { router } from './common.ts'

export function auditRouter({ catalog }: ApiDeps): OpenAPIHono<ApiEnv> {
  return router().openapi(routes.list, (c) => {
    const { limit, cursor, ...filter } = c.req.valid('query')
    const page = catalog.audit.list({ limit, cursor }, filter)
    return c.json({ ...page, items: page.items.map(auditView) }, 200)
  })
}
