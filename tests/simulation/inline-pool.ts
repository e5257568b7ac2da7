import { BLOB_HEADER } from '../../repository/format/index.ts'
import { sha256, type KeyRing } from '../../repository/keys/index.ts'
import { compressAndSeal, identify, openBlob, WorkerPool } from '../../repository/workers/index.ts'
import { toHoldfastError } from '../../base/index.ts'

type Task = Parameters<WorkerPool['run']>[1]

/** The work of the threads, done at once: a schedule must not depend on which thread is faster. */
export class InlinePool extends WorkerPool {
  override run(ring: KeyRing, task: Task): Promise<never> {
    return Promise.try(() => perform(ring, task) as never)
  }
}

function perform(ring: KeyRing, task: Task): unknown {
  switch (task.kind) {
    case 'identify':
      return identify(ring, task.type, task.content)
    case 'seal': {
      const { memory, length, type, id, innerHash, level } = task
      const content = memory.subarray(0, length)
      return { length: compressAndSeal(ring, { type, content, id, innerHash, level }, memory) }
    }
    case 'hash':
      return { sha256: sha256(task.content) }
    case 'open':
      return task.blobs.map((wanted) => {
        try {
          const blob = Buffer.from(task.range.subarray(wanted.at, wanted.at + BLOB_HEADER + wanted.clen))
          return { content: Uint8Array.from(openBlob(ring, blob, wanted)) }
        } catch (error) {
          return { error: toHoldfastError(error).toJSON() }
        }
      })
    default:
      throw new TypeError(`no inline ${task.kind}`)
  }
}
