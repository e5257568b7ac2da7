import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describeError, HoldfastError, type RepositoryLocation } from '../base/index.ts'
import { throughProxy, type ProxyRule } from '../repository/index.ts'
import type { Home } from './config.ts'
import { refusalCode, type ServerDoor } from './door.ts'
import type { ProcessLog } from './log.ts'

const everyMs = 30_000

/**
 * The proxy through which a worker reaches object stores, as its server says for the site. It is asked at the start and
 * twice a minute; while the server is away, what it said last holds, also over a restart.
 */
export class SiteWay implements Disposable {
  readonly #door: ServerDoor
  readonly #site: string
  readonly #file: string
  readonly #log: Pick<ProcessLog, 'info' | 'warn'>
  readonly #ended = new AbortController()
  #timer: NodeJS.Timeout | undefined
  #proxy: ProxyRule | null
  #isAway = false

  constructor(of: {
    readonly home: Home
    readonly door: ServerDoor
    readonly site: string
    readonly log: Pick<ProcessLog, 'info' | 'warn'>
  }) {
    this.#door = of.door
    this.#site = of.site
    this.#log = of.log
    this.#file = join(of.home.cache, `site-${of.site}.json`)
    this.#proxy = remembered(this.#file)
  }

  readonly wayTo = (location: RepositoryLocation): RepositoryLocation => throughProxy(location, this.#proxy)

  /** Waits for the first answer for `withinMs` at most: stores are not to be tried by the wrong way first. */
  async start(withinMs = 3_000): Promise<void> {
    await this.look(withinMs)
    const again = async (): Promise<void> => {
      await this.look(10_000)
      if (!this.#ended.signal.aborted) this.#timer = setTimeout(() => void again(), everyMs).unref()
    }
    this.#timer = setTimeout(() => void again(), everyMs).unref()
  }

  /** Never throws: what was said last goes on to hold. */
  async look(withinMs: number): Promise<void> {
    try {
      const said = await this.#ask(AbortSignal.any([this.#ended.signal, AbortSignal.timeout(withinMs)]))
      this.#isAway = false
      if (JSON.stringify(said) === JSON.stringify(this.#proxy)) return
      this.#proxy = said
      this.#log.info({ proxy: said?.url ?? null }, 'stores are reached by another way from now on')
      mkdirSync(dirname(this.#file), { recursive: true, mode: 0o700 })
      writeFileSync(`${this.#file}.new`, JSON.stringify(said), { mode: 0o600 })
      renameSync(`${this.#file}.new`, this.#file)
    } catch (error) {
      if (this.#ended.signal.aborted || this.#isAway) return
      this.#isAway = true
      this.#log.warn({ error: describeError(error) }, 'the server does not say by which way stores are reached')
    }
  }

  async #ask(signal: AbortSignal): Promise<ProxyRule | null> {
    const response = await this.#door.ask(`/api/v1/site-settings/${this.#site}`, { signal })
    if (response.ok) return ((await response.json()) as { proxy: ProxyRule | null }).proxy
    await response.arrayBuffer()
    throw new HoldfastError(refusalCode(response.status), `it answered ${response.status}`)
  }

  [Symbol.dispose](): void {
    this.#ended.abort()
    clearTimeout(this.#timer)
  }
}

/** null: nothing was said yet, or what is there cannot be read. */
function remembered(file: string): ProxyRule | null {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as ProxyRule | null
  } catch {
    return null
  }
}
