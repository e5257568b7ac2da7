import { rename } from 'node:fs/promises'
import { Worker } from 'node:worker_threads'
import { HoldfastError } from '../base/index.ts'
import type { CatalogContext } from './context.ts'
import { removeCopy, type CopyReply, type CopyTask } from './own-copy-file.ts'

export interface CatalogCopy {
  readonly createdMs: number
  /** Every change up to this event is in it. */
  readonly coveredSeq: number
  /** Number of the last migration: what a program must know to read it. */
  readonly schema: number
  readonly bytes: number
  readonly sha256: string
}

export interface CopyOptions {
  /** Called once a second for as long as the copy is being made. */
  readonly onProgress: () => void
  /** Gives it up: nothing is left at `path`, and the reason is thrown. */
  readonly signal?: AbortSignal
}

const beatMs = 1000

/**
 * A consistent copy while others write, without what must not leave this machine (own-copy-file.ts). Whole or not at all at
 * `path`; again: replaces it. Made in a thread of its own: to write and to check a catalog of gigabytes takes long, and
 * whoever waited for the server meanwhile would find his connection closed. Of a file only. Throws FormatError where the
 * catalog is damaged.
 */
export async function copyCatalog(
  { sqlite, now }: CatalogContext,
  path: string,
  newestSeq: () => number,
  { onProgress, signal }: CopyOptions,
): Promise<CatalogCopy> {
  const createdMs = now()
  const coveredSeq = newestSeq()
  const partial = `${path}.partial`
  const beat = setInterval(onProgress, beatMs)
  try {
    signal?.throwIfAborted()
    const made = await inThread({ from: sqlite.name, to: partial }, signal)
    await rename(partial, path)
    return { createdMs, coveredSeq, ...made }
  } catch (error) {
    await removeCopy(partial)
    throw error
  } finally {
    clearInterval(beat)
  }
}

async function inThread(
  task: CopyTask,
  signal: AbortSignal | undefined,
): Promise<Extract<CopyReply, { schema: number }>> {
  const worker = new Worker(new URL('./own-copy-thread.ts', import.meta.url), {
    execArgv: ['--disable-warning=ExperimentalWarning'],
    resourceLimits: { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 64 },
    workerData: task,
  })
  const { promise, resolve, reject } = Promise.withResolvers<CopyReply>()
  const stop = (): void => reject(signal?.reason)
  signal?.addEventListener('abort', stop, { once: true })
  worker.once('message', resolve)
  worker.once('error', reject)
  worker.once('exit', (code) =>
    reject(new HoldfastError('Internal', `the thread that copies the catalog ended unexpectedly (exit ${code})`)),
  )
  try {
    const reply = await promise
    if ('error' in reply) throw new HoldfastError(reply.error.code, reply.error.message, { hint: reply.error.hint })
    return reply
  } finally {
    signal?.removeEventListener('abort', stop)
    // Nothing writes there any more when this returns.
    await worker.terminate()
  }
}
