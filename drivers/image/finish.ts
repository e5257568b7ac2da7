import { describeError, isHoldfastError } from '../../base/index.ts'
import { opKeyFor, readBitmapName } from '../names.ts'
import { isDeath } from '../qemu/effects.ts'
import { planAbort, planCommit, type BitmapAction, type DiskView } from '../qmp/index.ts'
import type { OpContext } from '../driver.ts'
import type { DiskKey, OpKey, OwnedKind, PointInTime, Residue } from '../values.ts'
import { listExports, stopExport } from './exports.ts'
import { inspectImage, removeBitmap } from './images.ts'
import type { ImageDisk, ImageVm } from './vms.ts'

type Selection = (opKey: OpKey) => boolean

/** The point is stored: it alone remains on the disks in `stored`, the others keep their reference. */
export async function commitRound(
  vm: ImageVm,
  ctx: OpContext,
  point: PointInTime,
  stored: readonly DiskKey[],
): Promise<readonly Residue[]> {
  const id = { installation: ctx.installation, tracker: point.tracker, point: point.id }
  return await end(
    vm,
    (opKey) => opKey === point.opKey,
    (view) => {
      return stored.includes(view.key) ? planCommit(id, view) : planAbort(id, view)
    },
  )
}

/**
 * Ends the exports of the selected rounds and takes their bitmaps away, from whatever state, and from names alone: a
 * bitmap names its point, and the point's opKey is derived from it.
 */
export async function undoRounds(
  vm: ImageVm,
  ctx: OpContext,
  selected: Selection,
  bitmapsOf = selected,
): Promise<readonly Residue[]> {
  return await end(vm, selected, (view) => {
    const points = view.bitmaps.flatMap((b) => {
      const name = readBitmapName(b.name)
      const ours = name?.installation === ctx.installation && bitmapsOf(opKeyFor(ctx.installation, vm.ref, name.point))
      return ours ? [name.point] : []
    })
    return [...new Set(points)].flatMap((point) => planAbort({ installation: ctx.installation, point }, view))
  })
}

/** Ignores cancellation: an ending is finished. */
async function end(
  vm: ImageVm,
  selected: Selection,
  ending: (view: DiskView) => readonly BitmapAction[],
): Promise<readonly Residue[]> {
  const residue: Residue[] = []
  const attempt = async (kind: OwnedKind, id: string, undo: () => Promise<unknown>): Promise<void> => {
    try {
      await undo()
    } catch (error) {
      if (isDeath(error)) throw error
      residue.push({
        kind,
        id,
        error: describeError(error),
        hint: 'Holdfast tries again at the next run on this VM; the orphan sweep lists it until it is gone.',
      })
    }
  }
  for (const { name, opKey } of await listExports(vm))
    if (selected(opKey)) await attempt('process', name, () => stopExport(vm, name))
  for (const disk of vm.disks.filter((d) => d.format === 'qcow2')) {
    await attempt('bitmap', disk.key, async () => {
      for (const action of ending(await storedBitmaps(vm, disk)))
        if (action.do === 'remove')
          await attempt('bitmap', `${disk.key}/${action.name}`, () => removeBitmap(vm, disk, action.name))
    })
  }
  return residue
}

/**
 * While a VM has the image open its header lists the bitmaps that were there when it was opened, and ours are made only
 * when nobody has it open: so a locked image with none of ours needs nothing.
 */
async function storedBitmaps(vm: ImageVm, disk: ImageDisk): Promise<DiskView> {
  const never = new AbortController().signal
  try {
    return (await inspectImage(vm, disk, never)).view
  } catch (error) {
    if (!isHoldfastError(error) || error.code !== 'Busy') throw error
    return (await inspectImage(vm, disk, never, true)).view
  }
}
