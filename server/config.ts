import { chmodSync, mkdirSync } from 'node:fs'
import { homedir, hostname } from 'node:os'
import { join, resolve } from 'node:path'
import type { DrillPace } from '../api/index.ts'
import { HoldfastError, parseDuration } from '../base/index.ts'
import { checkHours } from '../policy/index.ts'

/** Layout of HOLDFAST_HOME. Everything that Holdfast keeps on a machine is below it. */
export interface Home {
  readonly root: string
  /** 0700; its files 0600. */
  readonly secrets: string
  readonly catalog: string
  readonly temporal: string
  /** Disposable. */
  readonly cache: string
  readonly lab: string
  /** Sockets and pids. */
  readonly run: string
  readonly logs: string
  readonly evidence: string
  /** Copies of the catalog on their way into a repository. Disposable. */
  readonly catalogCopies: string
  /** Points that are served to VMs of this machine: a record and a socket each. */
  readonly served: string
  /** Hypervisors on which points were opened from this machine. */
  readonly points: string
  /** Sockets of those that have the files of a point open. */
  readonly files: string
}

export type Environment = { readonly [name: string]: string | undefined }

/** `HOLDFAST_HOME`, else `~/.holdfast`. Makes nothing. */
export function homeOf(env: Environment = process.env): Home {
  const root = resolve(env['HOLDFAST_HOME'] || join(homedir(), '.holdfast'))
  return {
    root,
    secrets: join(root, 'secrets'),
    catalog: join(root, 'catalog.db'),
    temporal: join(root, 'temporal'),
    cache: join(root, 'cache'),
    lab: join(root, 'lab'),
    run: join(root, 'run'),
    logs: join(root, 'logs'),
    evidence: join(root, 'evidence'),
    catalogCopies: join(root, 'catalog-copies'),
    served: join(root, 'served'),
    points: join(root, 'points'),
    files: join(root, 'files'),
  }
}

/** Makes what is missing. Secrets are for this user alone, whatever the umask. */
export function makeHome(home: Home): void {
  mkdirSync(home.root, { recursive: true, mode: 0o700 })
  for (const dir of [home.temporal, home.cache, home.run, home.logs, home.evidence]) {
    mkdirSync(dir, { recursive: true, mode: 0o700 })
  }
  mkdirSync(home.secrets, { recursive: true, mode: 0o700 })
  chmodSync(home.secrets, 0o700)
}

export interface TemporalTarget {
  readonly address: string
  readonly namespace: string
  readonly tls: boolean
  readonly apiKeyRef: string | null
  /** Of a worker; absent or null: reached directly. */
  readonly proxy?: URL | null
}

/** Where Temporal is: `TEMPORAL_ADDRESS` for a server of one's own, else the embedded one at `fallback`. */
export function temporalTarget(env: Environment, fallback: string | null): TemporalTarget {
  const address = env['TEMPORAL_ADDRESS'] || fallback
  if (!address) {
    throw new HoldfastError('ConfigInvalid', 'the address of Temporal is not known', {
      hint: 'Start everything with `holdfast up`, or set TEMPORAL_ADDRESS.',
    })
  }
  return {
    address,
    namespace: env['TEMPORAL_NAMESPACE'] || 'default',
    tls: flag(env['TEMPORAL_TLS'], false),
    apiKeyRef: env['TEMPORAL_API_KEY_REF'] || null,
  }
}

export function usesOwnTemporal(env: Environment): boolean {
  return Boolean(env['TEMPORAL_ADDRESS'])
}

export interface ServerConfig {
  readonly host: string
  readonly port: number
  readonly origins: readonly string[]
  /** Who starts retention sweeps: Holdfast once a day, or only who asks. */
  readonly sweeps: 'daily' | 'by-hand'
  /** Who begins drills that are due, and when. */
  readonly drills: DrillPace
  /** Between two looks of the watchdog into a repository. */
  readonly lookEveryMs: number
  /** Between two listings of the VMs of a hypervisor; null: only who asks. */
  readonly discoverEveryMs: number | null
}

export const defaultPort = 7420

/** The API listens on loopback unless told otherwise: it holds the administrator's token. */
export function serverConfig(env: Environment): ServerConfig {
  return {
    host: env['HOLDFAST_HOST'] || '127.0.0.1',
    port: portOf(env['HOLDFAST_PORT'], defaultPort),
    origins: (env['HOLDFAST_ORIGINS'] ?? '').split(',').filter((origin) => origin !== ''),
    sweeps: sweepsOf(env['HOLDFAST_SWEEPS'] || 'daily'),
    drills: drillsOf(env['HOLDFAST_DRILLS'] || 'always'),
    lookEveryMs: lookEveryOf(env['HOLDFAST_LOOK_EVERY'] || '5m'),
    discoverEveryMs: discoverEveryOf(env['HOLDFAST_DISCOVER_EVERY'] || '15m'),
  }
}

function sweepsOf(value: string): ServerConfig['sweeps'] {
  if (value === 'daily' || value === 'by-hand') return value
  throw new HoldfastError('ConfigInvalid', `HOLDFAST_SWEEPS is ${value}`, { hint: 'Set it to daily or by-hand.' })
}

/** `always`, `by-hand`, or hours of the day such as `20:00-05:00`, in the time zone of the server (TZ). */
function drillsOf(value: string): DrillPace {
  if (value === 'always' || value === 'by-hand') return value
  const [, start = '', end = ''] = /^([0-9:]{5})-([0-9:]{5})$/.exec(value) ?? []
  const { timeZone } = new Intl.DateTimeFormat().resolvedOptions()
  if (checkHours({ start, end }, timeZone).length === 0) return { start, end, timeZone }
  throw new HoldfastError('ConfigInvalid', `HOLDFAST_DRILLS is ${value}`, {
    hint: 'Set it to always, by-hand, or hours of the day such as 20:00-05:00.',
  })
}

function lookEveryOf(text: string): number {
  const value = parseDuration(text)
  if (value !== undefined && value >= 1000 && value <= 86_400_000) return value
  throw new HoldfastError('ConfigInvalid', `HOLDFAST_LOOK_EVERY is ${text}`, {
    hint: 'A time from 1s to 24h, such as 5m.',
  })
}

function discoverEveryOf(text: string): number | null {
  if (text === 'by-hand') return null
  const value = parseDuration(text)
  if (value !== undefined && value >= 60_000 && value <= 86_400_000) return value
  throw new HoldfastError('ConfigInvalid', `HOLDFAST_DISCOVER_EVERY is ${text}`, {
    hint: 'A time from 1m to 24h, such as 15m, or by-hand.',
  })
}

export interface WorkerConfig {
  readonly site: string
  /** Shown in runbooks: `mover-<host>-<pid>`. */
  readonly identity: string
  /** Disks moved at a time. */
  readonly movers: number
  /** Threads for hashing, compression and sealing; null: as many as cores. */
  readonly threads: number | null
  /** Of the server's API, for evidence. */
  readonly serverUrl: string
}

export function workerConfig(env: Environment, site: string): WorkerConfig {
  if (!/^[a-z0-9-]{1,40}$/.test(site)) {
    throw new HoldfastError('ConfigInvalid', `not the name of a site: ${site}`, { hint: 'Use a to z, 0 to 9 and -.' })
  }
  return {
    site,
    identity: env['HOLDFAST_WORKER_NAME'] || `mover-${hostname()}-${process.pid}`,
    movers: countOf('HOLDFAST_MOVERS', env['HOLDFAST_MOVERS'], 4),
    threads: env['HOLDFAST_THREADS'] ? countOf('HOLDFAST_THREADS', env['HOLDFAST_THREADS'], 1) : null,
    serverUrl: env['HOLDFAST_URL'] || `http://127.0.0.1:${serverConfig(env).port}`,
  }
}

function flag(text: string | undefined, otherwise: boolean): boolean {
  if (text === undefined || text === '') return otherwise
  return ['1', 'true', 'yes', 'on'].includes(text.toLowerCase())
}

export function portOf(text: string | undefined, otherwise: number): number {
  if (text === undefined || text === '') return otherwise
  const port = Number(text)
  if (Number.isInteger(port) && port >= 0 && port < 65_536) return port
  throw new HoldfastError('ConfigInvalid', `not a port: ${text}`)
}

function countOf(name: string, text: string | undefined, otherwise: number): number {
  if (text === undefined || text === '') return otherwise
  const count = Number(text)
  if (Number.isInteger(count) && count >= 1 && count <= 1024) return count
  throw new HoldfastError('ConfigInvalid', `${name} is not a count: ${text}`)
}
