import { HoldfastError } from '../../../base/index.ts'
import { bitmapNames } from '../../names.ts'
import { transactionActions } from '../../qmp/index.ts'
import type { PointId, PointRequest } from '../../values.ts'
import type { Sentinel } from '../sentinel/sentinel.ts'
import { runState, type Monitor, type Vm } from '../vm.ts'
import { hasSwitchHook, switchHook } from './hook.ts'
import type { Laps } from './laps.ts'
import type { RoundDisk, Variant } from './prepare.ts'

/**
 * The instant of the point, on all disks at once. Variant filter: stop → transaction → filters → cont, always, because
 * between the transaction and the insertion of a filter a guest write would be in neither the frozen set nor the point
 * (drivers.md §6.2). Variant job: one transaction is the instant.
 * If it throws, the guest runs again as before; what was made is left to the caller to undo.
 */
export async function cutDisks(
  vm: Vm,
  monitor: Monitor,
  variant: Variant,
  disks: readonly RoundDisk[],
  request: PointRequest,
  installation: string,
  mustStop: boolean,
  sentinel: Sentinel,
  laps: Laps,
): Promise<void> {
  const cut = async (): Promise<void> => {
    await monitor.call('transaction', { actions: transactionOf(variant, disks) })
    laps.end('transaction')
    if (variant === 'filter') await insertFilters(monitor, disks, request, installation)
    laps.end('filters')
    if (hasSwitchHook()) await callHook(vm, disks, request.pointId)
  }
  if (mustStop) await stopped(monitor, sentinel, laps, cut)
  else if (variant === 'filter') await still(monitor, cut)
  else await cut()
}

/** Asked before the freeze: only a guest that runs is stopped, and let go on. */
export async function needsStop(monitor: Monitor, variant: Variant): Promise<boolean> {
  return (variant === 'filter' || hasSwitchHook()) && (await runState(monitor)) === 'running'
}

function transactionOf(variant: Variant, disks: readonly RoundDisk[]): readonly object[] {
  return disks.flatMap(({ plan, names, state }) => [
    ...transactionActions(plan.begin),
    ...(variant === 'job'
      ? [
          {
            type: 'blockdev-backup',
            data: {
              'job-id': names.job,
              device: state.view.node,
              target: names.scratch,
              sync: 'none',
              'auto-dismiss': false,
              'auto-finalize': true,
            },
          },
        ]
      : []),
  ])
}

async function insertFilters(
  monitor: Monitor,
  disks: readonly RoundDisk[],
  request: PointRequest,
  installation: string,
): Promise<void> {
  const { frozen } = bitmapNames(installation, request.tracker, request.pointId)
  for (const { names, plan, state } of disks) {
    const partial = plan.mode === 'incremental' && !request.audit
    await monitor.call('blockdev-add', {
      driver: 'copy-before-write',
      'node-name': names.filter,
      file: state.top,
      target: names.scratch,
      // Without it the guest's TRIM ends at the filter, and its disk grows with every backup.
      discard: 'unmap',
      'on-cbw-error': 'break-snapshot',
      'cbw-timeout': 45,
      ...(partial && { bitmap: { node: state.view.node, name: frozen } }),
    })
    await monitor.call('qom-set', { path: state.device, property: 'drive', value: names.filter })
  }
}

async function stopped(monitor: Monitor, sentinel: Sentinel, laps: Laps, work: () => Promise<void>): Promise<void> {
  await sentinel.say('stopping')
  // The answer comes after the events of everything before it, so that another's STOP lies before the mark.
  if ((await runState(monitor)) !== 'running') throw meddled('paused')
  const mark = monitor.client.mark()
  await monitor.call('stop')
  // QEMU tells of a stop that was one. Somebody else's pause is not ours to end.
  if (!saw(monitor, mark, 'STOP')) throw meddled('paused')
  laps.end('stop')
  try {
    await work()
    // Somebody else's `cont` (or the sentinel's, had we been slow) let the guest write in the middle of the switch.
    if (saw(monitor, mark, 'RESUME')) throw meddled('resumed')
  } finally {
    await monitor.call('cont')
    laps.end('cont')
  }
}

/** A guest that stands still already needs no stop, but nobody may let it run in the middle of the switch. */
async function still(monitor: Monitor, work: () => Promise<void>): Promise<void> {
  const mark = monitor.client.mark()
  if ((await runState(monitor)) === 'running') throw meddled('resumed')
  await work()
  if (saw(monitor, mark, 'RESUME')) throw meddled('resumed')
}

function saw(monitor: Monitor, mark: number, event: string): boolean {
  return monitor.client.since(mark).some((e) => e.event === event)
}

function meddled(what: 'paused' | 'resumed'): HoldfastError {
  return new HoldfastError('Busy', `the guest was ${what} by somebody else while its disks were being switched`, {
    retryAfter: 5_000,
  })
}

async function callHook(vm: Vm, disks: readonly RoundDisk[], pointId: PointId): Promise<void> {
  await switchHook({
    vm: vm.ref.id,
    pointId,
    disks: disks.map((d) => ({ key: d.state.ref.key, node: d.state.view.node })),
  })
}
