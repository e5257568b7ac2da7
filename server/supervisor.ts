import type { ChildProcess } from 'node:child_process'
import { closeSync, openSync, readFileSync, renameSync, statSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { HoldfastError, formatDuration } from '../base/index.ts'
import { spawnSupervised } from '../drivers/transport/index.ts'
import type { Log } from '../activities/index.ts'

export interface ChildSpec {
  readonly name: string
  readonly program: string
  readonly args: readonly string[]
  /** stdout and stderr are appended there. */
  readonly logFile: string
  /** Resolves when the child serves; rejects if it never will. Given up when the child ends. */
  readonly ready: (signal: AbortSignal, pid: number) => Promise<void>
  /** After SIGTERM, before SIGKILL. */
  readonly stopWithinMs: number
}

const firstPauseMs = 500
const longestPauseMs = 30_000
/** A child that lived so long has earned a quick restart. */
const stableMs = 60_000
const largestLog = 16 * 1024 * 1024

/**
 * Child processes that live as long as this one. A crashed child is started again, after a pause that grows while it
 * keeps crashing; the kernel kills all of them if this process dies, however it dies.
 */
export class Supervisor implements AsyncDisposable {
  readonly #children: Child[] = []
  readonly #log: Log

  constructor(log: Log) {
    this.#log = log
  }

  /** Resolves when the child is ready for the first time. */
  async start(spec: ChildSpec): Promise<Child> {
    const child = new Child(spec, this.#log)
    this.#children.push(child)
    await child.start()
    return child
  }

  /** Last started, first stopped. */
  async stop(): Promise<void> {
    for (const child of this.#children.splice(0).reverse()) await child.stop()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }
}

export class Child {
  readonly name: string
  readonly #spec: ChildSpec
  readonly #log: Log
  readonly #stopping = new AbortController()
  #process: ChildProcess | null = null
  #loop: Promise<void> | null = null
  #starts = 0

  constructor(spec: ChildSpec, log: Log) {
    this.name = spec.name
    this.#spec = spec
    this.#log = log
  }

  get pid(): number | null {
    return this.#process?.pid ?? null
  }

  /** How often it was started again. */
  get restarts(): number {
    return Math.max(0, this.#starts - 1)
  }

  async start(): Promise<void> {
    const running = this.#spawn()
    await this.#becomeReady(running)
    this.#loop = this.#keepAlive(running)
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#end(this.#process)
    await this.#loop
  }

  async #keepAlive(first: Running): Promise<void> {
    let pauseMs = firstPauseMs
    for (let running = first; ;) {
      const how = await running.ended
      if (this.#stopping.signal.aborted) return
      const livedMs = Date.now() - running.startedMs
      pauseMs = livedMs >= stableMs ? firstPauseMs : pauseMs
      this.#log.warn(
        { child: this.name, how, livedMs, pauseMs },
        `${this.name} ended (${how}) after ${formatDuration(livedMs)}; it is started again`,
      )
      if (!(await pause(pauseMs, this.#stopping.signal))) return
      pauseMs = Math.min(pauseMs * 2, longestPauseMs)
      running = this.#spawn()
      await this.#becomeReady(running).catch((error: unknown) => {
        this.#log.error({ child: this.name, error: String(error) }, `${this.name} did not become ready`)
        return this.#end(running.process)
      })
    }
  }

  #spawn(): Running {
    const { program, args, logFile, name } = this.#spec
    rotate(logFile)
    const log = openSync(logFile, 'a', 0o600)
    const child = spawnSupervised(program, args, 'parent', log)
    closeSync(log)
    this.#process = child
    this.#starts += 1
    const ended = new Promise<string>((resolve) => {
      child.once('exit', (code, signal) => resolve(signal ?? `exit ${code}`))
      child.once('error', (error) => resolve(error.message))
    })
    this.#log.info({ child: name, childPid: child.pid }, `${name} started`)
    return { process: child, startedMs: Date.now(), ended }
  }

  async #becomeReady({ process: child, ended }: Running): Promise<void> {
    const giveUp = new AbortController()
    const died = ended.then((how) => {
      giveUp.abort()
      const said = lastLines(this.#spec.logFile)
      // What it said last is what somebody looks for first.
      throw new HoldfastError('Internal', `${this.name} ended before it was ready (${how})`, {
        hint: `The end of ${this.#spec.logFile}:\n${said.join('\n')}`,
        data: { lastLines: said },
      })
    })
    try {
      const signal = AbortSignal.any([giveUp.signal, this.#stopping.signal])
      await Promise.race([this.#spec.ready(signal, child.pid ?? -1), died])
    } catch (error) {
      await this.#end(this.#process)
      throw error
    } finally {
      // Its later end is the business of #keepAlive: here it has been heard, or no longer matters.
      void Promise.allSettled([died])
    }
  }

  async #end(child: ChildProcess | null): Promise<void> {
    if (child === null || child.exitCode !== null || child.signalCode !== null) return
    const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
    child.kill('SIGTERM')
    const killer = setTimeout(() => child.kill('SIGKILL'), this.#spec.stopWithinMs)
    await gone
    clearTimeout(killer)
  }
}

interface Running {
  readonly process: ChildProcess
  readonly startedMs: number
  readonly ended: Promise<string>
}

async function pause(ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    await sleep(ms, null, { signal })
    return true
  } catch {
    return false
  }
}

/** One old file is kept; a log never fills the disk. */
function rotate(file: string): void {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0
  if (size > largestLog) renameSync(file, `${file}.1`)
}

export function lastLines(file: string, count = 8): readonly string[] {
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
  return lines.slice(-count)
}
