import { parentPort } from 'node:worker_threads'
import { toHoldfastError, type SerializedError } from '../../base/index.ts'
import { buffer, slice, BLOB_HEADER } from '../format/index.ts'
import { createKeyRing, sha256, type KeyRing } from '../keys/index.ts'
import { compressAndSeal, free, identify, openBlob, resealBlob } from './blobs.ts'
import { checkPack } from './check-pack.ts'
import type { OpenedBlob, Reply, Request, Results, Task, WireTask } from './protocol.ts'

/** The other end of pool.ts: one task at a time, in the order of arrival. */
const port = parentPort
if (port === null) throw new Error('runs as a worker thread only')
const rings = new Map<number, KeyRing>()

port.on('message', (request: Request) => {
  if ('content' in request) {
    rings.set(request.ring, createKeyRing(request.content))
    return
  }
  const { no, ring, task } = request
  const transfer: ArrayBuffer[] = []
  let reply: Reply
  try {
    const result = task.kind === 'hash' ? hash(task.content) : perform(keysOf(ring), task, transfer)
    reply = { no, result }
  } catch (error) {
    reply = { no, error: serialized(error) }
  }
  port.postMessage(reply, transfer)
})

function keysOf(ring: number | undefined): KeyRing {
  const keys = ring === undefined ? undefined : rings.get(ring)
  if (keys === undefined) throw new TypeError('no keys for this task')
  return keys
}

function hash(content: Uint8Array): Results['hash'] {
  const result = { sha256: sha256(content) }
  free(content)
  return result
}

function perform(
  ring: KeyRing,
  task: Exclude<WireTask, { kind: 'hash' }>,
  transfer: ArrayBuffer[],
): Results[Task['kind']] {
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
      const sealed = resealBlob(ring, keysOf(to), range, blob, memory)
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

function open(ring: KeyRing, task: Extract<WireTask, { kind: 'open' }>, transfer: ArrayBuffer[]): OpenedBlob[] {
  const range = buffer(task.range)
  const opened = task.blobs.map((wanted): OpenedBlob => {
    try {
      const content = openBlob(ring, slice(range, wanted.at, BLOB_HEADER + wanted.clen, 'blob'), wanted)
      // Small results may lie in memory that others share; large ones own theirs and are handed over.
      if (content.length >= 64 * 1024 && content.buffer instanceof ArrayBuffer) transfer.push(content.buffer)
      return { content }
    } catch (error) {
      return { error: serialized(error) }
    }
  })
  free(task.range)
  return opened
}

function serialized(error: unknown): SerializedError {
  return toHoldfastError(error).toJSON()
}
