import type { OpenAPIHono } from '@hono/zod-openapi'
import type { ApiEnv } from '../auth.ts'
import { BandwidthShares } from '../bandwidth.ts'
import type { ApiDeps } from '../deps.ts'
import { slotRoutes as routes } from '../routes/index.ts'
import { slotsView } from '../views/slots.ts'
import { router } from './common.ts'

export function slotRouter({ catalog, now }: ApiDeps): OpenAPIHono<ApiEnv> {
  const shares = new BandwidthShares(catalog, now)
  return router()
    .openapi(routes.list, (c) => c.json({ items: slotsView(catalog) }, 200))
    .openapi(routes.limit, (c) => {
      const { kind, id } = c.req.valid('param')
      catalog.slots.setLimit(`${kind}/${id}`, c.req.valid('json').slots)
      return c.json({ items: slotsView(catalog) }, 200)
    })
    .openapi(routes.bandwidth, (c) => {
      const { worker, moving } = c.req.valid('json')
      return c.json({ shares: shares.report(worker, moving) }, 200)
    })
}
