import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describeError, HoldfastError } from '../../base/index.ts'
import { spawnSupervised } from '../../drivers/transport/index.ts'

export interface StoreCommand {
  readonly program: string
  readonly args: readonly string[]
  readonly env?: { readonly [name: string]: string }
}

const READY_MS = 60_000
const STOP_MS = 20_000

/** A real store as a process on 127.0.0.1, with a folder of its own. It dies with the process that started it. */
export class StoreProcess implements AsyncDisposable {
  readonly folder: string
  readonly #command: StoreCommand
  readonly #isReady: () => Promise<void>
  #child: ReturnType<typeof spawnSupervised> | undefined

  private constructor(folder: string, command: StoreCommand, isReady: () => Promise<void>) {
    this.folder = folder
    this.#command = command
    this.#isReady = isReady
  }

  /** `isReady` throws until the store answers. `data` and `tmp` are there when `command` is asked for. */
  static async start(
    name: string,
    command: (folder: string) => StoreCommand,
    isReady: () => Promise<void>,
  ): Promise<StoreProcess> {
    const folder = await mkdtemp(join(tmpdir(), `hf-${name}-`))
    for (const each of ['data', 'tmp']) await mkdir(join(folder, each))
    const store = new StoreProcess(folder, command(folder), isReady)
    try {
      await store.start()
    } catch (error) {
      await store[Symbol.asyncDispose]()
      throw error
    }
    return store
  }

  /** With the same ports and the same folder. */
  async start(): Promise<void> {
    const { program, args, env } = this.#command
    const log = join(this.folder, 'log')
    const output = openSync(log, 'a')
    // Sockets and scratch files that a killed store leaves behind go with its folder.
    const child = spawnSupervised(program, args, 'parent', output, {
      ...process.env,
      TMPDIR: join(this.folder, 'tmp'),
      ...env,
    })
    closeSync(output)
    this.#child = child
    const deadline = Date.now() + READY_MS
    for (;;) {
      try {
        return await this.#isReady()
      } catch (error) {
        if (child.exitCode === null && child.signalCode === null && Date.now() < deadline) {
          await sleep(20)
          continue
        }
        const tail = readFileSync(log, 'utf8').split('\n').slice(-15).join('\n')
        throw new HoldfastError(
          'StoreUnavailable',
          `${program} does not become ready: ${describeError(error)}\n${tail}`,
        )
      }
    }
  }

  /** kill -9. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  async stop(): Promise<void> {
    await this.#end('SIGTERM')
  }

  async #end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const child = this.#child
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill(signal)
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
    await ended
    clearTimeout(timer)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
    await rm(this.folder, { recursive: true, force: true })
  }
}
