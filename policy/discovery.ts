import { isWithin } from './watch.ts'

/** All times in Unix milliseconds. */
export interface DiscoveryFacts {
  readonly nowMs: number
  readonly createdMs: number
  /** When the VMs there were last listed to the end; null: never. */
  readonly discoveredMs: number | null
  /** When somebody last tried; null: not as far as is known. */
  readonly triedMs: number | null
}

/** Whether the VMs of a hypervisor are to be listed again; what failed waits as long as what went well. */
export function isDiscoveryDue({ nowMs, createdMs, discoveredMs, triedMs }: DiscoveryFacts, everyMs: number): boolean {
  return [createdMs, discoveredMs, triedMs].every((ms) => ms === null || !isWithin(ms, everyMs, nowMs))
}

/** A VM that came after it is protected by nobody, and nothing says so. */
const staleAfterMs = 86_400_000

/** Whether nobody knows any more which VMs are there. */
export function isListingStale(
  { nowMs, createdMs, discoveredMs }: Omit<DiscoveryFacts, 'triedMs'>,
  everyMs: number,
): boolean {
  return !isWithin(discoveredMs ?? createdMs, Math.max(staleAfterMs, 4 * everyMs) + 1, nowMs)
}
