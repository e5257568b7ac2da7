import { setTimeout as sleep } from 'node:timers/promises'
import type { OpenAPIHono } from '@hono/zod-openapi'
import { bodyLimit } from 'hono/body-limit'
import { HoldfastError } from '../../base/index.ts'
import { login, logout, type ApiEnv, type Identity } from '../auth.ts'
import type { ApiDeps } from '../deps.ts'
import { examine } from '../doctor/index.ts'
import { keepEvidence, largestEvidence, readEvidence, sendEvidence } from '../evidence.ts'
import { queuesOf, workersOn } from '../facts.ts'
import { readOverview } from '../overview.ts'
import { sendProblem } from '../problem.ts'
import { systemRoutes as routes } from '../routes/index.ts'
import { router } from './common.ts'

/** Whoever asks for health waits for few seconds; the engine is given less. */
const healthWithinMs = 2_000

async function answersInTime({ orchestrator }: ApiDeps): Promise<boolean> {
  const stop = new AbortController()
  const late = sleep(healthWithinMs, false, { signal: stop.signal }).catch(() => false)
  const asked = orchestrator.info().then(
    () => true,
    () => false,
  )
  try {
    return await Promise.race([asked, late])
  } finally {
    stop.abort()
  }
}

/** Health and login: the two doors that stand open. */
export function openRouter(deps: ApiDeps): OpenAPIHono<ApiEnv> {
  return router()
    .openapi(routes.health, async (c) => {
      const up = await answersInTime(deps)
      c.header('cache-control', 'no-store')
      return c.json(
        {
          status: up ? ('ok' as const) : ('degraded' as const),
          version: deps.version,
          engine: up ? ('up' as const) : ('down' as const),
          nowMs: deps.now(),
        },
        200,
      )
    })
    .openapi(routes.login, (c) => c.json(sessionView(deps, login(deps, c, c.req.valid('json').token)), 200))
}

function sessionView(
  deps: ApiDeps,
  identity: Identity,
): Identity & { installation: { id: string; name: string }; version: string; engineUi: string | null } {
  const { uuid, name } = deps.catalog.installation.get()
  return { ...identity, installation: { id: uuid, name }, version: deps.version, engineUi: deps.engineUi }
}

export function systemRouter(deps: ApiDeps): OpenAPIHono<ApiEnv> {
  const app = router()
  app.use(
    '/evidence/*',
    bodyLimit({
      maxSize: largestEvidence,
      onError: (c) =>
        sendProblem(c, new HoldfastError('InvalidRequest', `evidence has at most ${largestEvidence} bytes`), 413),
    }),
  )
  return app
    .openapi(routes.whoAmI, (c) => c.json(sessionView(deps, c.var.identity), 200))
    .openapi(routes.logout, (c) => {
      logout(deps, c)
      return c.body(null, 204)
    })
    .openapi(routes.overview, async (c) => c.json(await readOverview(deps), 200))
    .openapi(routes.doctor, async (c) => c.json(await examine(deps), 200))
    .openapi(routes.workers, async (c) => {
      const queues = await Promise.all(
        queuesOf(deps).map(async ({ queue, site }) => {
          const { workers, lastSeenMs } = await workersOn(deps, queue)
          const state = workers.length > 0 ? ('ok' as const) : ('silent' as const)
          return { queue, site, state, lastSeenMs, workers }
        }),
      )
      return c.json({ queues }, 200)
    })
    .openapi(routes.putEvidence, async (c) => {
      const bytes = new Uint8Array(await c.req.arrayBuffer())
      const isNew = await keepEvidence(deps.evidenceDir, c.req.valid('param').sha256, bytes)
      return isNew ? c.body(null, 201) : c.body(null, 200)
    })
    .openapi(routes.getEvidence, async (c) =>
      sendEvidence(await readEvidence(deps.evidenceDir, c.req.valid('param').sha256)),
    )
}
