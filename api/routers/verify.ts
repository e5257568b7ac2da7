import type { OpenAPIHono } from '@hono/zod-openapi'
import type { ApiEnv } from '../auth.ts'
import type { ApiDeps } from '../deps.ts'
import { startOnce } from '../requests/start.ts'
import { planVerify } from '../requests/verify.ts'
import { verifyRoutes as routes } from '../routes/index.ts'
import { verifyFindingView, verifyRunView } from '../views/verify.ts'
import { answerAccepted, requestOf, router } from './common.ts'

export function verifyRouter(deps: ApiDeps): OpenAPIHono<ApiEnv> {
  const { catalog } = deps
  return router()
    .openapi(routes.start, async (c) => {
      const wish = c.req.valid('json')
      const plan = planVerify(catalog, c.req.valid('param').id, wish, c.var.identity.user)
      return answerAccepted(c, await startOnce(deps, plan, requestOf(c.req, c.req.valid('header'), wish)))
    })
    .openapi(routes.list, (c) => {
      const { limit, cursor, repositoryId } = c.req.valid('query')
      const page = catalog.verifyRuns.list({ limit, cursor }, { repositoryId })
      return c.json({ ...page, items: page.items.map(verifyRunView) }, 200)
    })
    .openapi(routes.get, (c) => c.json(verifyRunView(catalog.verifyRuns.get(c.req.valid('param').run)), 200))
    .openapi(routes.findings, (c) => {
      const { runId } = catalog.verifyRuns.get(c.req.valid('param').run)
      const page = catalog.verifyRuns.findings(runId, c.req.valid('query'))
      return c.json({ ...page, items: page.items.map(verifyFindingView) }, 200)
    })
}
