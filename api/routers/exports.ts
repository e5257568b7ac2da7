import type { OpenAPIHono } from '@hono/zod-openapi'
import type { ApiEnv } from '../auth.ts'
import type { ApiDeps } from '../deps.ts'
import { exportKinds, exportRows, rowStream } from '../exports/index.ts'
import { exportRoutes as routes } from '../routes/index.ts'
import { router } from './common.ts'

export function exportRouter({ catalog, now }: ApiDeps): OpenAPIHono<ApiEnv> {
  return router().openapi(routes.get, (c) => {
    const { kind } = c.req.valid('param')
    const { format, ...wish } = c.req.valid('query')
    const day = new Date(now()).toISOString().slice(0, 10)
    return new Response(rowStream(exportKinds[kind], exportRows(catalog, kind, wish), format), {
      headers: {
        'content-type': format === 'csv' ? 'text/csv; charset=utf-8' : 'application/json',
        'content-disposition': `attachment; filename="holdfast-${kind}-${day}.${format}"`,
      },
    })
  })
}
