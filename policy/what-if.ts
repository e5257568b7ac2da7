import type { Forecast } from './forecast.ts'
import type { KeepRules } from './retention.ts'
import { simulateRetention } from './simulate.ts'

/** VMs that are not protected yet, or would be otherwise. */
export interface WhatIf {
  readonly vms: number
  /** Of each: what its disks hold. */
  readonly bytesPerVm: number
  /** Of that, what changes in a day; a share. Five to ten per cent where nothing was measured (product P-CAPACITY). */
  readonly changeShare: number
  /** What remains of it after deduplication and compression; a share. */
  readonly storedShare: number
  /** Room to leave over; a share of what is needed. */
  readonly headroom: number
  readonly keep: KeepRules
  /** Between two points of a VM. */
  readonly everyMs: number
}

export interface WhatIfMark {
  readonly timeMs: number
  /** By the forecast alone; never less than nothing. */
  readonly expectedBytes: number
  readonly addedBytes: number
  /** Both, with the headroom. */
  readonly neededBytes: number
}

const yearMs = 365 * 86_400_000

/** The coming year, a month apart, and the first day on which both together, headroom included, have no room left. */
export function whatIf(
  wish: WhatIf,
  from: { readonly nowMs: number; readonly storedBytes: number; readonly forecast: Pick<Forecast, 'perDay'> },
  capacityBytes: number | null,
): { readonly marks: readonly WhatIfMark[]; readonly fullMs: number | null } {
  const { nowMs, storedBytes, forecast } = from
  const times = Array.from({ length: Math.floor(yearMs / wish.everyMs) + 1 }, (_, n) => nowMs + n * wish.everyMs)
  const at = Array.from({ length: 53 }, (_, n) => nowMs + Math.round((yearMs * n) / 52))
  const full = wish.bytesPerVm * wish.storedShare
  const growth = { fullBytes: full, changedBytesPerDay: full * wish.changeShare }
  const { marks } = simulateRetention(times, wish.keep, growth, at)
  const weeks = marks.map(({ timeMs, bytes }): WhatIfMark => {
    const days = (timeMs - nowMs) / 86_400_000
    const expectedBytes = Math.max(0, Math.round(storedBytes + (forecast.perDay ?? 0) * days))
    const addedBytes = Math.round(bytes * wish.vms)
    return {
      timeMs,
      expectedBytes,
      addedBytes,
      neededBytes: Math.round((expectedBytes + addedBytes) * (1 + wish.headroom)),
    }
  })
  const over = capacityBytes === null ? undefined : weeks.find(({ neededBytes }) => neededBytes > capacityBytes)
  return { marks: weeks.filter((_, index) => index % 4 === 0), fullMs: over?.timeMs ?? null }
}
