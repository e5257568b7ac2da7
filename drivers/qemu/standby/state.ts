import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { HoldfastError, bytes } from '../../../base/index.ts'
import { ownsOpKey, replicaFile, replicaPartFile, socketPath, writerSocket } from '../../names.ts'
import type { OpContext, RangeWriter } from '../../driver.ts'
import type {
  NativeConfig,
  StandbyHead,
  StandbyPublished,
  StandbySpec,
  StandbyView,
  StandbyWriter,
} from '../../facets.ts'
import type { ChangeRef, DiskKey, Instant, PointId } from '../../values.ts'
import { INITRD_PART, KERNEL_PART } from '../config.ts'
import type { VmDescription } from '../description.ts'
import type { Host } from '../host.ts'
import { powerState } from '../power.ts'
import {
  derivedUuid,
  describeTarget,
  notOurs,
  openVolume,
  placeVm,
  requireFreeName,
  slug,
  whileFilling,
  writePart,
} from '../target/index.ts'
import { isRunning, type Vm } from '../vm.ts'
import { dropStale, isTouched, makeOverlay, printOf, uppermost } from './files.ts'
import {
  change,
  findStandby,
  requireStandby,
  writeRecord,
  type HeadState,
  type NextState,
  type Standby,
  type StandbyRecord,
  type Volumes,
} from './record.ts'
import { settle } from './settle.ts'
import { finishWithdrawal, isOver } from './withdraw.ts'

export async function inspectStandby(host: Host, ctx: OpContext): Promise<StandbyView | null> {
  const found = await findStandby(host, ctx.opKey)
  return found && (await viewOf(found, ctx))
}

export async function viewOf(standby: Standby, ctx: OpContext): Promise<StandbyView> {
  const { vm, record } = standby
  return {
    vm: vm.ref,
    power: await powerState(vm, ctx),
    role: roleOf(record),
    head: record.head && headOf(record.head),
    isTouched: ['follows', 'withdrawing'].includes(roleOf(record)) && (await isTouched(standby)),
    storedBytes: bytes(await stored(vm, record)),
  }
}

function roleOf(record: StandbyRecord): StandbyView['role'] {
  const { role, takeover } = record
  if (role === 'taken-over' && takeover !== null && isOver(record, takeover.operation)) return 'withdrawing'
  return role === 'taken-over' || role === 'removing' ? role : 'follows'
}

function headOf({ id, at, volumes, refs }: HeadState): StandbyHead {
  return {
    state: id,
    at,
    disks: volumes.map(({ key, size }) => ({
      key: key as DiskKey,
      size: bytes(size),
      ref: refs.find((one) => one.key === key)?.ref ?? null,
    })),
    links: Math.max(0, ...volumes.map(({ chain }) => chain.length)),
  }
}

async function stored(vm: Vm, { head, takeover }: StandbyRecord): Promise<number> {
  let total = 0
  for (const file of [...(head?.volumes ?? []), ...(takeover?.volumes ?? [])].flatMap(({ chain }) => chain)) {
    const path = join(vm.dir, file)
    if (existsSync(path)) total += (await stat(path)).blocks * 512
  }
  return total
}

/** A standby that follows, and that nobody has started. */
export async function requireFollowing(standby: Standby, ctx: OpContext): Promise<void> {
  const { vm, record } = standby
  if (!ownsOpKey(ctx.installation, record.opKey)) throw notOurs(vm.description.name)
  if (record.role === 'taken-over')
    throw new HoldfastError('NotOurs', `“${vm.description.name}” has taken over: it follows nothing`)
  if (record.role !== 'follows')
    throw new HoldfastError('NotOurs', `“${vm.description.name}” is being removed`, {
      hint: 'Its removal was cut off: ask for it again.',
    })
  if (await isRunning(vm))
    throw new HoldfastError('ForeignState', `the standby “${vm.description.name}” was started by somebody`, {
      hint: 'Switch it off; the next cycle writes it anew. To use it, ask for a failover or for a test.',
    })
}

/** Throws if the standby could not be started in its head now. */
export async function wholeHead(standby: Standby, ctx: OpContext): Promise<HeadState> {
  const { vm, record } = standby
  if (record.head === null)
    throw new HoldfastError('NotFound', `no state of the standby “${vm.description.name}” ever came whole`, {
      hint: 'Wait for its first cycle, or restore the VM from a repository.',
    })
  await requireFollowing(standby, ctx)
  if (await isTouched(standby))
    throw new HoldfastError('ForeignState', `somebody has written to the standby “${vm.description.name}”`, {
      hint: 'It is not a state of its source any more. The next cycle writes it anew.',
    })
  return record.head
}

export async function beginState(
  host: Host,
  ctx: OpContext,
  spec: StandbySpec,
  native: readonly NativeConfig[] | null,
): Promise<StandbyView> {
  await finishWithdrawal(
    host,
    ctx,
    (await findStandby(host, ctx.opKey)) ?? (await makeStandby(host, ctx, spec, native)),
  )
  // Written down before any file is made, so that each file belongs to a state that is known.
  const standby = await change(host, ctx.opKey, async (found) => {
    await requireFollowing(found, ctx)
    const { head, next } = found.record
    if (head?.id === spec.state || next?.id === spec.state) return null
    ctx.signal.throwIfAborted()
    return { ...found.record, next: await plan(ctx, found, spec, native) }
  })
  const { head, next } = standby.record
  if (head?.id === spec.state) return await viewOf(standby, ctx)
  await dropStale(host, ctx)
  for (const part of [KERNEL_PART, INITRD_PART]) {
    const content = native?.find(({ name }) => name === part)
    const file = content && partFile(ctx, content)
    if (file !== undefined && content && !existsSync(join(standby.vm.dir, file)))
      await writePart(host, join(standby.vm.dir, file), content.bytes)
  }
  for (const one of next?.volumes ?? []) {
    ctx.signal.throwIfAborted()
    await makeVolume(host, ctx, standby.vm.dir, one)
  }
  return await viewOf(standby, ctx)
}

async function makeStandby(
  host: Host,
  ctx: OpContext,
  spec: StandbySpec,
  native: readonly NativeConfig[] | null,
): Promise<Standby> {
  await requireFreeName(host, ctx.opKey, spec.name)
  const dir = join(host.endpoint.address, slug(spec.name))
  const description = { ...describe(ctx, spec, native, []), disks: [] }
  const record: StandbyRecord = {
    ...{ opKey: ctx.opKey, role: 'follows' },
    ...{ head: null, next: null, takeover: null, over: [] },
  }
  // Direct-kernel guests need their kernel to be described; an empty standby has none yet.
  const { kernel: _kernel, initrd: _initrd, append: _append, ...bare } = description
  const empty: VmDescription = { ...bare, firmware: 'bios' }
  await placeVm(host, ctx.opKey, dir, whileFilling(empty, ctx.opKey), async (staging) => {
    // Above all numbers of one that was here before, by which somebody may still decide.
    if (!(await writeRecord(host, staging, record, Date.parse(ctx.now()))))
      throw new HoldfastError('StillInUse', `another attempt makes “${spec.name}”`, { retryAfter: 10_000 })
  })
  return await requireStandby(host, ctx.opKey)
}

async function plan(
  ctx: OpContext,
  standby: Standby,
  spec: StandbySpec,
  native: readonly NativeConfig[] | null,
): Promise<NextState> {
  const { vm, record } = standby
  const { head } = record
  const touched = await isTouched(standby)
  const volumes = spec.disks.map(({ key, size, base }, n): Volumes => {
    const file = replicaFile(ctx.opKey, spec.state, n)
    if (base === null) return { key, size, chain: [file] }
    const below = head?.volumes.find((one) => one.key === key)
    if (head === null || head.id !== base || below?.size !== size || touched)
      throw new HoldfastError(
        'ChangeRefInvalid',
        `the standby “${vm.description.name}” does not hold the state ${base}`,
        {
          data: { disk: key, why: 'reference-of-another-point' },
        },
      )
    return { key, size, chain: [...below.chain, file] }
  })
  return { id: spec.state, description: describe(ctx, spec, native, volumes), volumes }
}

function describe(
  ctx: OpContext,
  spec: StandbySpec,
  native: readonly NativeConfig[] | null,
  volumes: readonly Volumes[],
): VmDescription {
  const described = describeTarget(
    {
      place: { kind: 'new', name: spec.name, host: null, folder: null },
      vm: { ...spec.vm, name: spec.name },
      nativeConfigRef: spec.nativeConfigRef,
      disks: volumes.map(({ key }) => ({ key: key as DiskKey, storage: '', thin: true })),
      identity: 'same',
      networks: spec.networks,
    },
    native,
    ctx.opKey,
    ctx.now(),
  )
  const part = (name: string, file: string | undefined): { [key: string]: string } => {
    const content = native?.find((one) => one.name === name)
    return file === undefined || content === undefined ? {} : { [name]: partFile(ctx, content) }
  }
  return {
    ...described,
    // Two VMs of one host never have the same; the guest keeps its network addresses and the serials of its disks.
    uuid: derivedUuid(ctx.opKey),
    ...part(KERNEL_PART, described.kernel),
    ...part(INITRD_PART, described.initrd),
    disks: described.disks.map((disk) => {
      const of = volumes.find(({ key }) => key === disk.key)
      return { ...disk, format: 'qcow2' as const, file: of ? uppermost(of) : disk.file }
    }),
  }
}

function partFile(ctx: OpContext, { name, bytes: content }: NativeConfig): string {
  return replicaPartFile(ctx.opKey, createHash('sha256').update(content).digest('hex'), name)
}

/** It has its name when it is whole; what was written to one that is there stays. The one below lies in the same folder. */
async function makeVolume(host: Host, ctx: OpContext, dir: string, volume: Volumes): Promise<void> {
  await makeOverlay(host, ctx, dir, uppermost(volume), volume.chain.at(-2) ?? null, volume.size)
}

export async function openStateWriter(
  host: Host,
  ctx: OpContext,
  state: PointId,
  key: DiskKey,
): Promise<StandbyWriter> {
  const standby = await requireStandby(host, ctx.opKey)
  await requireFollowing(standby, ctx)
  const { vm, record } = standby
  const n = record.next?.id === state ? record.next.volumes.findIndex((one) => one.key === key) : -1
  const volume = record.next?.volumes[n]
  if (volume === undefined)
    throw new HoldfastError('NotOurs', `the state ${state} of “${vm.description.name}” is not being written`)
  const file = uppermost(volume)
  const { ino } = await stat(join(vm.dir, file), { bigint: true })
  const socket = socketPath(join(vm.paths.dir, writerSocket(ctx.opKey, n)))
  const writer = await openVolume(host, ctx, vm, join(vm.dir, file), 'qcow2', socket)
  return Object.assign<RangeWriter, { volume: string }>(writer, { volume: `${file}:${ino}` })
}

export async function publishState(
  host: Host,
  ctx: OpContext,
  state: PointId,
  at: Instant,
  refs: readonly { readonly disk: DiskKey; readonly ref: ChangeRef | null }[],
): Promise<StandbyPublished> {
  const { vm, record } = await change(host, ctx.opKey, async (found) => {
    const { next } = found.record
    if (found.record.head?.id === state) return null
    await requireFollowing(found, ctx)
    if (next?.id !== state)
      throw new HoldfastError('NotOurs', `the state ${state} of “${found.vm.description.name}” is not being written`)
    const prints: string[] = []
    for (const one of next.volumes) prints.push(await printOf(found.vm.dir, uppermost(one)))
    const head: HeadState = { ...next, at, prints, refs: refs.map(({ disk, ref }) => ({ key: disk, ref })) }
    ctx.signal.throwIfAborted()
    return { ...found.record, head, next: null }
  })
  const { head } = record
  if (head === null) throw new HoldfastError('Internal', 'a state was published that is not there')
  if (record.role === 'follows') {
    await settle(host, ctx.opKey)
    await dropStale(host, ctx)
  }
  return { head: headOf(head), storedBytes: bytes(await stored(vm, record)) }
}
