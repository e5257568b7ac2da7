import { statfs } from 'node:fs/promises'
import { MiB } from '../../../base/index.ts'
import type { OpKey } from '../../values.ts'
import { runState, type Monitor, type Vm } from '../vm.ts'
import { dismantle, removeScratch, scratchFolders, Undoing, type Selection } from './dismantle.ts'
import type { RoundRecord } from './record.ts'

/**
 * The space of a file system that our scratch never takes: its last twentieth, at most 256 MiB. Other writers live
 * there, first of all the guest, whose own thin disks grow in the same place unless `scratch` says otherwise.
 */
export async function spaceLeft(folder: string): Promise<{ readonly free: number; readonly kept: number }> {
  const { bavail, bsize, blocks } = await statfs(folder)
  return { free: bavail * bsize, kept: Math.min(256 * MiB, Math.floor((blocks * bsize) / 20)) }
}

export async function isShort(folder: string): Promise<boolean> {
  const { free, kept } = await spaceLeft(folder)
  return free < kept
}

/**
 * Takes away what the selected rounds keep in QEMU and their scratch, so that its space is free again: the backup is
 * broken instead of the guest. Bitmaps and records stay for the round's ending.
 */
export async function giveUp(
  vm: Vm,
  monitor: Monitor,
  rounds: readonly RoundRecord[],
  selected: Selection,
): Promise<void> {
  // What cannot be removed now is found, and reported, by the round's ending.
  const undoing = new Undoing()
  await dismantle(vm, monitor, selected, undoing)
  await removeScratch(vm, selected, scratchFolders(vm, rounds), undoing)
}

/**
 * Frees a guest that waits for space while a round of ours is open (drivers.md §6.5), in either variant: the job's full
 * scratch stops it at once; the filter's breaks the snapshot, but what it has filled is missing to the guest's own disk.
 * The guest loses nothing; the round is broken. Returns false if the guest does not wait, or there is no such round.
 */
export async function rescue(
  vm: Vm,
  monitor: Monitor,
  rounds: readonly RoundRecord[],
  selected: Selection,
): Promise<boolean> {
  if (!rounds.some((r) => selected(r.opKey as OpKey)) || (await runState(monitor)) !== 'io-error') return false
  await giveUp(vm, monitor, rounds, selected)
  await monitor.call('cont')
  return true
}
