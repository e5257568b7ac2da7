import { opKeyFor, readBitmapName } from '../../names.ts'
import { planAbort, planCommit, type BitmapAction } from '../../qmp/index.ts'
import type { OpContext } from '../../driver.ts'
import type { DiskKey, OpKey, PointId, PointInTime, Residue } from '../../values.ts'
import { disksInQemu, type DiskBitmaps } from '../disks.ts'
import { stop } from '../launch.ts'
import { isRunning, isStopped, runState, withMonitor, type Vm } from '../vm.ts'
import { removeBitmaps } from './bitmaps.ts'
import { dismantle, removeFiles, scratchFolders, Undoing, type Selection } from './dismantle.ts'
import { dropConfig } from './kept-config.ts'
import { removeStored } from './offline.ts'
import { readRounds, removeRound, type RoundRecord } from './record.ts'
import { resumeOurs, thawIfFrozen } from './revive.ts'

/** Which bitmaps a disk loses at the end of the round. */
type Ending = (view: DiskBitmaps) => BitmapAction[]

/** After the repository has validated the point: it becomes the reference of the disks in `stored`, the others keep
 *  theirs (drivers.md §6.3). */
export async function commitRound(
  vm: Vm,
  ctx: OpContext,
  point: PointInTime,
  stored: readonly DiskKey[],
): Promise<readonly Residue[]> {
  const id = { installation: ctx.installation, tracker: point.tracker, point: point.id }
  const ending: Ending = (view) => (stored.includes(view.key) ? planCommit(id, view) : planAbort(id, view))
  const undoing = new Undoing()
  const selected: Selection = (opKey) => opKey === point.opKey
  await end(vm, ctx, selected, ending, undoing)
  return undoing.residue
}

/** Undoes the round with this opKey from whatever state it is in. */
export async function abortRound(vm: Vm, ctx: OpContext): Promise<readonly Residue[]> {
  return await undoRounds(vm, ctx, (opKey) => opKey === ctx.opKey)
}

/**
 * Undoes every selected round; of those whose bitmaps are not selected, the bitmaps stay. What belongs to which is in
 * the names: a bitmap names its point, and the point's opKey is derived from it, so that nothing has to be remembered.
 */
export async function undoRounds(
  vm: Vm,
  ctx: OpContext,
  selected: Selection,
  bitmapsOf = selected,
): Promise<readonly Residue[]> {
  const isMeant = (name: string): PointId | null => {
    const read = readBitmapName(name)
    if (read?.installation !== ctx.installation) return null
    return bitmapsOf(opKeyFor(ctx.installation, vm.ref, read.point)) ? read.point : null
  }
  const ending: Ending = (view) => {
    const points = new Set(view.bitmaps.map((b) => isMeant(b.name)).filter((p) => p !== null))
    return [...points].flatMap((point) => planAbort({ installation: ctx.installation, point }, view))
  }
  const undoing = new Undoing()
  await end(vm, ctx, selected, ending, undoing)
  if (!(await isRunning(vm))) await removeStored(vm, (name) => isMeant(name) !== null, undoing)
  return undoing.residue
}

async function end(vm: Vm, ctx: OpContext, selected: Selection, ending: Ending, undoing: Undoing): Promise<void> {
  const rounds = (await readRounds(vm, ctx.installation)).filter((r) => selected(r.opKey as OpKey))
  try {
    await withMonitor(vm, async (monitor) => {
      await resumeOurs(vm, monitor, rounds, selected)
      await dismantle(vm, monitor, selected, undoing)
      await removeBitmaps(monitor, (await disksInQemu(monitor)).flatMap(ending), undoing)
    })
    if (rounds.some((r) => r.freezing)) await thawIfFrozen(vm, true)
    await quitIfOurs(vm, rounds, undoing)
  } catch (error) {
    if (!isStopped(error)) throw error
  }
  await removeFiles(vm, selected, scratchFolders(vm, rounds), undoing)
  if (undoing.residue.length > 0) return
  for (const { opKey } of rounds)
    await undoing.try('lock', opKey, async () => {
      await dropConfig(vm, opKey as OpKey)
      await removeRound(vm, opKey as OpKey)
    })
}

/** A VM that was off when the round began, and that nobody has let run since, is switched off again. */
async function quitIfOurs(vm: Vm, rounds: readonly RoundRecord[], undoing: Undoing): Promise<void> {
  if (!rounds.some((r) => r.startedByUs)) return
  const untouched = await withMonitor(vm, async (monitor) => (await runState(monitor)) === 'prelaunch')
  if (untouched)
    await undoing.try('process', vm.ref.id, () =>
      vm.host.effects.run('program: end qemu', () => stop(vm.dir, { how: 'quit', limit: 30_000 })),
    )
}
