import type { KeyRing } from '../../repository/keys/index.ts'
import { perform, WorkerPool } from '../../repository/workers/index.ts'

type Task = Parameters<WorkerPool['run']>[1]

/** The work of the threads, done at once: a schedule must not depend on which thread is faster. */
export class InlinePool extends WorkerPool {
  override run(ring: KeyRing | undefined, task: Task): Promise<never> {
    return Promise.try(() => perform(ring, crossed(task), []) as never)
  }
}

/** As it reaches a thread: what is not shared is a copy, which the task frees. */
function crossed(task: Task): Task {
  switch (task.kind) {
    case 'hash':
      return { ...task, content: copy(task.content) }
    case 'open':
    case 'reseal':
      return { ...task, range: copy(task.range) }
    case 'check':
      return { ...task, pack: copy(task.pack) }
    default:
      return task
  }
}

function copy(bytes: Uint8Array): Uint8Array {
  return bytes.buffer instanceof SharedArrayBuffer ? bytes : Uint8Array.from(bytes)
}
