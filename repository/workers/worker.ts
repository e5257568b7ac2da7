import { parentPort } from 'node:worker_threads'
import { toHoldfastError } from '../../base/index.ts'
import { createKeyRing, type KeyRing } from '../keys/index.ts'
import { perform } from './perform.ts'
import type { Reply, Request, Task, WireTask } from './protocol.ts'

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
    reply = { no, result: perform(ring === undefined ? undefined : keysOf(ring), taskOf(task), transfer) }
  } catch (error) {
    reply = { no, error: toHoldfastError(error).toJSON() }
  }
  port.postMessage(reply, transfer)
})

function taskOf(task: WireTask): Task {
  return task.kind === 'reseal' ? { ...task, to: keysOf(task.to) } : task
}

function keysOf(ring: number): KeyRing {
  const keys = rings.get(ring)
  if (keys === undefined) throw new TypeError('no keys for this task')
  return keys
}
