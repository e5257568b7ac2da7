import type { MustFullReason, PointId } from '../../values.ts'
import { bitmapNames, readBitmapName, trackerTag, type BitmapName } from '../../names.ts'
import type { BitmapAction, BitmapView, DiskPlan, DiskView, DiskWish, RoundId } from './types.ts'

/**
 * The bitmap round of drivers.md §6 as pure functions: what the queries show → what to do. The algebra is the one of
 * libvirt (docs/adr/0301): the reference `record(H)` records on while the round for `P` is under way, and so does
 * `record(P)`; at every instant each of them is a true account of what changed since its own point. Therefore
 *   commit  removes everything of the tracker but P,
 *   abort   removes P,
 * nothing is ever merged back, and a crash between any two steps leaves two valid references, of which the next
 * round's `since` names the one to keep.
 */

/** What an ending looks at. */
type NodeBitmaps = Pick<DiskView, 'node' | 'bitmaps'>

/** Decides full or incremental for one disk and plans the switch. `since` alone says what the repository holds. */
export function planBegin(id: RoundId, wish: DiskWish): DiskPlan {
  const { view } = wish
  const names = bitmapNames(id.installation, id.tracker, id.point)
  const why = wish.full ?? judge(id, wish)
  const persistent = view.tracking === 'persistent'
  const begin: BitmapAction[] = []
  if (why === null && wish.since) {
    const head = bitmapNames(id.installation, id.tracker, wish.since.point)
    begin.push(
      { do: 'add', node: view.node, name: names.frozen, persistent: false, disabled: true },
      { do: 'merge', node: view.node, target: names.frozen, from: { node: view.node, name: head.record } },
      // A disk that was shrunk within its last granule and grown back shows no trace at all: that granule is always read.
      { do: 'merge', node: view.node, target: names.frozen, from: wish.seed },
    )
  }
  begin.push(
    { do: 'add', node: view.node, name: names.tail, persistent, disabled: true },
    { do: 'merge', node: view.node, target: names.tail, from: wish.seed },
    { do: 'add', node: view.node, name: names.record, persistent, disabled: false },
  )
  return { key: view.key, mode: why === null ? 'incremental' : 'full', why, cleanup: removals(stale(id, wish)), begin }
}

/** The point is stored: it alone remains, and is the reference from now on. Total: any state will do. */
export function planCommit(id: RoundId, view: NodeBitmaps): BitmapAction[] {
  return removals(ours(id, view).filter(({ name }) => name.point !== id.point || name.role === 'frozen'))
}

/** The point is not stored: everything of it goes. Needs no tracker, so that the point's id is enough. Total as well. */
export function planAbort(id: Pick<RoundId, 'installation' | 'point'>, view: NodeBitmaps): BitmapAction[] {
  return removals(
    reachable(view).flatMap((bitmap) => {
      const name = readBitmapName(bitmap.name)
      return name?.installation === id.installation && name.point === id.point ? [{ bitmap, name }] : []
    }),
  )
}

/** The tracker's own record must be on the disk's node, recording, of a disk that never changed its size since. */
function judge(id: RoundId, { view, since }: DiskWish): MustFullReason | null {
  if (since === null) return 'no-parent'
  if (since.kind !== 'qemu-bitmap') return 'reference-missing'
  const names = bitmapNames(id.installation, id.tracker, since.point)
  if (since.tracker !== id.tracker || since.token !== names.record) return 'reference-of-another-point'
  if (since.volume !== view.volume) return 'volume-changed'
  if (since.size !== view.size) return 'size-changed'
  if (since.epoch !== view.tracking) return 'epoch-changed'
  const find = (name: string): BitmapView | undefined => view.bitmaps.find((b) => b.name === name)
  const record = find(names.record)
  if (!record) return another(id, view, since.point) ? 'reference-of-another-point' : 'reference-missing'
  if (record.inconsistent) return 'reference-inconsistent'
  // A node that is no longer on top does not see the guest's writes, though its bitmap still says “recording”.
  if (record.node !== view.node) return 'foreign-snapshot'
  if (!record.recording) return 'reference-inactive'
  const tail = find(names.tail)
  if (!tail || tail.inconsistent || tail.node !== record.node) return 'reference-inconsistent'
  // Shrinking a disk drops the bits behind its new end, and growing it again does not bring them back (R7): the only
  // trace is that the last granule is no longer set.
  return tail.count === 0 ? 'size-changed' : null
}

function another(id: RoundId, view: DiskView, point: PointId): boolean {
  return ours(id, view).some(({ name, bitmap }) => name.role === 'record' && name.point !== point && bitmap.recording)
}

/**
 * What goes before the switch (drivers.md §6.4). P itself: nothing was copied from an earlier attempt. Frozen copies
 * and bitmaps that record no more: of no use to anyone. Of two records, one of which `since` names, the other is the
 * losing side of a round that was never ended. A single other record stays until this round has committed: if it
 * fails, the next one may still name it.
 */
function stale(id: RoundId, { view, since }: DiskWish): readonly Found[] {
  const found = ours(id, view)
  const keep = since?.point
  const records = found.filter(
    ({ name, bitmap }) => name.role === 'record' && name.point !== id.point && isLive(bitmap, view),
  )
  const points = new Set(records.map((r) => r.name.point))
  const decided = points.size > 1 || (keep !== undefined && points.has(keep))
  return found.filter(({ name }) => {
    if (name.point === id.point || name.role === 'frozen' || !points.has(name.point)) return true
    return decided && name.point !== keep
  })
}

function isLive(bitmap: BitmapView, view: DiskView): boolean {
  return bitmap.recording && !bitmap.inconsistent && bitmap.node === view.node
}

interface Found {
  readonly bitmap: BitmapView
  readonly name: BitmapName
}

function ours(id: RoundId, view: NodeBitmaps): Found[] {
  const tracker = trackerTag(id.tracker)
  return reachable(view).flatMap((bitmap) => {
    const name = readBitmapName(bitmap.name)
    return name?.installation === id.installation && name.tracker === tracker ? [{ bitmap, name }] : []
  })
}

/** Below an overlay a bitmap is read-only; it is cleared away once its node is on top again. */
function reachable(view: NodeBitmaps): readonly BitmapView[] {
  return view.bitmaps.filter((b) => b.node === view.node)
}

function removals(found: readonly Found[]): BitmapAction[] {
  return found.map(({ bitmap }) => ({ do: 'remove', node: bitmap.node, name: bitmap.name }))
}
