import { Context } from '@temporalio/activity'
import type { Endpoint, HypervisorDriver, OpContext } from '../../drivers/index.ts'
import { Pulse } from './pulse.ts'
import type { PulseOptions } from './pulse.ts'
import type { Site } from './deps.ts'

/** Where and under which key a step works: `operation` is the point id of a backup or the operation of a restore. */
export interface Place {
  readonly endpoint: Endpoint
  readonly operation: string
  /** Backup: the VM. Restore: the endpoint itself, for the VM does not exist yet. */
  readonly vm?: { readonly scope: string; readonly id: string }
}

export interface Operation {
  readonly driver: HypervisorDriver
  readonly ctx: OpContext
  readonly pulse: Pulse
}

/** The operation of every step that only looks: nothing is made under it. */
export const lookOperation = '0'.repeat(32)

/** Runs one step at a hypervisor: connection, operation key, heartbeat and cancellation belong together. */
export async function operate<T>(
  site: Site,
  place: Place,
  work: (operation: Operation) => Promise<T>,
  options: Partial<PulseOptions> = {},
): Promise<T> {
  let what = 'starting'
  using pulse = new Pulse(Context.current(), {
    stallTimeoutMs: () => null,
    details: (quietMs) => ({ v: 1, what, quietMs }),
    now: () => site.now(),
    ...options,
  })
  const ctx: OpContext = {
    opKey: site.opKey(place.vm ?? restoreKeyOwner(place.endpoint), place.operation),
    installation: site.tag,
    signal: pulse.signal,
    progress: (progress) => {
      what = progress.what
      pulse.moved()
    },
    now: () => site.instant(),
    log: site.log,
  }
  // `await`: the pulse must beat until the work has ended, not until it has begun.
  return await site.driver(place.endpoint, (driver) => work({ driver, ctx, pulse }))
}

/** A restore makes its VM: its key is bound to the endpoint and the operation alone. */
export function restoreKeyOwner(endpoint: Endpoint): { readonly scope: string; readonly id: string } {
  return { scope: String(endpoint.options['scope'] ?? endpoint.id), id: 'restore' }
}

/** Runs one step at a repository, with heartbeat and cancellation. */
export async function beating<T>(
  site: Site,
  work: (pulse: Pulse) => Promise<T>,
  options: Partial<PulseOptions> = {},
): Promise<T> {
  using pulse = new Pulse(Context.current(), {
    stallTimeoutMs: () => null,
    details: (quietMs) => ({ v: 1, what: 'working', quietMs }),
    now: () => site.now(),
    ...options,
  })
  return await work(pulse)
}
