import { join } from 'node:path'
import { Worker } from '@temporalio/worker'
import { Bandwidth, Site, Slots, createSiteActivities } from '../activities/index.ts'
import { driverModules } from '../drivers/index.ts'
import { openRepository, pingLocation, testLocation } from '../repository/index.ts'
import { siteQueue } from '../workflows/shared/queues.ts'
import { homeOf, makeHome, temporalTarget, workerConfig } from './config.ts'
import type { Environment } from './config.ts'
import { bandwidthAsker } from './bandwidth.ts'
import { catalogCopies } from './catalog-copies.ts'
import { serverDoor, serverReach } from './door.ts'
import { connectPatiently, engineRole } from './engine.ts'
import { evidenceUploader } from './evidence.ts'
import { ensureInstallation, knownInstallation } from './installation.ts'
import { homeProxy, reachServerThrough } from './home-proxy.ts'
import { introduce } from './introduce.ts'
import { processLog } from './log.ts'
import { announce } from './place.ts'
import { secretSource } from './secret-source.ts'
import { SiteWay } from './site-way.ts'
import { aborted, forceMs, graceMs, onStopSignal, runUntilStopped } from './shutdown.ts'
import { installRuntime } from './temporal.ts'
import { verifyLedgers } from './verify-ledger.ts'

export interface RunWorkerOptions {
  readonly site: string
  readonly env?: Environment
}

/**
 * The data mover of a site: holds connections to its hypervisors and repositories, has no catalog. Ends gracefully at
 * the first signal: what it copies is journalled, and the next worker goes on there.
 */
export async function runWorker({ site: name, env = process.env }: RunWorkerOptions): Promise<void> {
  const home = homeOf(env)
  makeHome(home)
  const config = workerConfig(env, name)
  const log = processLog(home, `worker-${name}`)
  using stop = onStopSignal(log)
  await using _runtime = installRuntime(log, env)
  const proxy = homeProxy(env)
  reachServerThrough(proxy)
  const target = { ...temporalTarget(env, null), proxy }
  const door = serverDoor(home, env)
  const known = knownInstallation(home, env)
  const installation = door.isOfSite
    ? await introduce(door, { home, site: name, known, log, signal: stop }).catch((error: unknown) =>
        endedOr(error, stop),
      )
    : ensureInstallation(home, env)
  if (installation === null) return
  using way = new SiteWay({ home, door, site: name, log })
  await way.start()
  using bandwidth = new Bandwidth({ ask: bandwidthAsker(door), log })
  await using site = new Site({
    drivers: Object.values(driverModules),
    openRepository,
    wayTo: way.wayTo,
    pingLocation,
    probeLocation: testLocation,
    secret: secretSource(door),
    worker: config.identity,
    reachServer: serverReach(door),
    installation: installation.uuid,
    installationName: installation.name,
    evidence: evidenceUploader(door),
    catalogCopy: catalogCopies(door),
    verifyLedger: verifyLedgers(door),
    cacheDir: join(home.cache, 'mover'),
    servedDir: home.served,
    pointsDir: home.points,
    filesDir: home.files,
    slots: new Slots(config.movers),
    bandwidth,
    ...(config.threads !== null && { threads: config.threads }),
    log,
  })
  // Before anything else, and whether or not the engine answers: guests stand still until they are served again.
  await site.serving.start()
  site.standing.start()
  const role = `worker-${name}`
  using _serves = await announce(home, role, null)
  try {
    const connection = await connectPatiently({ target, log, signal: stop })
    try {
      const worker = await Worker.create({
        connection,
        namespace: target.namespace,
        taskQueue: siteQueue(name),
        identity: config.identity,
        activities: createSiteActivities(site),
        // A cancel travels with a heartbeat, so this bounds how late it comes.
        maxHeartbeatThrottleInterval: '2 seconds',
        defaultHeartbeatThrottleInterval: '2 seconds',
        // Many, so that short steps and cleanups never queue behind copies: those wait for a mover slot instead.
        maxConcurrentActivityTaskExecutions: 200,
        maxConcurrentActivityTaskPolls: 4,
        shutdownGraceTime: graceMs,
        shutdownForceTime: forceMs,
      })
      // What ends the work otherwise (a namespace that was taken away) ends the process: no step goes on unseen.
      await runUntilStopped(worker, stop, async (ended) => {
        using _works = await announce(home, engineRole(role), null)
        log.info({ site: name, identity: config.identity, temporal: target.address }, 'the worker is ready')
        await aborted(ended)
      })
    } finally {
      await connection.close()
    }
  } catch (error) {
    // Told to end while it waited for Temporal.
    if (!stop.aborted || error !== stop.reason) throw error
  } finally {
    log.info({ site: name }, 'the worker has ended')
    log.flush()
  }
}

/** null: told to end while it waited. */
function endedOr(error: unknown, stop: AbortSignal): null {
  if (stop.aborted) return null
  throw error
}
