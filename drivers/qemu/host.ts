import { HoldfastError } from '../../base/index.ts'
import type { Endpoint } from '../values.ts'
import type { Effects } from './effects.ts'

/**
 * A `qemu` endpoint: `address` is the folder that holds the VMs' folders. Options:
 *   scope                  UUID of the endpoint, made at its creation (rulings 6). Needed.
 *   scratch                folder for scratch images, a folder in it for each VM; default: the VM's own. The last twentieth of
 *                          its file system, at most 256 MiB, is left to others: a point that needs more is given up
 *   fleecing               'auto' (default): the filter where QEMU has it, else the job · 'filter' · 'job'
 *   scratchReserve         free space to begin with where a full scratch would stop the guest (the job variant, or disks on
 *                          the same file system), as a fraction of each disk; default 0.1
 *   freezeWithoutDeadline  true: freeze guests in which no thaw deadline can be armed. Default false: such a guest
 *                          would stay frozen if this worker died at the wrong moment
 */
export interface Host {
  readonly endpoint: Endpoint
  readonly scope: string
  readonly scratch: string | null
  readonly fleecing: 'auto' | 'filter' | 'job'
  readonly scratchReserve: number
  readonly freezeWithoutDeadline: boolean
  readonly effects: Effects
}

export function hostOf(endpoint: Endpoint, effects: Effects): Host {
  const { options } = endpoint
  const scope = options['scope']
  if (typeof scope !== 'string' || scope === '')
    throw invalid(endpoint, 'scope', 'a UUID, made once when the endpoint is created')
  const fleecing = options['fleecing'] ?? 'auto'
  if (fleecing !== 'auto' && fleecing !== 'filter' && fleecing !== 'job')
    throw invalid(endpoint, 'fleecing', "'auto', 'filter' or 'job'")
  const scratch = options['scratch'] ?? null
  if (scratch !== null && typeof scratch !== 'string') throw invalid(endpoint, 'scratch', 'a folder')
  const scratchReserve = options['scratchReserve'] ?? 0.1
  if (typeof scratchReserve !== 'number' || !(scratchReserve >= 0 && scratchReserve <= 1))
    throw invalid(endpoint, 'scratchReserve', 'a number from 0 to 1')
  return {
    endpoint,
    scope,
    scratch,
    fleecing,
    scratchReserve,
    freezeWithoutDeadline: options['freezeWithoutDeadline'] === true,
    effects,
  }
}

function invalid(endpoint: Endpoint, option: string, want: string): HoldfastError {
  return new HoldfastError('ConfigInvalid', `endpoint ${endpoint.id}: option “${option}” must be ${want}`, {
    hint: `Correct the option “${option}” of the endpoint.`,
  })
}
