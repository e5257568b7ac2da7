import { HoldfastError, bytes, isHoldfastError, toHoldfastError } from '../../base/index.ts'
import { connectNbd, dirtyRanges } from '../../nbd/index.ts'
import { bitmapNames, installationTag, ownsOpKey } from '../names.ts'
import { readOwnerFile } from '../owner-file.ts'
import { isDeath } from '../qemu/effects.ts'
import { planBegin, type BitmapAction, type DiskPlan, type DiskView } from '../qmp/index.ts'
import type { OpContext } from '../driver.ts'
import type {
  ChangeRef,
  DiskPoint,
  DiskRequest,
  MustFullReason,
  OpKey,
  PointInTime,
  PointRequest,
  Residue,
} from '../values.ts'
import { exportName, exportSocket, startExport, stopExport } from './exports.ts'
import { undoRounds } from './finish.ts'
import { applyBitmaps, fingerprint, inspectImage, removeBitmap, type ImageState } from './images.ts'
import type { ImageVm } from './vms.ts'

/** What one disk of the request comes to; `plan` is null for a format that keeps no bitmaps. */
export interface PlannedImage {
  readonly state: ImageState
  readonly wish: DiskRequest
  readonly plan: DiskPlan | null
  readonly mode: 'full' | 'incremental'
  readonly why: MustFullReason | null
}

/** Name that the planner knows the lender of the tail's bit by. */
const seed = { node: 'seed', name: 'seed' }

/**
 * openPoint of the interface. Nobody writes to the images while the point is open, so there is nothing to freeze and
 * nothing to copy aside: the reference bitmap is exported as it is, and the next one is added before (drivers.md §9).
 * qcow2 images are locked against writers by the exports; raw images can not be, so their change time is the witness.
 */
export async function openRound(vm: ImageVm, ctx: OpContext, request: PointRequest): Promise<PointInTime> {
  const owner = await readOwnerFile(vm.ownerFile)
  if (owner && installationTag(owner.installation) !== ctx.installation)
    throw new HoldfastError(
      'ForeignOwner',
      `VM “${vm.ref.name}” is protected by the Holdfast installation “${owner.name}”`,
    )
  // What an earlier round left goes; its bitmaps stay, because `since` decides about those.
  const left = await undoRounds(
    vm,
    ctx,
    (opKey) => ownsOpKey(ctx.installation, opKey),
    (opKey) => opKey === ctx.opKey,
  )
  if (left.length > 0) ctx.log.warn({ vm: vm.ref.id, residue: left }, 'some of an earlier round could not be removed')
  try {
    return await open(vm, ctx, request)
  } catch (error) {
    throw await undone(vm, ctx, error)
  }
}

async function open(vm: ImageVm, ctx: OpContext, request: PointRequest): Promise<PointInTime> {
  const planned = await planImages(vm, ctx, request)
  for (const { state, plan } of planned) {
    await removeStale(vm, ctx, state, plan?.cleanup ?? [])
    await applyBitmaps(
      vm,
      state,
      (plan?.begin ?? []).filter((a) => !isFrozen(a, ctx, request)),
      ctx.signal,
    )
  }
  const prints = await Promise.all(planned.map(({ state }) => fingerprint(state.disk.file)))
  const disks = planned.map((p, n) => diskPoint(vm, ctx, request, p, n, prints[n] ?? ''))
  for (const [n, disk] of disks.entries()) {
    await startExport(vm, exportOf(planned[n]?.state.disk, disk))
    ctx.progress({ what: 'image opened', disk: disk.disk.key })
  }
  // From here on all are open at once; what was written to one of them before is another state of the VM.
  const createdAt = ctx.now()
  for (const [n, { state }] of planned.entries())
    if ((await fingerprint(state.disk.file)) !== prints[n]) throw moved(vm, state)
  return {
    v: 1,
    id: request.pointId,
    opKey: ctx.opKey,
    tracker: request.tracker,
    vm: vm.ref,
    createdAt,
    consistency: 'crash',
    quiesce: {
      freezeDurationMs: null,
      degraded: request.want === 'crash' ? null : 'the VM is not running: its disks are as the guest left them',
    },
    atomic: true,
    disks,
    expiresAt: null,
    locator: {},
  }
}

/** Looks at all images of the request and decides per disk. Changes nothing. */
export async function planImages(vm: ImageVm, ctx: OpContext, request: PointRequest): Promise<readonly PlannedImage[]> {
  const out: PlannedImage[] = []
  for (const wish of request.disks) {
    const disk = vm.disks.find((d) => d.key === wish.disk)
    if (!disk)
      throw new HoldfastError('NotFound', `VM “${vm.ref.name}” has no disk ${wish.disk}`, {
        hint: `It has ${vm.disks.map((d) => d.key).join(', ')}.`,
      })
    const state = await inspectImage(vm, disk, ctx.signal)
    if (state.ref.skip !== null)
      throw new HoldfastError(
        'Unsupported',
        `disk ${disk.key} of VM “${vm.ref.name}” is encrypted by its image format`,
        {
          hint: 'Take it out of the plan; Holdfast cannot read inside.',
        },
      )
    out.push(await planImage(vm, ctx, request, state, wish))
  }
  return out
}

async function planImage(
  vm: ImageVm,
  ctx: OpContext,
  request: PointRequest,
  state: ImageState,
  wish: DiskRequest,
): Promise<PlannedImage> {
  if (state.disk.format !== 'qcow2')
    return { state, wish, plan: null, mode: 'full', why: wish.full ?? 'tracking-unsupported' }
  const id = { installation: ctx.installation, tracker: request.tracker, point: request.pointId }
  const view =
    wish.since === null
      ? state.view
      : await withTail(vm, ctx, state, bitmapNames(ctx.installation, request.tracker, wish.since.point).tail)
  const plan = planBegin(id, { view, since: wish.since, full: wish.full, seed })
  return { state, wish, plan, mode: plan.mode, why: plan.why }
}

/** The view with the true count of the tail mark: whether its last granule is still set. */
async function withTail(vm: ImageVm, ctx: OpContext, state: ImageState, tail: string): Promise<DiskView> {
  const { view, disk } = state
  if (!view.bitmaps.some((b) => b.name === tail && !b.inconsistent)) return view
  const name = exportName(ctx.opKey, 999)
  await startExport(vm, { name, disk, bitmaps: [tail], writable: false, lifetime: 'parent' })
  try {
    const context = `qemu:dirty-bitmap:${tail}`
    await using client = await connectNbd({
      address: { kind: 'unix', path: exportSocket(vm, name) },
      exportName: disk.key,
      contexts: [context],
      signal: ctx.signal,
    })
    let count = 0
    const end = { start: bytes(Math.max(0, view.size - 65_536)), end: bytes(view.size) }
    for await (const range of dirtyRanges(client, context, end, ctx.signal)) count += range.end - range.start
    return { ...view, bitmaps: view.bitmaps.map((b) => (b.name === tail ? { ...b, count } : b)) }
  } finally {
    await stopExport(vm, name)
  }
}

function diskPoint(
  vm: ImageVm,
  ctx: OpContext,
  request: PointRequest,
  p: PlannedImage,
  n: number,
  print: string,
): DiskPoint {
  const { ref, view } = p.state
  const record = bitmapNames(ctx.installation, request.tracker, request.pointId).record
  const next: ChangeRef | null = p.plan && {
    kind: 'qemu-bitmap',
    point: request.pointId,
    tracker: request.tracker,
    token: record,
    epoch: view.tracking,
    volume: view.volume,
    size: bytes(view.size),
  }
  const since = p.mode === 'incremental' ? p.wish.since : null
  return {
    disk: ref,
    mode: p.mode,
    why: p.why,
    since,
    next,
    readable: 'all',
    reader: 'nbd',
    locator: {
      export: ref.key,
      name: exportName(ctx.opKey, n),
      socket: exportSocket(vm, exportName(ctx.opKey, n)),
      bitmap: since?.token ?? null,
      print,
    },
  }
}

/** What serves this disk of a point. */
export function exportOf(disk: ImageState['disk'] | undefined, point: DiskPoint): Parameters<typeof startExport>[1] {
  if (!disk) throw new HoldfastError('NotFound', `the VM has no disk ${point.disk.key} any more`)
  const { name, bitmap } = point.locator
  return {
    name: String(name),
    disk,
    bitmaps: typeof bitmap === 'string' ? [bitmap] : [],
    writable: false,
    lifetime: 'detached',
  }
}

/** Nothing writes during the read, so no frozen copy of the reference is needed. */
function isFrozen(action: BitmapAction, ctx: OpContext, request: PointRequest): boolean {
  const { frozen } = bitmapNames(ctx.installation, request.tracker, request.pointId)
  return action.do === 'merge' ? action.target === frozen : action.name === frozen
}

/** Old bitmaps cost space and time but never the run (drivers.md R8). */
async function removeStale(
  vm: ImageVm,
  ctx: OpContext,
  { disk }: ImageState,
  cleanup: readonly BitmapAction[],
): Promise<void> {
  for (const action of cleanup) {
    if (action.do !== 'remove') continue
    try {
      await removeBitmap(vm, disk, action.name, ctx.signal)
    } catch (error) {
      if (!isHoldfastError(error) || error.code === 'Cancelled') throw error
      ctx.log.warn({ disk: disk.key, bitmap: action.name, error: error.message }, 'an old bitmap could not be removed')
    }
  }
}

function moved(vm: ImageVm, { disk }: ImageState): HoldfastError {
  return new HoldfastError(
    'Busy',
    `disk ${disk.key} of VM “${vm.ref.name}” was written to while the point was opened`,
    {
      hint: 'Shut the VM down, or protect it through the hypervisor that runs it.',
      retryAfter: 30_000,
    },
  )
}

async function undone(vm: ImageVm, ctx: OpContext, error: unknown): Promise<unknown> {
  if (isDeath(error)) return error
  const first = toHoldfastError(error)
  let residue: readonly Residue[]
  try {
    residue = await undoRounds(vm, ctx, (opKey: OpKey) => opKey === ctx.opKey)
  } catch (cause) {
    residue = [
      {
        kind: 'export',
        id: ctx.opKey,
        error: toHoldfastError(cause).message,
        hint: 'abortPoint tries again until it is undone.',
      },
    ]
  }
  if (residue.length === 0) return error
  return new HoldfastError(first.code, first.message, {
    hint: first.hint,
    cause: error,
    ...(first.native && { native: first.native }),
    ...(first.retryAfter !== undefined && { retryAfter: first.retryAfter }),
    data: { ...first.data, residue },
  })
}
