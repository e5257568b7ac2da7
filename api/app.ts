import { Hono, type MiddlewareHandler } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { HTTPException } from 'hono/http-exception'
import { secureHeaders } from 'hono/secure-headers'
import { HoldfastError, isHoldfastError } from '../base/index.ts'
import { authenticate, type ApiEnv } from './auth.ts'
import { BandwidthShares } from './bandwidth.ts'
import type { ApiDeps } from './deps.ts'
import { basePath, openApiText } from './document.ts'
import { metricsRoute } from './metrics/index.ts'
import { sendProblem } from './problem.ts'
import { auditRouter } from './routers/audit.ts'
import { alertRouter } from './routers/alerts.ts'
import { capacityRouter } from './routers/capacity.ts'
import { drillRouter } from './routers/drills.ts'
import { eventRouter } from './routers/events.ts'
import { exportRouter } from './routers/exports.ts'
import { fileRouter } from './routers/files.ts'
import { hypervisorRouter } from './routers/hypervisors.ts'
import { instantRouter } from './routers/instants.ts'
import { mirrorRouter } from './routers/mirrors.ts'
import { ownRouter } from './routers/own.ts'
import { pointRouter } from './routers/points.ts'
import { policyRouter } from './routers/policy.ts'
import { recoveryPlanRouter } from './routers/recovery-plans.ts'
import { replicationRouter } from './routers/replications.ts'
import { reportRouter } from './routers/reports.ts'
import { repositoryRouter } from './routers/repositories.ts'
import { retentionRouter } from './routers/retention.ts'
import { restoreRouter } from './routers/restores.ts'
import { runRouter } from './routers/runs.ts'
import { siteRouter } from './routers/sites.ts'
import { slotRouter } from './routers/slots.ts'
import { scrubRouter } from './routers/scrubs.ts'
import { openRouter, systemRouter } from './routers/system.ts'
import { verifyRouter } from './routers/verify.ts'
import { vmRouter } from './routers/vms.ts'
import { serveDashboard } from './static.ts'
import type { StreamPace } from './stream.ts'
import { throttleLogins } from './throttle.ts'

const largestBody = 1024 * 1024
const largestLogin = 4096

/** The whole HTTP side of the server: the API, its document, and the built dashboard. */
export function createApp(deps: ApiDeps, options: { readonly streamPace?: StreamPace } = {}): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>()
  app.use(
    secureHeaders({
      referrerPolicy: 'no-referrer',
      xFrameOptions: 'DENY',
      strictTransportSecurity: false,
      crossOriginEmbedderPolicy: false,
    }),
  )
  app.onError((error, context) => {
    if (error instanceof HTTPException) {
      return sendProblem(
        context,
        new HoldfastError('InvalidRequest', error.message || 'the request is not understood', { cause: error }),
        error.status,
      )
    }
    if (!isHoldfastError(error) || error.code === 'Internal')
      deps.log.error({ error, path: context.req.path }, 'a request failed')
    return sendProblem(context, error)
  })
  // Nobody has to prove anything for this door, so nothing large comes in, and nothing often.
  app.use(`${basePath}/session`, limitTo(largestLogin), throttleLogins(deps))
  app.route(basePath, openRouter(deps))
  app.get('/metrics', metricsRoute(deps))
  app.get('/api/openapi.json', (context) => context.body(openApiText(), 200, { 'content-type': 'application/json' }))

  const api = new Hono<ApiEnv>()
  api.use(authenticate(deps))
  api.use(async (context, next) => {
    await next()
    if (!context.res.headers.has('cache-control')) context.res.headers.set('cache-control', 'no-store')
  })
  const limit = limitTo(largestBody)
  api.use((context, next) => (context.req.path.startsWith(`${basePath}/evidence/`) ? next() : limit(context, next)))
  // What movers report is of the moment, and is asked for in two places.
  const shares = new BandwidthShares(deps.catalog, deps.now)
  for (const part of [
    systemRouter,
    hypervisorRouter,
    vmRouter,
    repositoryRouter,
    policyRouter,
    pointRouter,
    restoreRouter,
    instantRouter,
    fileRouter,
    drillRouter,
    runRouter,
    ownRouter,
    siteRouter,
    auditRouter,
    slotRouter,
    retentionRouter,
    verifyRouter,
    scrubRouter,
    alertRouter,
    mirrorRouter,
    recoveryPlanRouter,
    replicationRouter,
    capacityRouter,
    exportRouter,
    reportRouter,
  ]) {
    api.route('/', part(deps, shares))
  }
  api.route('/', eventRouter(deps, options.streamPace))
  app.route(basePath, api)
  app.all('/api/*', (context) =>
    sendProblem(context, new HoldfastError('NotFound', `there is no ${context.req.method} ${context.req.path}`)),
  )
  if (deps.webDir !== null) app.get('*', serveDashboard(deps.webDir))
  app.notFound((context) =>
    sendProblem(context, new HoldfastError('NotFound', `there is nothing at ${context.req.path}`)),
  )
  return app
}

function limitTo(maxSize: number): MiddlewareHandler {
  return bodyLimit({
    maxSize,
    onError: (context) =>
      sendProblem(context, new HoldfastError('InvalidRequest', `a request here has at most ${maxSize} bytes`), 413),
  })
}
