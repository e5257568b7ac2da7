import { join } from 'node:path'
import { HoldfastError, bytes, millis, toHoldfastError } from '../../../base/index.ts'
import { installationTag, bitmapNames, ownsOpKey, socketFile, socketPath } from '../../names.ts'
import type { OpContext } from '../../driver.ts'
import type { ChangeRef, DiskPoint, PointInTime, PointRequest, Residue } from '../../values.ts'
import { exportName } from '../data/connect.ts'
import { inspectDisks, type DiskState } from '../disks.ts'
import { isDeath } from '../effects.ts'
import { launch } from '../launch.ts'
import { readOwner } from '../owner.ts'
import { Sentinel } from '../sentinel/sentinel.ts'
import { isRunning, runState, scratchFolder, withMonitor, type Monitor, type Vm } from '../vm.ts'
import { removeBitmaps } from './bitmaps.ts'
import { queryExports, Undoing } from './dismantle.ts'
import { requireNoOther } from './fence.ts'
import { undoRounds } from './finish.ts'
import { keepConfig } from './kept-config.ts'
import { Laps } from './laps.ts'
import { addNodes, chooseVariant, makeScratch, planDisks, type RoundDisk, type Variant } from './prepare.ts'
import { quiesced, type Quiesced } from './quiesce.ts'
import { writeRound, type RoundRecord } from './record.ts'
import { cutDisks, needsStop } from './switch.ts'

/**
 * openPoint of the interface: clears up what any earlier round left, prepares all that is slow, then freeze → switch →
 * thaw, then serves the point over NBD. If anything fails, the round is undone before the error is thrown; what could
 * not be undone is in `data.residue`.
 */
export async function openRound(vm: Vm, ctx: OpContext, request: PointRequest): Promise<PointInTime> {
  await requireOurs(vm, ctx)
  await requireNoOther(vm, ctx, request.tracker)
  await clearLeftovers(vm, ctx)
  try {
    return await open(vm, ctx, request)
  } catch (error) {
    throw await undone(vm, ctx, error)
  }
}

/**
 * At most one round is open per VM (R2): what carries our installation now is left over from one that has ended. All of
 * it goes but the bitmaps: `since` decides about those (§6.4), except about the ones of this very point.
 */
async function clearLeftovers(vm: Vm, ctx: OpContext): Promise<void> {
  const residue = await undoRounds(
    vm,
    ctx,
    (opKey) => ownsOpKey(ctx.installation, opKey),
    (opKey) => opKey === ctx.opKey,
  )
  if (residue.length > 0) ctx.log.warn({ vm: vm.ref.id, residue }, 'some of an earlier round could not be removed')
}

async function open(vm: Vm, ctx: OpContext, request: PointRequest): Promise<PointInTime> {
  const folder = scratchFolder(vm)
  const socket = socketPath(join(vm.paths.dir, socketFile(ctx.opKey)))
  const startedByUs = !(await isRunning(vm))
  let record: RoundRecord = {
    v: 1,
    opKey: ctx.opKey,
    point: request.pointId,
    tracker: request.tracker,
    createdAt: ctx.now(),
    scratch: folder,
    variant: 'filter',
    switching: false,
    freezing: false,
    startedByUs,
  }
  await writeRound(vm, record)
  await keepConfig(vm, ctx.opKey)
  if (startedByUs)
    await vm.host.effects.run('program: start qemu', () => launch(vm.dir, { lifetime: 'detached', paused: true }))
  ctx.signal.throwIfAborted()

  const planned = await withMonitor(vm, (monitor) => plan(vm, monitor, ctx, request, folder), ctx.signal)
  const { variant, disks, running } = planned
  record = { ...record, variant, switching: running, freezing: running && request.want !== 'crash' }
  await makeScratch(vm, folder, disks, ctx.signal)
  await withMonitor(vm, (monitor) => addNodes(monitor, variant, disks), ctx.signal)
  ctx.progress({ what: 'scratch prepared' })
  await writeRound(vm, record)

  const laps = new Laps()
  const sentinel = await Sentinel.start(vm, ctx.opKey, request.freezeLimit)
  try {
    const wish: PointRequest = running ? request : { ...request, want: 'crash' }
    const cut = await quiesced<string>(vm, wish, ctx, {
      beforeFreeze: async () => {
        await sentinel.say('freezing')
        laps.start()
      },
      hold: (work) =>
        withMonitor(vm, async (monitor) => {
          const mustStop = await needsStop(monitor, variant)
          return await work(async () => {
            const at = ctx.now()
            laps.end('freeze')
            await cutDisks(vm, monitor, variant, disks, request, ctx.installation, mustStop, sentinel, laps)
            return at
          })
        }),
    })
    laps.end('thaw')
    if (cut.frozenMs !== null) ctx.log.info({ vm: vm.ref.id, frozenMs: cut.frozenMs, ...laps.took }, 'guest was frozen')
    await sentinel.say('released')
    await writeRound(vm, { ...record, switching: false, freezing: false })
    await withMonitor(vm, (monitor) => serve(monitor, ctx, request, variant, disks, socket))
    await sentinel.leaveWatching()
    return point(vm, ctx, request, planned, socket, cut)
  } finally {
    sentinel.release()
  }
}

interface Planned {
  readonly variant: Variant
  readonly disks: readonly RoundDisk[]
  readonly running: boolean
  readonly isOff: boolean
}

async function plan(vm: Vm, monitor: Monitor, ctx: OpContext, request: PointRequest, folder: string): Promise<Planned> {
  const state = await runState(monitor)
  if (!['running', 'paused', 'prelaunch', 'shutdown', 'guest-panicked'].includes(state))
    throw new HoldfastError(
      state === 'io-error' ? 'ForeignState' : 'Busy',
      `VM “${vm.description.name}” is in state “${state}”`,
      {
        ...(state === 'io-error' && { hint: 'The guest waits for its storage; make space there and resume it.' }),
        retryAfter: 30_000,
      },
    )
  const foreign = await queryExports(monitor)
  if (foreign.length > 0)
    throw new HoldfastError(
      'Busy',
      `another program exports disks of VM “${vm.description.name}” over NBD: ${foreign.map((e) => e.id).join(', ')}`,
      {
        retryAfter: 30_000,
      },
    )
  const variant = await chooseVariant(vm, monitor)
  const states: readonly DiskState[] = await inspectDisks(vm, monitor)
  const disks = planDisks(request, ctx.installation, ctx.opKey, states, folder)
  const undoing = new Undoing()
  for (const disk of disks) await removeBitmaps(monitor, disk.plan.cleanup, undoing)
  if (undoing.residue.length > 0) ctx.log.warn({ residue: undoing.residue }, 'some old bitmaps could not be removed')
  return { variant, disks, running: state === 'running', isOff: state === 'shutdown' || state === 'prelaunch' }
}

async function serve(
  monitor: Monitor,
  ctx: OpContext,
  request: PointRequest,
  variant: Variant,
  disks: readonly RoundDisk[],
  socket: string,
): Promise<void> {
  const { frozen } = bitmapNames(ctx.installation, request.tracker, request.pointId)
  for (const { names } of disks) {
    if (variant === 'filter')
      await monitor.call('blockdev-add', { driver: 'snapshot-access', 'node-name': names.access, file: names.filter })
    await monitor.call('blockdev-del', { 'node-name': names.seed })
  }
  await monitor.call('nbd-server-start', { addr: { type: 'unix', data: { path: socket } }, 'max-connections': 0 })
  for (const { names, plan, state } of disks) {
    const add = { type: 'nbd', writable: false }
    await monitor.call('block-export-add', {
      ...add,
      id: names.export,
      'node-name': variant === 'filter' ? names.access : names.scratch,
      name: exportName(state.ref.key, 'point'),
      ...(plan.mode === 'incremental' && { bitmaps: [{ node: state.view.node, name: frozen }] }),
    })
    if (variant === 'filter')
      await monitor.call('block-export-add', {
        ...add,
        id: names.map,
        'node-name': names.scratch,
        name: exportName(state.ref.key, 'scratch'),
      })
  }
}

function point(
  vm: Vm,
  ctx: OpContext,
  request: PointRequest,
  { variant, disks, running, isOff }: Planned,
  socket: string,
  cut: Quiesced<string>,
): PointInTime {
  const still = running ? null : 'the VM was not running: its disks are as the guest left them'
  return {
    v: 1,
    id: request.pointId,
    opKey: ctx.opKey,
    tracker: request.tracker,
    vm: vm.ref,
    createdAt: cut.result as PointInTime['createdAt'],
    consistency: cut.consistency,
    quiesce: {
      freezeDurationMs: cut.frozenMs === null ? null : millis(cut.frozenMs),
      degraded: request.want === 'crash' ? null : (cut.degraded ?? still),
      ...(isOff && { isOff }),
    },
    atomic: true,
    disks: disks.map((disk, n) => diskPoint(disk, n, ctx, request, variant)),
    expiresAt: null,
    locator: { variant, socket },
  }
}

function diskPoint(disk: RoundDisk, n: number, ctx: OpContext, request: PointRequest, variant: Variant): DiskPoint {
  const { plan, state } = disk
  const names = bitmapNames(ctx.installation, request.tracker, request.pointId)
  const next: ChangeRef = {
    kind: 'qemu-bitmap',
    point: request.pointId,
    tracker: request.tracker,
    token: names.record,
    epoch: state.view.tracking,
    volume: state.view.volume,
    size: bytes(state.view.size),
  }
  const incremental = plan.mode === 'incremental'
  return {
    disk: state.ref,
    mode: plan.mode,
    why: plan.why,
    since: incremental ? (request.disks[n]?.since ?? null) : null,
    next,
    readable: incremental && variant === 'filter' && !request.audit ? 'changed' : 'all',
    reader: 'nbd',
    locator: { bitmap: incremental ? names.frozen : null, n },
  }
}

async function requireOurs(vm: Vm, ctx: OpContext): Promise<void> {
  const owner = await readOwner(vm)
  if (owner && installationTag(owner.installation) !== ctx.installation)
    throw new HoldfastError(
      'ForeignOwner',
      `VM “${vm.description.name}” is protected by the Holdfast installation “${owner.name}”`,
    )
}

async function undone(vm: Vm, ctx: OpContext, error: unknown): Promise<unknown> {
  if (isDeath(error)) return error
  const first = toHoldfastError(error)
  let residue: readonly Residue[]
  try {
    residue = await undoRounds(vm, ctx, (opKey) => opKey === ctx.opKey)
  } catch (cause) {
    const second = toHoldfastError(cause)
    residue = [
      { kind: 'snapshot', id: ctx.opKey, error: second.message, hint: 'abortPoint tries again until it is undone.' },
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
