import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { getCompileCacheDir } from 'node:module'
import { extname, join } from 'node:path'
import { HoldfastError } from '../../../base/index.ts'
import { roundFile } from '../../names.ts'
import type { OpKey } from '../../values.ts'
import type { Vm } from '../vm.ts'
import type { SentinelTask, SentinelWord } from './protocol.ts'

/** The folder that this process was given; Node itself adds one for its own version. */
const codeCache = getCompileCacheDir() === undefined ? undefined : process.env['NODE_COMPILE_CACHE']
const program = join(import.meta.dirname, `main${extname(import.meta.filename)}`)

/**
 * The hand that holds on when this process dies while the guest is stopped or frozen (docs/adr/0302). Started and
 * ready before anything is stopped; ended by `release`.
 */
export class Sentinel {
  readonly #child: ChildProcess
  readonly #forget: () => void
  #left = false

  private constructor(child: ChildProcess, forget: () => void) {
    this.#child = child
    this.#forget = forget
  }

  static async start(vm: Vm, opKey: OpKey, limit: number): Promise<Sentinel> {
    const task: SentinelTask = {
      opKey,
      endpoint: vm.host.endpoint,
      dir: vm.dir,
      monitors: [vm.paths.qmp, vm.paths.qmp2],
      agent: vm.paths.agent,
      limit: limit + 1_000,
      record: join(vm.paths.dir, roundFile(opKey)),
    }
    return await vm.host.effects.run('program: sentinel', async () => {
      const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', program, JSON.stringify(task)], {
        stdio: ['pipe', 'pipe', 'ignore'],
        detached: true,
        // Nothing of ours but where its code lies compiled: it starts in a third of the time.
        env: codeCache === undefined ? {} : { NODE_COMPILE_CACHE: codeCache },
      })
      // A sentinel that is gone shows as a failed word, not as an unhandled error of its pipe.
      child.stdin.on('error', () => child.stdin.destroy())
      const failed = once(child, 'exit').then(() => 'exit' as const)
      const answer = await Promise.race([
        once(child.stdout, 'data').then(() => 'ready' as const),
        failed,
        once(child, 'error').then(() => 'exit' as const),
        new Promise<'late'>((resolve) => setTimeout(resolve, 20_000, 'late').unref()),
      ])
      if (answer !== 'ready') {
        child.kill('SIGKILL')
        throw new HoldfastError('Internal', `the sentinel for VM “${vm.description.name}” did not start (${answer})`)
      }
      child.stdout.destroy()
      child.unref()
      const forget = vm.host.effects.atDeath(() => child.stdin.destroy())
      return new Sentinel(child, forget)
    })
  }

  /** Throws `Internal` if the sentinel is gone: then nothing may be stopped. */
  async say(word: SentinelWord): Promise<void> {
    const stdin = this.#child.stdin
    if (!stdin || stdin.destroyed || this.#child.exitCode !== null)
      throw new HoldfastError('Internal', 'the sentinel has ended; the guest is not stopped without it')
    await new Promise<void>((resolve, reject) => {
      stdin.write(`${word}\n`, (error) => (error ? reject(error) : resolve()))
    })
  }

  /** Lets it go: it releases a guest that it still holds and ends; told to `watch`, it ends with the round. */
  release(): void {
    if (this.#left) return
    this.#left = true
    this.#forget()
    this.#child.stdin?.end('done\n')
  }

  /** Stays until the round's record is gone. */
  async leaveWatching(): Promise<void> {
    await this.say('watch')
    this.#left = true
    this.#forget()
    this.#child.stdin?.end()
  }
}
