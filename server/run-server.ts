import { existsSync } from 'node:fs'
import type { Server } from 'node:http'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { serve } from '@hono/node-server'
import { createControlActivities } from '../activities/index.ts'
import {
  alertKeeper,
  createApp,
  ensureAdminToken,
  hashOf,
  housekeeping,
  liveRuns,
  newSecret,
  passingOn,
  scheduleKeeper,
  sequenceKeeper,
  slotKeeper,
  temporalOrchestrator,
} from '../api/index.ts'
import { HoldfastError, describeError } from '../base/index.ts'
import { openCatalog } from '../catalog/index.ts'
import type { Catalog, Role } from '../catalog/index.ts'
import { SessionClient } from '../files/index.ts'
import { openRepository } from '../repository/index.ts'
import { toRunbook } from '../runbook/index.ts'
import { homeOf, makeHome, serverConfig, temporalTarget, usesOwnTemporal } from './config.ts'
import type { Environment, ServerConfig } from './config.ts'
import { workForEngine } from './control.ts'
import { evidenceFolder } from './evidence.ts'
import { evidenceKeeper } from './evidence-key.ts'
import { agreeWithCatalog, ensureInstallation } from './installation.ts'
import { processLog } from './log.ts'
import { announce, takePlace } from './place.ts'
import { adminTokenPath, ensureToken, monitorTokenPath, resolveSecret, workerTokenPath } from './secrets.ts'
import { senderOf } from './sender.ts'
import { onStopSignal, together } from './shutdown.ts'
import { installRuntime, openClient } from './temporal.ts'
import { traceKeeper, tracingConfig } from './tracing/index.ts'
import { version } from './version.ts'
import { steadyClock, Watchdog } from './watchdog/index.ts'

export interface RunServerOptions {
  readonly env?: Environment
  /** Temporal's own pages, where they are switched on. */
  readonly engineUi?: string | null
}

/**
 * The control plane: API and dashboard, the catalog with its one writer, workflows and the steps that write into the
 * catalog. Touches no hypervisor; of repositories its watchdog reads which points there are. Everything but the
 * workflows is there before Temporal is, and while it is away.
 */
export async function runServer({ env = process.env, engineUi = null }: RunServerOptions = {}): Promise<void> {
  const home = homeOf(env)
  makeHome(home)
  const log = processLog(home, 'server')
  using stop = onStopSignal(log)
  using _place = await takePlace(home, 'server')
  await using _runtime = installRuntime(log, env)
  const config = serverConfig(env)
  const tracing = tracingConfig(env)
  const target = temporalTarget(env, null)

  let clock = steadyClock(null)
  using catalog = openCatalog({ path: home.catalog, steadyNow: () => clock.now() })
  clock = steadyClock(catalog.watches.clock() ?? null)
  agreeWithCatalog(ensureInstallation(home, env), catalog)
  ensureAdminToken(catalog, adminTokenPath(home))
  await admit(catalog, { id: 'workers', role: 'worker' }, workerTokenPath(home))
  await admit(catalog, { id: 'metrics', role: 'monitor' }, monitorTokenPath(home))

  await using engineClient = await openClient(target)
  const { client, connection } = engineClient
  try {
    const shared = { catalog, orchestrator: temporalOrchestrator(client), toRunbook, now: Date.now, log }
    const live = liveRuns(shared)
    const seal = evidenceKeeper(home, catalog, version)
    const schedules = scheduleKeeper({ ...shared, client })
    const deps = {
      ...shared,
      sender: senderOf(resolveSecret),
      secret: resolveSecret,
      files: new SessionClient(home.files),
      live,
      schedules: () => schedules.state(),
      version,
      rotateEvidenceKey: seal.rotate,
      evidenceDir: home.evidence,
      copiesDir: home.catalogCopies,
      home: home.root,
      webDir: dashboardDir(),
      origins: config.origins,
      byItself: { sweeps: config.sweeps, drills: config.drills, discoverEveryMs: config.discoverEveryMs },
      engineUi: env['HOLDFAST_ENGINE_UI'] || engineUi,
    }
    const traces = traceKeeper(tracing, deps)
    const app = createApp(deps)
    // Before all else: what cannot listen has nothing to shut down, and says so itself.
    const { server, url } = await listen(config, (request) => app.fetch(request))
    try {
      await using watchdog = new Watchdog({
        catalog,
        clock,
        openRepository,
        secret: resolveSecret,
        cacheDir: join(home.cache, 'watch'),
        now: Date.now,
        log,
        everyMs: config.lookEveryMs,
      })
      const engine = {
        home,
        target,
        prepares: usesOwnTemporal(env),
        connection,
        activities: createControlActivities(catalog, home.catalogCopies, evidenceFolder(home.evidence), seal),
        log,
      }
      using _notice = await announce(home, 'server', url)
      log.info({ url, temporal: target.address }, 'the server is ready')
      await together(stop, [
        (ended) => workForEngine(engine, ended),
        (ended) => watchdog.run(ended),
        (ended) => alertKeeper(deps).run(ended),
        (ended) => traces.run(ended),
        (ended) => live.run(ended),
        (ended) => housekeeping({ ...shared, live }, deps.byItself).run(ended),
        (ended) => slotKeeper(shared).run(ended),
        (ended) => sequenceKeeper({ ...shared, live }).run(ended),
        (ended) => schedules.run(ended),
      ])
    } finally {
      await closeServer(server)
    }
  } finally {
    log.info({}, 'the server has ended')
    log.flush()
  }
}

/** Workers of this home hand in evidence with a token of their own, and what reads figures has one as well. */
async function admit(catalog: Catalog, who: { readonly id: string; readonly role: Role }, path: string): Promise<void> {
  ensureToken(path, newSecret)
  const token = await resolveSecret(`file:${path}`)
  catalog.access.putToken({ ...who, name: who.id, hash: hashOf(token) })
}

/** The built dashboard, beside the sources or in the package; null: only the API is served. */
function dashboardDir(): string | null {
  const dir = fileURLToPath(new URL('../web/build', import.meta.url))
  return existsSync(join(dir, 'index.html')) ? dir : null
}

async function listen(
  config: ServerConfig,
  fetch: (request: Request) => Response | Promise<Response>,
): Promise<{ readonly server: Server; readonly url: string }> {
  return new Promise((resolve, reject) => {
    const server = serve({ fetch: passingOn(fetch), hostname: config.host, port: config.port }, (info) => {
      const host = config.host.includes(':')
        ? `[${config.host}]`
        : config.host === '0.0.0.0'
          ? '127.0.0.1'
          : config.host
      resolve({ server: server as Server, url: `http://${host}:${info.port}` })
    })
    server.once('error', (error) => {
      const hint = 'Free the port, or set HOLDFAST_PORT to another one.'
      reject(
        new HoldfastError('ConfigInvalid', `cannot listen on ${config.host}:${config.port}: ${describeError(error)}`, {
          hint,
          cause: error,
        }),
      )
    })
  })
}

/** Event streams never end by themselves; they are cut. */
async function closeServer(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeIdleConnections()
  const cut = setTimeout(() => server.closeAllConnections(), 1000)
  await closed
  clearTimeout(cut)
}
