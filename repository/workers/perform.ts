import { toHoldfastError } from '../../base/index.ts'
import { buffer, free, slice, BLOB_HEADER } from '../format/index.ts'
import { sha256, type KeyRing } from '../keys/index.ts'
import { compressAndSeal, identify, openBlob, resealBlob } from './blobs.ts'
import { checkPack } from './check-pack.ts'
import type { OpenedBlob, Results, Task } from './protocol.ts'

/**
 * Does one task where it is called: a worker thread, or a test that must not depend on threads. Memory that the task hands
 * over is freed; large results that own theirs are added to `transfer`.
 */
export function perform(ring: KeyRing | undefined, task: Task, transfer: ArrayBuffer[]): Results[Task['kind']] {
  if (task.kind === 'hash') {
    const result = { sha256: sha256(task.content) }
    free(task.content)
    return result
  }
  if (ring === undefined) throw new TypeError('no keys for this task')
  switch (task.kind) {
    case 'identify':
      return identify(ring, task.type, task.content)
    case 'seal': {
      const { memory, length, type, id, innerHash, level } = task
      const content = memory.subarray(0, length)
      return { length: compressAndSeal(ring, { type, content, id, innerHash, level }, memory) }
    }
    case 'open':
      return open(ring, task, transfer)
    case 'reseal': {
      const { to, range, blob, memory } = task
      const sealed = resealBlob(ring, to, range, blob, memory)
      free(range)
      return sealed
    }
    case 'check': {
      const found = checkPack(ring, task.pack)
      free(task.pack)
      return found
    }
  }
}

function open(ring: KeyRing, task: Extract<Task, { kind: 'open' }>, transfer: ArrayBuffer[]): OpenedBlob[] {
  const range = buffer(task.range)
  const opened = task.blobs.map((wanted): OpenedBlob => {
    try {
      const content = openBlob(ring, slice(range, wanted.at, BLOB_HEADER + wanted.clen, 'blob'), wanted)
      // Small results may lie in memory that others share; large ones own theirs and are handed over.
      if (content.length >= 64 * 1024 && content.buffer instanceof ArrayBuffer) transfer.push(content.buffer)
      return { content }
    } catch (error) {
      return { error: toHoldfastError(error).toJSON() }
    }
  })
  free(task.range)
  return opened
}
