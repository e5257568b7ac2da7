import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { HoldfastError, type SerializedError } from '../../base/index.ts'
import type { KeyRing } from '../keys/index.ts'
import type { Reply, Request, Results, Task } from './protocol.ts'

/** Tasks given to a thread ahead of time, so that it never waits for the main thread. */
const AHEAD = 2

interface Pending {
  /** undefined for work that needs no key. */
  readonly ring: KeyRing | undefined
  readonly task: Task
  readonly transfer: readonly ArrayBuffer[]
  resolve(result: Results[Task['kind']]): void
  reject(error: Error): void
}
interface Thread {
  readonly worker: Worker
  readonly pending: Map<number, Pending>
  /** Keys that the thread has. */
  readonly rings: Set<number>
}

const ringNumbers = new WeakMap<KeyRing, number>()
let nextRing = 1

/**
 * Threads that hash, compress, seal and open: nothing heavy runs on the main thread, which reads, polls and heartbeats.
 * A thread that dies fails its tasks and is replaced.
 */
export class WorkerPool implements AsyncDisposable {
  readonly size: number
  readonly #threads: Thread[] = []
  readonly #queue: Pending[] = []
  #next = 0
  #closed = false

  /** `size`: threads; default: one for each core, at most 4: each takes about 30 MiB before it does anything. */
  constructor(size: number = Math.min(4, availableParallelism())) {
    if (!Number.isInteger(size) || size < 1) throw new RangeError(`${size} threads`)
    this.size = size
  }

  /** Rejects with the HoldfastError that the task met. `transfer` moves memory to the thread instead of copying it. */
  run<K extends Task['kind']>(
    ring: K extends 'hash' ? KeyRing | undefined : KeyRing,
    task: Extract<Task, { kind: K }>,
    transfer: readonly ArrayBuffer[] = [],
  ): Promise<Results[K]> {
    if (this.#closed) return Promise.reject(closed())
    return new Promise((resolve, reject) => {
      this.#queue.push({ ring, task, transfer, resolve: resolve as Pending['resolve'], reject })
      this.#dispatch()
    })
  }

  /** Starts threads ahead of the first task: they load their modules while something else is waited for. */
  warm(threads: number): void {
    while (!this.#closed && this.#threads.length < threads) this.#start()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    for (const task of this.#queue.splice(0)) task.reject(closed())
    const threads = this.#threads.splice(0)
    await Promise.all(threads.map(({ worker }) => worker.terminate()))
  }

  #dispatch(): void {
    while (this.#queue.length > 0) {
      const thread = this.#leastBusy()
      if (thread === undefined) return
      const next = this.#queue.shift()
      if (next === undefined) return
      const no = this.#next++
      thread.pending.set(no, next)
      thread.worker.ref()
      try {
        const ring = next.ring && this.#equip(thread, next.ring)
        const task = next.task.kind === 'reseal' ? { ...next.task, to: this.#equip(thread, next.task.to) } : next.task
        thread.worker.postMessage({ no, ring, task } satisfies Request, next.transfer)
      } catch (error) {
        thread.pending.delete(no)
        next.reject(new HoldfastError('Internal', 'a task could not be handed to a worker thread', { cause: error }))
      }
    }
  }

  /** Number of the ring, after the thread has got its keys. */
  #equip(thread: Thread, ring: KeyRing): number {
    const number = ringNumbers.get(ring) ?? nextRing++
    ringNumbers.set(ring, number)
    if (!thread.rings.has(number)) {
      thread.worker.postMessage({ ring: number, content: ring.content } satisfies Request)
      thread.rings.add(number)
    }
    return number
  }

  /** Threads are started as they are needed. */
  #leastBusy(): Thread | undefined {
    const least = this.#threads.reduce<Thread | undefined>(
      (best, thread) => (best === undefined || thread.pending.size < best.pending.size ? thread : best),
      undefined,
    )
    if ((least === undefined || least.pending.size > 0) && this.#threads.length < this.size) return this.#start()
    return least !== undefined && least.pending.size < AHEAD ? least : undefined
  }

  #start(): Thread {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), {
      execArgv: ['--disable-warning=ExperimentalWarning'],
      resourceLimits: { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 64 },
    })
    const thread: Thread = { worker, pending: new Map(), rings: new Set() }
    worker.unref()
    worker.on('message', (reply: Reply) => this.#settle(thread, reply))
    worker.on('error', (error: Error) => this.#lost(thread, error))
    worker.on('exit', (code) => this.#lost(thread, new Error(`exit code ${code}`)))
    this.#threads.push(thread)
    return thread
  }

  #settle(thread: Thread, reply: Reply): void {
    const pending = thread.pending.get(reply.no)
    thread.pending.delete(reply.no)
    // A process whose threads are all idle may end.
    if (thread.pending.size === 0) thread.worker.unref()
    if ('error' in reply) pending?.reject(revive(reply.error))
    else pending?.resolve(reply.result)
    this.#dispatch()
  }

  #lost(thread: Thread, cause: Error): void {
    const index = this.#threads.indexOf(thread)
    if (index >= 0) this.#threads.splice(index, 1)
    for (const pending of thread.pending.values()) {
      pending.reject(new HoldfastError('Internal', `a worker thread ended unexpectedly: ${cause.message}`, { cause }))
    }
    thread.pending.clear()
    if (!this.#closed) this.#dispatch()
  }
}

function closed(): HoldfastError {
  return new HoldfastError('Internal', 'the repository was closed meanwhile')
}

/** An error as it was before it crossed the thread boundary. */
export function revive(error: SerializedError): HoldfastError {
  const { code, message, hint, native, retryAfter, data, causes } = error
  return new HoldfastError(code, message, {
    hint,
    ...(native && { native }),
    ...(retryAfter !== undefined && { retryAfter }),
    ...(data && { data }),
    ...(causes.length > 0 && { cause: new Error(causes.join('; ')) }),
  })
}
