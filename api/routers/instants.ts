import type { OpenAPIHono } from '@hono/zod-openapi'
import { HoldfastError } from '../../base/index.ts'
import type { InstantView } from '../../catalog/index.ts'
import { endInstantUpdate, type EndInstantWish } from '../../workflows/instant/contract.ts'
import type { ApiEnv } from '../auth.ts'
import type { ApiDeps } from '../deps.ts'
import { planInstant } from '../requests/instant.ts'
import { newRequestId } from '../requests/restore.ts'
import { startOnce } from '../requests/start.ts'
import { instantRoutes as routes } from '../routes/index.ts'
import { instantView } from '../views/instants.ts'
import { accepted } from '../views/runs.ts'
import { answerAccepted, requestOf, router } from './common.ts'

export function instantRouter(deps: ApiDeps): OpenAPIHono<ApiEnv> {
  const { catalog, orchestrator, live, now } = deps
  /** An engine that is away takes the figures with it, not the list. */
  const view = async (row: InstantView): Promise<ReturnType<typeof instantView>> => {
    const described =
      row.endedMs === null
        ? await orchestrator.describe(row.workflowId, row.runId).catch((error: unknown) => {
            deps.log.warn({ run: row.runId, error }, 'what an instant restore does could not be read')
          })
        : undefined
    return instantView(row, described?.pending ?? [], now())
  }
  const decide = async (run: string, wish: EndInstantWish): Promise<ReturnType<typeof accepted>> => {
    const row = catalog.instants.get(run)
    await orchestrator.update(row, endInstantUpdate, wish, newRequestId())
    live.nudge()
    return accepted(row)
  }
  return router()
    .openapi(routes.start, async (c) => {
      const wish = c.req.valid('json')
      const plan = planInstant(catalog, wish, c.var.identity.user)
      return answerAccepted(c, await startOnce(deps, plan, requestOf(c.req, c.req.valid('header'), wish)))
    })
    .openapi(routes.list, async (c) => {
      const { limit, cursor, open } = c.req.valid('query')
      const page = catalog.instants.list({ limit, cursor }, { open: open === 'only' })
      return c.json({ ...page, items: await Promise.all(page.items.map(view)) }, 200)
    })
    .openapi(routes.get, async (c) => c.json(await view(catalog.instants.get(c.req.valid('param').run)), 200))
    .openapi(routes.migrate, async (c) => {
      const { reason } = c.req.valid('json')
      const wish = { user: c.var.identity.user, reason, end: 'migrate' } as const
      return c.json(await decide(c.req.valid('param').run, wish), 202)
    })
    .openapi(routes.discard, async (c) => {
      const { confirmName, reason } = c.req.valid('json')
      const { run } = c.req.valid('param')
      const { name } = catalog.instants.get(run)
      if (confirmName !== name) {
        throw new HoldfastError('InvalidRequest', `discarding ${name} needs its name as confirmation`, {
          hint: `Give confirmName "${name}": what its guest has written is gone afterwards.`,
        })
      }
      return c.json(await decide(run, { user: c.var.identity.user, reason, end: 'discard' }), 202)
    })
}
