import type { ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { HoldfastError, describeError } from '../../base/index.ts'
import { spawnSupervised } from '../../drivers/transport/index.ts'
import { createRepository } from '../../repository/index.ts'
import { engineRole, freePort, homeOf, whoIs } from '../../server/index.ts'
import { ask, connectionOf, openClient, type ApiClient, type Schemas } from '../client/index.ts'

const main = fileURLToPath(new URL('../main.ts', import.meta.url))
const readyWithinMs = 120_000

/** The supervised children of `holdfast up`. */
export type Role = 'temporal' | 'server' | 'worker'

export interface InstallationOptions {
  /** HOLDFAST_HOME; made if it is not there. Short: sockets live below it. */
  readonly home: string
  /** For the children: the oracle's hook, thread counts, … */
  readonly env?: { readonly [name: string]: string }
  readonly site?: string
}

/**
 * A whole Holdfast as an operator has it: `holdfast up` as a child process, and the typed client of its API. The demo
 * and the tests that span folders work through it, and kill its parts.
 */
export class Installation implements AsyncDisposable {
  readonly home: string
  readonly url: string
  readonly api: ApiClient
  readonly #child: ChildProcess

  private constructor(home: string, url: string, api: ApiClient, child: ChildProcess) {
    this.home = home
    this.url = url
    this.api = api
    this.#child = child
  }

  /** Resolves when the API answers and a mover is connected. The kernel ends it with this process, however this ends. */
  static async start(options: InstallationOptions): Promise<Installation> {
    const { home } = options
    mkdirSync(join(home, 'logs'), { recursive: true, mode: 0o700 })
    const logFile = join(home, 'logs', 'up.log')
    const log = openSync(logFile, 'a', 0o600)
    const port = await freePort()
    const env = { ...process.env, ...options.env, HOLDFAST_HOME: home, HOLDFAST_PORT: String(port) }
    const args = ['--disable-warning=ExperimentalWarning', main, 'up']
    const child = spawnSupervised(process.execPath, args, 'parent', log, env)
    closeSync(log)
    const ended = new Promise<never>((_, reject) => {
      child.once('error', reject)
      child.once('exit', (code, signal) =>
        reject(
          // Its last words are in the message: whoever removes the folder afterwards has nothing else to read.
          new HoldfastError(
            'Internal',
            `holdfast up ended (${signal ?? code}) before it was ready:\n${tail(logFile)}`,
            {
              hint: `Read ${logFile}.`,
            },
          ),
        ),
      )
    })
    try {
      const ready = waitUntilReady(home, port)
      const { url, api } = await Promise.race([ready, ended])
      // From here on whoever holds the installation sees its end: this promise has said what it had to.
      void Promise.allSettled([ended])
      return new Installation(home, url, api, child)
    } catch (error) {
      await end(child)
      throw error
    }
  }

  /** Process id of a part, from the process table: the newest descendant of `up` with that role. */
  pid(role: Role): number {
    const pids = descendants(this.#child.pid ?? -1).filter(({ command }) => hasRole(command, role))
    const last = pids.at(-1)
    if (!last) throw new HoldfastError('NotFound', `no ${role} process is running under holdfast up`)
    return last.pid
  }

  /** `kill -9`; the supervisor starts it again. Returns the pid that was killed. */
  kill(role: Role): number {
    const pid = this.pid(role)
    process.kill(pid, 'SIGKILL')
    return pid
  }

  /** `kill -9` of `holdfast up` itself; the kernel takes all its children with it. Resolves when they are gone. */
  async crash(): Promise<void> {
    const pids = this.processes().map(({ pid }) => pid)
    const gone = new Promise<void>((resolve) => this.#child.once('exit', () => resolve()))
    this.#child.kill('SIGKILL')
    await gone
    while (pids.some((pid) => readProc(pid, 'cmdline') !== '')) await sleep(10)
  }

  /** All processes that live below `up`, for checking that nothing is left. */
  processes(): readonly { readonly pid: number; readonly command: string }[] {
    return descendants(this.#child.pid ?? -1)
  }

  /** SIGTERM, as Ctrl-C or systemd would, and waits. */
  async stop(): Promise<void> {
    await end(this.#child)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  /** Registers an endpoint and discovers its VMs. */
  async addHypervisor(endpoint: {
    readonly name: string
    readonly platform: 'qemu' | 'image'
    readonly address: string
    readonly options: { readonly [name: string]: string | number | boolean }
  }): Promise<Schemas['Hypervisor']> {
    const added = await ask(this.api.POST('/hypervisors', { body: { ...endpoint, site: 'local', credentialRef: '' } }))
    await ask(this.api.POST('/hypervisors/{id}/discover', { params: { path: { id: added.id } } }))
    return added
  }

  /** Creates a repository in `path`, its passphrase among the secrets of the home, and registers it. */
  async addRepository(name: string, path: string): Promise<NewRepository> {
    const secretFile = join(this.home, 'secrets', `repository-${name}`)
    const passphrase = randomBytes(24).toString('base64url')
    writeFileSync(secretFile, `${passphrase}\n`, { mode: 0o600 })
    const location = { kind: 'posix', path } as const
    const { recoveryKey } = await createRepository({ location, passphrase })
    const credentialRef = `file:${secretFile}`
    const row = await ask(this.api.POST('/repositories', { body: { name, site: 'local', location, credentialRef } }))
    return { row, passphrase, recoveryKey, path }
  }
}

export interface NewRepository {
  readonly row: Schemas['Repository']
  readonly passphrase: string
  readonly recoveryKey: string
  readonly path: string
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  child.kill('SIGTERM')
  const late = setTimeout(() => child.kill('SIGKILL'), 90_000)
  await gone
  clearTimeout(late)
}

/** Each part announces itself in `run/` when it serves; what a killed one left there does not count. */
async function waitUntilReady(home: string, port: number): Promise<{ url: string; api: ApiClient }> {
  const url = `http://127.0.0.1:${port}`
  const place = homeOf({ HOLDFAST_HOME: home })
  const deadline = Date.now() + readyWithinMs
  const isHere = async (role: string): Promise<boolean> => (await whoIs(place, role)) !== null
  while (
    !((await isHere('server')) && (await isHere(engineRole('server'))) && (await isHere(engineRole('worker-local'))))
  ) {
    if (Date.now() > deadline) {
      throw new HoldfastError('NoWorker', 'holdfast up started, but server or mover are not ready', {
        hint: `Read ${join(home, 'logs')}.`,
      })
    }
    await sleep(50)
  }
  const api = openClient(connectionOf({ server: url }, { HOLDFAST_HOME: home }))
  await ask(api.GET('/session', {}))
  return { url, api }
}

function hasRole(command: string, role: Role): boolean {
  if (role === 'temporal') return command.includes('start-dev')
  return command.includes('main.ts') && command.split(' ').includes(role)
}

/** Children of children, oldest first, from /proc. A process that ends meanwhile is left out. */
function descendants(root: number): { pid: number; command: string }[] {
  const children = new Map<number, number[]>()
  for (const name of readdirSync('/proc')) {
    const pid = Number(name)
    const parent = Number.isInteger(pid) ? parentOf(pid) : null
    if (parent !== null) children.set(parent, [...(children.get(parent) ?? []), pid])
  }
  const found: { pid: number; command: string }[] = []
  const queue = [...(children.get(root) ?? [])]
  for (let pid = queue.shift(); pid !== undefined; pid = queue.shift()) {
    found.push({ pid, command: readProc(pid, 'cmdline').replaceAll('\0', ' ').trim() })
    queue.push(...(children.get(pid) ?? []))
  }
  return found
}

function parentOf(pid: number): number | null {
  const stat = readProc(pid, 'stat')
  const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
  return Number.isInteger(parent) && stat !== '' ? parent : null
}

/** Empty if the process has ended meanwhile. */
function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return ''
    throw new HoldfastError('Internal', `/proc/${pid}/${file}: ${describeError(error)}`, { cause: error })
  }
}

function tail(file: string): string {
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(-12).join('\n') : '(no log)'
}
