import { createInterface } from 'node:readline/promises'
import { HoldfastError } from '../base/index.ts'
import { connectionOf, openClient, type ApiClient, type Fetch } from './client/index.ts'

/** What a verb may touch of the world; tests put their own in. */
export interface World {
  readonly stdout: { write(text: string | Uint8Array): unknown; readonly isTTY?: boolean; readonly columns?: number }
  /** stdout for bytes that must all arrive: from here on, a reader that leaves is an error of the write. */
  readonly bytes?: () => NodeJS.WritableStream
  readonly stderr: { write(text: string): unknown; readonly isTTY?: boolean; readonly columns?: number }
  readonly stdin: NodeJS.ReadableStream & { readonly isTTY?: boolean }
  readonly env: { readonly [name: string]: string | undefined }
  readonly fetch?: Fetch
  readonly now: () => number
  /** Resolves early with the signal. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>
  /** Aborts on Ctrl-C. */
  readonly signal: AbortSignal
}

export interface GlobalOptions {
  readonly json?: boolean
  readonly quiet?: boolean
  /** commander's `--no-color`. */
  readonly color?: boolean
  readonly server?: string
  readonly token?: string
}

/** Data goes to stdout, messages to stderr; colour only where somebody looks. */
export class Io {
  readonly world: World
  readonly options: GlobalOptions

  /** How the command ends if it does not throw. */
  readonly end: (exitCode: number) => void

  constructor(world: World, options: GlobalOptions, end: (exitCode: number) => void) {
    this.world = world
    this.options = options
    this.end = end
  }

  get json(): boolean {
    return this.options.json === true
  }

  /** One answer: the object with `--json`, else the text. */
  answer(data: unknown, text: () => string): void {
    this.world.stdout.write(this.json ? `${JSON.stringify(data, null, 2)}\n` : ensureLine(text()))
  }

  say(text: string): void {
    if (this.options.quiet !== true) this.world.stderr.write(ensureLine(text))
  }

  get isLive(): boolean {
    return this.world.stderr.isTTY === true && !this.json && this.options.quiet !== true
  }

  get hasColor(): boolean {
    const { NO_COLOR, TERM } = this.world.env
    return (
      this.options.color !== false && !NO_COLOR && TERM !== 'dumb' && this.world.stdout.isTTY === true && !this.json
    )
  }

  api(): ApiClient {
    return openClient(connectionOf(this.options, this.world.env), {
      signal: this.world.signal,
      fetch: this.world.fetch,
    })
  }

  /** Asks a person; throws InvalidRequest with `otherwise` where there is none. */
  async confirm(question: string, otherwise: string): Promise<void> {
    const { stdin } = this.world
    if (!stdin.isTTY || !this.world.stderr.isTTY)
      throw new HoldfastError('InvalidRequest', 'nobody is there to confirm', { hint: otherwise })
    const lines = createInterface({ input: stdin, output: process.stderr })
    try {
      const given = await lines.question(`${question} [y/N] `, { signal: this.world.signal })
      if (!/^y(es)?$/i.test(given.trim()))
        throw new HoldfastError('Cancelled', 'not confirmed, nothing was done', { hint: otherwise })
    } finally {
      lines.close()
    }
  }
}

function ensureLine(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`
}
