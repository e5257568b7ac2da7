import { median } from './anomaly.ts'

/** What one VM was measured to do: of what its disks hold, the share that changes in a day; of that, what is stored; null: nothing was read. */
export interface MeasuredRate {
  readonly changeShare: number
  readonly storedShare: number | null
}

export interface Rates {
  readonly changeShare: number
  readonly storedShare: number
  /** By so many VMs; 0: by what is usual. */
  readonly measuredVms: number
}

/** Where nothing was measured (product P-CAPACITY): in a day 5 to 10 % change, and half remains after deduplication and compression. */
const usual: Rates = { changeShare: 0.08, storedShare: 0.5, measuredVms: 0 }
/** Fewer say what they do themselves, and little of what another one will. */
const fewestVms = 3

/** What to expect of a VM of which nothing is known: the middle one of those that were measured. */
export function expectedRates(measured: readonly MeasuredRate[]): Rates {
  const stored = measured.flatMap(({ storedShare }) => storedShare ?? [])
  if (stored.length < fewestVms) return usual
  const share = (value: number): number => Math.min(1, Math.max(0.001, value))
  return {
    changeShare: share(median(measured.map(({ changeShare }) => changeShare))),
    storedShare: share(median(stored)),
    measuredVms: measured.length,
  }
}
