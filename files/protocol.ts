/**
 * What the API asks of the worker that has a point open, over a UNIX socket of their machine: one POST of a question, and
 * an answer as JSON or as a stream. An error is the JSON of a HoldfastError with a status of 400 and above; a stream that
 * fails in the middle is cut off, never ended.
 */
import { join } from 'node:path'
import { HoldfastError, MiB } from '../base/index.ts'
import { socketPath } from '../drivers/names.ts'

/** Of a stream so much waits on either side: what is handed over in small pieces costs each time. */
export const partBytes = 2 * MiB

export const sizeHeader = 'x-holdfast-size'

/** `session`: 32 hex digits. The name is the same for whoever has it open. */
export function sessionSocket(dir: string, session: string): string {
  if (!/^[0-9a-f]{32}$/.test(session)) throw new HoldfastError('InvalidRequest', 'not the id of a file session')
  return socketPath(join(dir, `${session}.sock`))
}
