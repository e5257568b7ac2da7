import { createHash } from 'node:crypto'
import { mkdir, open, readFile, readdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { HoldfastError, describeError } from '../../base/index.ts'
import type { Endpoint } from '../../drivers/values.ts'
import type { Log } from './deps.ts'

const lookEveryMs = 60_000
const saidAgainMs = 3_600_000

const form = /^[0-9a-f]{32}\.json$/

export interface StandingOptions {
  /** Endpoints on which points were opened; a folder of this machine. */
  readonly dir: string
  readonly watch: (endpoint: Endpoint, signal: AbortSignal) => Promise<void>
  readonly log: Log
  readonly now?: () => number
}

/**
 * Points stay open while their run stands still, and what watches over them may have ended with an earlier worker. Which
 * endpoints have such points is known from files of this machine (references, no secret), whether or not the engine
 * can be reached and whatever the runs do. An endpoint stays known: to look at one without open points costs next to nothing.
 */
export class Standing implements AsyncDisposable {
  readonly #options: StandingOptions
  readonly #end = new AbortController()
  readonly #said = new Map<string, number>()
  #timer: NodeJS.Timeout | undefined
  #looking: Promise<void> | undefined

  constructor(options: StandingOptions) {
    this.#options = options
  }

  /** Looks now and once a minute; returns at once. */
  start(): void {
    this.#timer ??= setInterval(() => void this.look(), lookEveryMs).unref()
    void this.look()
  }

  /** Before a point is opened. Durable when it returns. again: yes. */
  async remember(endpoint: Endpoint): Promise<void> {
    const { dir } = this.#options
    const file = join(dir, `${createHash('sha256').update(endpoint.id).digest('hex').slice(0, 32)}.json`)
    const text = `${JSON.stringify({ v: 1, endpoint }, null, 2)}\n`
    if ((await readIfThere(file)) === text) return
    await mkdir(dir, { recursive: true, mode: 0o700 })
    const made = `${file}.${process.pid}.${performance.now()}`
    {
      await using handle = await open(made, 'w', 0o600)
      await handle.writeFile(text)
      await handle.sync()
    }
    await rename(made, file)
    await using folder = await open(dir, 'r')
    await folder.sync()
  }

  /** Never throws: what fails is told in the log, and tried again by the next look. */
  async look(): Promise<void> {
    this.#looking ??= this.#lookAtAll().finally(() => (this.#looking = undefined))
    await this.#looking
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer)
    this.#end.abort(new HoldfastError('Cancelled', 'the worker ends'))
    await this.#looking
  }

  async #lookAtAll(): Promise<void> {
    const { dir, watch } = this.#options
    for (const name of await namesIn(dir)) {
      if (!form.test(name)) continue
      if (this.#end.signal.aborted) return
      try {
        const text = await readFile(join(dir, name), 'utf8')
        const { endpoint } = JSON.parse(text) as { readonly endpoint: Endpoint }
        await watch(endpoint, this.#end.signal)
        this.#said.delete(name)
      } catch (error) {
        this.#say(name, error)
      }
    }
  }

  /** A hypervisor that is away for long, or for ever, is not told each minute. */
  #say(name: string, error: unknown): void {
    const { log, now = Date.now } = this.#options
    if (this.#end.signal.aborted || now() - (this.#said.get(name) ?? -Infinity) < saidAgainMs) return
    this.#said.set(name, now())
    log.warn({ file: name, error: describeError(error) }, 'open points of a hypervisor cannot be looked at')
  }
}

async function namesIn(dir: string): Promise<readonly string[]> {
  try {
    return await readdir(dir)
  } catch {
    // Not made yet. One that cannot be read cannot be written either, which ends the opening of points with its error.
    return []
  }
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new HoldfastError('AccessDenied', `cannot read ${file}`, { cause: error })
  }
}
