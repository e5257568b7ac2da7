import { HoldfastError } from '../../../base/index.ts'
import { readDiskName } from '../../names.ts'
import type { OpContext } from '../../driver.ts'
import type { TrackerId } from '../../values.ts'
import { isStopped, withMonitor, type Vm } from '../vm.ts'
import { queryExports, type ExportInfo } from './dismantle.ts'
import { readRounds } from './record.ts'

/** A point may stand open for a day (ADR 0605); what is older by some hours was left by a run that is gone. */
const longestServedMs = 30 * 3_600_000
/** Nothing is served yet: it is being opened, which takes seconds, or its QEMU has ended and it is broken. */
const longestOpeningMs = 10 * 60_000

/**
 * Backups and replication have a tracker each, and QEMU has one NBD server: the round of another tracker that may still
 * be read is not ended for ours. In words, or null: there is none.
 */
export async function otherRound(
  vm: Vm,
  ctx: OpContext,
  tracker: TrackerId,
  exports: readonly ExportInfo[],
): Promise<string | null> {
  const others = (await readRounds(vm, ctx.installation)).filter((one) => one.tracker !== tracker)
  const now = Date.parse(ctx.now())
  const live = others.find(({ opKey, createdAt }) => {
    const isServed = exports.some(({ id }) => readDiskName(id)?.opKey === opKey)
    return now - Date.parse(createdAt) < (isServed ? longestServedMs : longestOpeningMs)
  })
  if (live === undefined) return null
  return `another run of ours reads VM “${vm.description.name}” since ${live.createdAt}`
}

/** Throws `Busy`. */
export async function requireNoOther(vm: Vm, ctx: OpContext, tracker: TrackerId): Promise<void> {
  const exports = await withMonitor(vm, queryExports, ctx.signal).catch((error: unknown) => {
    if (isStopped(error)) return []
    throw error
  })
  const other = await otherRound(vm, ctx, tracker, exports)
  if (other === null) return
  throw new HoldfastError('Busy', other, {
    hint: 'It goes on when that one has ended; a run that was cut off is ended by the next run of its own kind.',
    retryAfter: 15_000,
    data: { otherRound: true },
  })
}
