import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { HoldfastError, bytes, formatBytes } from '../../../base/index.ts'
import { diskNames, scratchFile, type DiskNames } from '../../names.ts'
import { GRANULARITY, planBegin, type DiskPlan } from '../../qmp/index.ts'
import { runProgram } from '../../transport/index.ts'
import type { OpKey, PointRequest } from '../../values.ts'
import type { DiskState } from '../disks.ts'
import type { Monitor, Vm } from '../vm.ts'
import { spaceLeft } from './rescue.ts'

/** One disk of the round, with all that is settled before the guest is touched. */
export interface RoundDisk {
  readonly state: DiskState
  readonly names: DiskNames
  readonly plan: DiskPlan
  readonly scratch: string
}

export type Variant = 'filter' | 'job'

export function planDisks(
  request: PointRequest,
  installation: string,
  opKey: OpKey,
  states: readonly DiskState[],
  folder: string,
): readonly RoundDisk[] {
  return request.disks.map((wish, n) => {
    const state = states.find((s) => s.ref.key === wish.disk)
    if (!state)
      throw new HoldfastError('NotFound', `the VM has no disk ${wish.disk}`, {
        hint: `It has ${states.map((s) => s.ref.key).join(', ') || 'none'}.`,
      })
    const names = diskNames(opKey, n)
    const round = { installation, tracker: request.tracker, point: request.pointId }
    const seed = { node: names.seed, name: names.seed }
    const plan = planBegin(round, { view: state.view, since: wish.since, full: wish.full, seed })
    return { state, names, plan, scratch: join(folder, scratchFile(opKey, n)) }
  })
}

/** `auto`: the filter where this QEMU has it (7.1), else the job. */
export async function chooseVariant(vm: Vm, monitor: Monitor): Promise<Variant> {
  if (vm.host.fleecing !== 'auto') return vm.host.fleecing
  const [major = 0, minor = 0] = monitor.client.version.split('.').map(Number)
  return major > 7 || (major === 7 && minor >= 1) ? 'filter' : 'job'
}

/** Scratch images exist as files; needs no monitor. */
export async function makeScratch(
  vm: Vm,
  folder: string,
  disks: readonly RoundDisk[],
  signal: AbortSignal,
): Promise<void> {
  await mkdir(folder, { recursive: true })
  const { free, kept } = await spaceLeft(folder)
  if (free < kept)
    throw new HoldfastError('CapacityExhausted', `${folder} has only ${formatBytes(bytes(free))} free`, {
      hint: `Holdfast leaves the last ${formatBytes(bytes(kept))} there to the guests. Free some space, or set the option “scratch” of the endpoint to another file system.`,
    })
  for (const { scratch, state } of disks)
    await vm.host.effects.run('program: qemu-img create', () =>
      runProgram('qemu-img', ['create', '-q', '-f', 'qcow2', scratch, String(state.view.size)], {
        signal,
        limit: 60_000,
      }),
    )
}

/** All that is slow, before the freeze: scratch nodes, and the helpers that lend their bitmap to the tail marks. */
export async function addNodes(monitor: Monitor, variant: Variant, disks: readonly RoundDisk[]): Promise<void> {
  for (const { names, scratch, state } of disks) {
    await monitor.call('blockdev-add', {
      driver: 'qcow2',
      'node-name': names.scratch,
      file: { driver: 'file', filename: scratch },
      discard: 'unmap',
      ...(variant === 'job' && { backing: state.view.node }),
    })
    await addSeed(monitor, names.seed, state.view.size)
  }
}

/**
 * A node that stores nothing, as large as the disk, whose bitmap has the last granule set: merging it is the only way
 * to set a bit without writing to the guest's disk.
 */
async function addSeed(monitor: Monitor, name: string, size: number): Promise<void> {
  await monitor.call('blockdev-add', { driver: 'null-co', 'node-name': name, size, 'read-zeroes': true })
  await monitor.call('block-dirty-bitmap-add', { node: name, name, granularity: GRANULARITY })
  const line = `qemu-io ${name} "write ${size - 512} 512"`
  const said = await monitor.call<string>('human-monitor-command', { 'command-line': line })
  if (said.trim() !== '' && !/^wrote /.test(said.trim()))
    throw new HoldfastError('HypervisorRefused', `cannot prepare the tail mark: ${said.trim()}`)
}
