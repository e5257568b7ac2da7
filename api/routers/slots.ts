import type { OpenAPIHono } from '@hono/zod-openapi'
import { linkProblems } from '../../policy/index.ts'
import type { ApiEnv } from '../auth.ts'
import type { BandwidthShares } from '../bandwidth.ts'
import type { ApiDeps } from '../deps.ts'
import { slotRoutes as routes } from '../routes/index.ts'
import { linksView } from '../views/links.ts'
import { slotsView } from '../views/slots.ts'
import { refuseProblems, router } from './common.ts'

export function slotRouter({ catalog, now }: ApiDeps, shares: BandwidthShares): OpenAPIHono<ApiEnv> {
  return router()
    .openapi(routes.list, (c) => c.json({ items: slotsView(catalog) }, 200))
    .openapi(routes.limit, (c) => {
      const { kind, id } = c.req.valid('param')
      catalog.slots.setLimit(`${kind}/${id}`, c.req.valid('json').slots)
      return c.json({ items: slotsView(catalog) }, 200)
    })
    .openapi(routes.bandwidth, (c) => {
      const { worker, moving } = c.req.valid('json')
      return c.json({ shares: shares.report(worker, moving, c.var.identity.site) }, 200)
    })
    .openapi(routes.listLinks, (c) => c.json({ items: linksView(catalog, shares, now()) }, 200))
    .openapi(routes.putLink, (c) => {
      const limits = c.req.valid('json')
      refuseProblems(linkProblems(limits))
      catalog.links.put(limits)
      return c.json({ items: linksView(catalog, shares, now()) }, 200)
    })
}
