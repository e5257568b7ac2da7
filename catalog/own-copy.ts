import { spawn } from 'node:child_process'
import { rename } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
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
const program = fileURLToPath(new URL('./own-copy-child.ts', import.meta.url))

type Made = Exclude<CopyReply, { error: unknown }>

/**
 * A consistent copy while others write, without what must not leave this machine (own-copy-file.ts). Whole or not at all at
 * `path`; again: replaces it. Made in a process of its own: to write and to check a catalog of gigabytes takes long, and
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
    const made = await inChild({ from: sqlite.name, to: partial }, signal)
    await rename(partial, path)
    return { createdMs, coveredSeq, ...made }
  } catch (error) {
    await removeCopy(partial)
    throw error
  } finally {
    clearInterval(beat)
  }
}

async function inChild(task: CopyTask, signal: AbortSignal | undefined): Promise<Made> {
  // Nothing else of the environment: the program needs none.
  const cache = process.env['NODE_COMPILE_CACHE']
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', program, task.from, task.to], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: cache === undefined ? {} : { NODE_COMPILE_CACHE: cache },
  })
  const out: Buffer[] = []
  const said: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => said.push(chunk))
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  const stop = (): void => void child.kill('SIGKILL')
  signal?.addEventListener('abort', stop, { once: true })
  try {
    // Nothing writes there any more when it has ended.
    const code = await ended
    signal?.throwIfAborted()
    const reply = code === 0 ? (JSON.parse(Buffer.concat(out).toString('utf8')) as CopyReply) : null
    if (reply === null) {
      const why = Buffer.concat(said).toString('utf8').trim().slice(-500)
      throw new HoldfastError('Internal', `the process that copies the catalog ended early (exit ${code}): ${why}`, {
        hint: 'The older copies stay, and it is tried again. If it happens each time, look for room on the disk of the catalog.',
      })
    }
    if ('error' in reply) throw new HoldfastError(reply.error.code, reply.error.message, { hint: reply.error.hint })
    return reply
  } finally {
    signal?.removeEventListener('abort', stop)
  }
}
