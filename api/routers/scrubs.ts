import type { OpenAPIHono } from '@hono/zod-openapi'
import type { Catalog } from '../../catalog/index.ts'
import { requireSite, type ApiEnv } from '../auth.ts'
import type { ApiDeps } from '../deps.ts'
import { scrubRoutes as routes } from '../routes/index.ts'
import { scrubView } from '../views/scrubs.ts'
import { router } from './common.ts'

export function scrubRouter({ catalog }: ApiDeps): OpenAPIHono<ApiEnv> {
  return router()
    .openapi(routes.set, (c) => {
      const { id } = c.req.valid('param')
      const { level, budgetBytes } = c.req.valid('json')
      catalog.scrubs.setPace(id, budgetBytes === null ? null : { level, budgetBytes })
      return c.json(scrubView(catalog.scrubs.find(id)), 200)
    })
    .openapi(routes.passes, (c) => {
      const { id, site } = catalog.repositories.get(c.req.valid('param').id)
      requireSite(c.var.identity, site)
      return sendPasses(catalog, id)
    })
    .openapi(routes.told, async (c) => {
      const { id, site } = catalog.repositories.get(c.req.valid('param').id)
      requireSite(c.var.identity, site)
      catalog.scrubs.recordPasses(id, new Uint8Array(await c.req.arrayBuffer()))
      return c.body(null, 204)
    })
}

/** A part at a time: of a large repository it is more than anybody wants to hold. */
function sendPasses(catalog: Catalog, repositoryId: string): Response {
  let prefix = -1
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      const part = catalog.scrubs.passesAfter(repositoryId, prefix)
      if (part === undefined) return controller.close()
      prefix = part.prefix
      controller.enqueue(Uint8Array.from(part.passes))
    },
  })
  return new Response(stream, { headers: { 'content-type': 'application/octet-stream' } })
}
