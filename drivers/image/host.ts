import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { HoldfastError } from '../../base/index.ts'
import { MAX_SOCKET_PATH } from '../names.ts'
import type { Effects } from '../qemu/effects.ts'
import type { Endpoint } from '../values.ts'

/**
 * An `image` endpoint: `address` is the folder with the VMs. Options:
 *   scope   UUID of the endpoint, made at its creation (rulings 6). Needed.
 *   run     folder for sockets and pid files; default `.holdfast` in the address. The same for all workers of the site.
 */
export interface ImageHost {
  readonly endpoint: Endpoint
  readonly scope: string
  readonly runDir: string
  readonly effects: Effects
}

export function imageHost(endpoint: Endpoint, effects: Effects): ImageHost {
  const { scope, run } = endpoint.options
  if (typeof scope !== 'string' || scope === '')
    throw invalid(endpoint, 'scope', 'a UUID, made once when the endpoint is created')
  if (run !== undefined && typeof run !== 'string') throw invalid(endpoint, 'run', 'a folder')
  const runDir = run ?? join(endpoint.address, '.holdfast')
  // Below it: a folder per VM (9 bytes with its slash), in it `<opKey>.999.sock`.
  if (Buffer.byteLength(runDir) + 9 + 33 > MAX_SOCKET_PATH)
    throw invalid(endpoint, 'run', `a shorter path than ${runDir}: sockets lie in it`)
  return { endpoint, scope, runDir, effects }
}

/** Sockets and pid files of one VM, which may not have any; made when the first one is needed. */
export function runDirOf(host: ImageHost, vmId: string): string {
  return join(host.runDir, createHash('sha256').update(vmId).digest('hex').slice(0, 8))
}

function invalid(endpoint: Endpoint, option: string, want: string): HoldfastError {
  return new HoldfastError('ConfigInvalid', `endpoint ${endpoint.id}: option “${option}” must be ${want}`, {
    hint: `Correct the option “${option}” of the endpoint.`,
  })
}
