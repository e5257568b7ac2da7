import { isHoldfastError } from '../../base/index.ts'
import type { Repository } from '../../repository/index.ts'
import { instantHoldActor } from '../../workflows/instant/contract.ts'
import type { Site } from '../shared/deps.ts'
import { ServedRecords } from './records.ts'
import type { ServedPoint } from './types.ts'

/**
 * Keeps the point in its repository as long as it is served, whoever prunes there and whatever becomes of the run: a guest
 * that runs from it outlives both. Throws HoldRefused for a point that is going already. again: yes.
 */
export async function holdServed(
  site: Site,
  { operation, repository: ref, stem }: ServedPoint,
  signal: AbortSignal,
): Promise<void> {
  const records = new ServedRecords(site.options.servedDir)
  const isKnown = (await records.readHold(operation)) !== undefined
  // Before the hold itself: whatever kills us in between, who ends the serving knows that there may be one.
  if (!isKnown) await records.writeHold({ v: 1, operation, repository: ref, stem })
  await site.repository(ref, async (repository) => {
    if (isKnown && (await holdsOf(repository, operation, signal)).length > 0) return
    const reason = 'a VM runs from it: instant restore'
    try {
      await repository.hold({ stem, type: 'pin', actor: instantHoldActor(operation), reason }, signal)
    } catch (error) {
      // Read-only access must be enough for a restore; the control plane keeps the point as long as the run lasts.
      if (!isHoldfastError(error) || error.code !== 'StoreDenied') throw error
      site.log.warn({ stem, error: error.message }, 'a point that is served could not be held in its repository')
    }
  })
}

/** again: yes, and of a point that was never held. */
export async function releaseServed(site: Site, operation: string, signal: AbortSignal): Promise<void> {
  const records = new ServedRecords(site.options.servedDir)
  const held = await records.readHold(operation)
  if (held === undefined) return
  await site.repository(held.repository, async (repository) => {
    for (const name of await holdsOf(repository, operation, signal)) await repository.release(name)
  })
  await records.removeHold(operation)
}

async function holdsOf(repository: Repository, operation: string, signal: AbortSignal): Promise<readonly string[]> {
  const actor = instantHoldActor(operation)
  return (await repository.listHolds(signal)).filter((hold) => hold.actor === actor).map(({ name }) => name)
}
