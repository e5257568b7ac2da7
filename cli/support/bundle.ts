import { closeSync, fstatSync, openSync, readSync, readdirSync } from 'node:fs'
import { arch, cpus, platform, release, totalmem } from 'node:os'
import { join } from 'node:path'
import { toHoldfastError } from '../../base/index.ts'
import { homeFolder } from '../home.ts'
import type { Io } from '../io.ts'
import { ask, type ApiClient } from '../client/index.ts'
import { knownTo } from './known.ts'
import { onlyWords, redact } from './redact.ts'

/** Of each log: its end, where what happened last is. */
const logBytes = 512 * 1024
const runCount = 100

export interface SupportBundle {
  readonly v: 1
  readonly madeMs: number
  readonly versions: { readonly [name: string]: string }
  readonly machine: { readonly [name: string]: string | number }
  /** What the server answers; a part that it could not give says why. */
  readonly server: { readonly [part: string]: unknown }
  readonly logs: { readonly [file: string]: string }
  /** Secrets that could not be known, so that nobody could look for them; logs have no more than the words of the program then. */
  readonly unknownSecrets: readonly string[]
}

/** What somebody who helps needs to see, without a secret in it. Works also while the server is away. */
export async function makeBundle(io: Io, version: string): Promise<SupportBundle> {
  const home = homeFolder(io.world.env)
  const { secrets, unknown } = await knownTo(io, home)
  const logs = Object.entries(logsIn(join(home, 'logs')))
  const raw: SupportBundle = {
    v: 1,
    madeMs: io.world.now(),
    versions: {
      holdfast: version,
      node: process.versions.node,
      openssl: process.versions.openssl,
      tz: process.versions.tz ?? '',
    },
    machine: {
      platform: platform(),
      release: release(),
      arch: arch(),
      cores: cpus().length,
      memoryBytes: totalmem(),
      home,
    },
    server: await serverParts(io),
    logs: Object.fromEntries(unknown.length === 0 ? logs : logs.map(([name, text]) => [name, onlyWords(text)])),
    unknownSecrets: unknown,
  }
  return redact(raw, secrets) as SupportBundle
}

async function serverParts(io: Io): Promise<{ [part: string]: unknown }> {
  const page = { params: { query: { limit: 200 } } }
  const parts: { readonly [part: string]: (api: ApiClient) => Promise<unknown> } = {
    health: (api) => ask(api.GET('/health', {})),
    doctor: (api) => ask(api.GET('/doctor', {})),
    workers: (api) => ask(api.GET('/workers', {})),
    hypervisors: (api) => ask(api.GET('/hypervisors', page)),
    repositories: (api) => ask(api.GET('/repositories', page)),
    ownBackups: (api) => ask(api.GET('/own-backups', {})),
    keeping: (api) => ask(api.GET('/keeping', {})),
    plans: async (api) => withoutArguments(await ask(api.GET('/plans', page))),
    categories: async (api) => withoutArguments(await ask(api.GET('/categories', {}))),
    schedules: (api) => ask(api.GET('/schedules', {})),
    slots: (api) => ask(api.GET('/slots', {})),
    links: (api) => ask(api.GET('/links', {})),
    mirrors: (api) => ask(api.GET('/mirrors', {})),
    replications: (api) => ask(api.GET('/replications', {})),
    sweeps: (api) => ask(api.GET('/sweeps', { params: { query: { limit: runCount } } })),
    incidents: (api) => ask(api.GET('/incidents', { params: { query: { limit: runCount } } })),
    runs: (api) => ask(api.GET('/runs', { params: { query: { limit: runCount } } })),
  }
  const answers: { [part: string]: unknown } = {}
  for (const [name, read] of Object.entries(parts)) {
    try {
      answers[name] = await read(io.api())
    } catch (error) {
      const { code, message } = toHoldfastError(error)
      answers[name] = { notRead: { code, message } }
    }
  }
  return answers
}

/** What hooks and checks are called with may be a secret that stands nowhere else. */
function withoutArguments(answer: unknown): unknown {
  return JSON.parse(JSON.stringify(answer, (key, value: unknown) => (key === 'args' ? '[left out]' : value)))
}

function logsIn(folder: string): { [file: string]: string } {
  let names: string[]
  try {
    names = readdirSync(folder).filter((name) => name.endsWith('.log'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw error
  }
  return Object.fromEntries(names.sort().map((name) => [name, endOf(join(folder, name))]))
}

/** From the beginning of a line: half a line could hold half a secret. */
function endOf(path: string): string {
  const file = openSync(path, 'r')
  try {
    const { size } = fstatSync(file)
    const from = Math.max(0, size - logBytes)
    const bytes = Buffer.alloc(size - from)
    const text = bytes.subarray(0, readSync(file, bytes, 0, bytes.length, from)).toString('utf8')
    return from === 0 ? text : text.slice(text.indexOf('\n') + 1)
  } finally {
    closeSync(file)
  }
}
