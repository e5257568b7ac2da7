import { fileURLToPath } from 'node:url'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { HoldfastError } from '../base/index.ts'
import { homeOf, makeHome, usesOwnTemporal } from './config.ts'
import type { Environment, Home } from './config.ts'
import { engineRole } from './engine.ts'
import { ensureInstallation } from './installation.ts'
import { processLog } from './log.ts'
import { takePlace, whoIs } from './place.ts'
import { adminTokenPath } from './secrets.ts'
import { aborted, forceMs, graceMs, onStopSignal } from './shutdown.ts'
import { Supervisor } from './supervisor.ts'
import { findTemporalCli } from './temporal-cli.ts'
import { startEmbeddedTemporal } from './temporal-server.ts'

const entry = fileURLToPath(new URL('./main.ts', import.meta.url))
const readyWithinMs = 90_000
/** A Temporal of one's own may be away: what is started is useful meanwhile. */
const ownWithinMs = 10_000

export interface UpReady {
  readonly url: string
  /** Where the administrator's token is; the token itself is not printed. */
  readonly tokenPath: string
  readonly home: string
  readonly temporal: string
  readonly temporalUi: string | null
  readonly site: string
}

export interface RunUpOptions {
  readonly site?: string
  /** Port of Temporal's own pages; null: headless. */
  readonly uiPort?: number | null
  readonly onProgress?: (what: string) => void
  readonly onReady?: (ready: UpReady) => void
  /** Ends it like a signal would. */
  readonly signal?: AbortSignal
}

/**
 * The evaluation profile: Temporal, server and one worker as supervised children, everything under HOLDFAST_HOME.
 * Resolves when it was told to stop and nothing is left running.
 */
export async function runUp(options: RunUpOptions = {}): Promise<void> {
  const { site = 'local', uiPort = null, onProgress = () => undefined } = options
  const { env } = process
  const home = homeOf(env)
  makeHome(home)
  const log = processLog(home, 'up')
  using stopSignal = onStopSignal(log)
  const stop = options.signal ? AbortSignal.any([stopSignal, options.signal]) : stopSignal
  using _place = await takePlace(home, 'up')
  ensureInstallation(home, env)
  // Children inherit the environment; what is decided here is what they see.
  process.env['HOLDFAST_HOME'] = home.root

  await using supervisor = new Supervisor(log)
  const temporal = await temporalOf(home, env, supervisor, { log, uiPort, onProgress })
  process.env['TEMPORAL_ADDRESS'] = temporal.address
  if (temporal.uiUrl !== null) process.env['HOLDFAST_ENGINE_UI'] = temporal.uiUrl
  stop.throwIfAborted()

  onProgress('starting the server and the worker')
  const worker = `worker-${site}`
  await Promise.all([
    supervisor.start(role(home, 'server', ['server'])),
    supervisor.start(role(home, worker, ['worker', '--site', site])),
  ])
  const areAtWork = await workWithin(home, ['server', worker], temporal.isOurs ? readyWithinMs : ownWithinMs, stop)
  if (!areAtWork && temporal.isOurs)
    throw new HoldfastError('TemporalUnavailable', 'the server and the worker have not found Temporal', {
      hint: `Look at the ends of ${join(home.logs, 'server.log')} and ${join(home.logs, `${worker}.log`)}.`,
    })
  // They answer, serve and alert without it, and go to work when it comes.
  if (!areAtWork) onProgress(`Temporal at ${temporal.address} does not answer: nothing is backed up until it does`)
  const url = (await whoIs(home, 'server'))?.address
  if (!url) throw new HoldfastError('Internal', 'the server is ready but does not say where')
  options.onReady?.({
    url,
    tokenPath: adminTokenPath(home),
    home: home.root,
    temporal: temporal.address,
    temporalUi: temporal.uiUrl,
    site,
  })
  await aborted(stop)
  onProgress('stopping')
}

async function temporalOf(
  home: Home,
  env: Environment,
  supervisor: Supervisor,
  how: {
    readonly log: ReturnType<typeof processLog>
    readonly uiPort: number | null
    readonly onProgress: (what: string) => void
  },
): Promise<{ readonly address: string; readonly uiUrl: string | null; readonly isOurs: boolean }> {
  const own = env['TEMPORAL_ADDRESS']
  if (usesOwnTemporal(env) && own) return { address: own, uiUrl: null, isOurs: false }
  const cli = await findTemporalCli({ env, cacheDir: home.cache, onProgress: how.onProgress })
  for (const { way, reason } of cli.attempts) how.log.info({ way, reason }, 'the Temporal CLI is not there')
  how.onProgress(`starting Temporal (${cli.version})`)
  const started = await startEmbeddedTemporal({ home, cli, supervisor, log: how.log, uiPort: how.uiPort })
  return { ...started, isOurs: true }
}

/**
 * How Node is started. On a machine with much memory V8 lets young objects take half a gigabyte before it looks which of
 * them are needed: the server then takes twice the memory that it uses. What a mover handles lies outside of the heap,
 * and it has its buffers besides.
 */
export function nodeFlags(role: 'server' | 'worker'): readonly string[] {
  return ['--disable-warning=ExperimentalWarning', `--max-semi-space-size=${role === 'server' ? 16 : 8}`]
}

function role(home: Home, name: string, args: readonly string[]): Parameters<Supervisor['start']>[0] {
  return {
    name,
    program: process.execPath,
    args: [...nodeFlags(name === 'server' ? 'server' : 'worker'), entry, ...args],
    logFile: join(home.logs, `${name}.out.log`),
    ready: (signal, pid) => announced(home, name, pid, signal),
    stopWithinMs: graceMs + forceMs,
  }
}

/** Whether all of them work for the engine in time: they are ready before they have found it. */
async function workWithin(home: Home, roles: readonly string[], ms: number, signal: AbortSignal): Promise<boolean> {
  const deadline = Date.now() + ms
  for (;;) {
    const found = await Promise.all(roles.map((name) => whoIs(home, engineRole(name))))
    if (!found.includes(null)) return true
    signal.throwIfAborted()
    if (Date.now() > deadline) return false
    await sleep(50)
  }
}

/** Ready is what the child itself announces, under its own pid. */
async function announced(home: Home, notice: string, pid: number, signal: AbortSignal): Promise<void> {
  const deadline = Date.now() + readyWithinMs
  while ((await whoIs(home, notice))?.pid !== pid) {
    signal.throwIfAborted()
    if (Date.now() > deadline)
      throw new HoldfastError('Internal', `${notice} was not ready within ${readyWithinMs / 1000} s`)
    await sleep(50)
  }
}
