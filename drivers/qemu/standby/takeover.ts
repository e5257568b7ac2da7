import { existsSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { HoldfastError } from '../../../base/index.ts'
import { pinFile, takeoverFile } from '../../names.ts'
import type { OpContext } from '../../driver.ts'
import type { IsolationSpec, StandbyView, TargetVm } from '../../facets.ts'
import type { Instant, OpKey, PointId, Residue, VmRef } from '../../values.ts'
import type { VmDescription } from '../description.ts'
import { describedDisks } from '../disks.ts'
import type { Host } from '../host.ts'
import { launch, stop } from '../launch.ts'
import { Undoing } from '../round/dismantle.ts'
import {
  derivedUuid,
  notOurs,
  placeVm,
  removeStaged,
  removeVm,
  requireFreeName,
  slug,
  whileFilling,
  writeVm,
} from '../target/index.ts'
import { isRunning, listVms, type Vm } from '../vm.ts'
import {
  dropStale,
  findStandby,
  isTouched,
  printOf,
  removeRecord,
  requireStandby,
  uppermost,
  writeRecord,
  type HeadState,
  type Standby,
  type StandbyRecord,
  type Volumes,
} from './record.ts'
import { keepRunDir, makeOverlay, requireFollowing, viewOf } from './state.ts'

/** The guest writes above the head, so that a takeover can be withdrawn, and told from the state that it began with. */
export async function takeOver(host: Host, ctx: OpContext, operation: PointId): Promise<VmRef> {
  const standby = await requireStandby(host, ctx.opKey)
  const { vm, record } = standby
  if (record.takeover !== null && record.takeover.operation !== operation)
    throw new HoldfastError('NotOurs', `“${vm.description.name}” has taken over already`)
  const head = await wholeHead(standby, ctx)
  const volumes = head.volumes.map(({ key, size, chain }, n): Volumes => ({
    key,
    size,
    chain: [...chain, takeoverFile(ctx.opKey, operation, n)],
  }))
  ctx.signal.throwIfAborted()
  await writeRecord(host, vm.dir, { ...record, role: 'taken-over', next: null, takeover: { operation, volumes } })
  for (const one of volumes) await makeOverlay(host, ctx, vm.dir, uppermost(one), one.chain.at(-2) ?? null, one.size)
  if (await isRunning(vm)) return await unmark(host, vm)
  await writeVm(host, vm.dir, keepRunDir(vm, { ...onto(head.description, volumes), opKey: ctx.opKey }))
  await host.effects.run('program: start qemu', () => launch(vm.dir, { lifetime: 'detached' }))
  return await unmark(host, (await requireStandby(host, ctx.opKey)).vm)
}

/** From now on nothing of ours removes it. */
async function unmark(host: Host, vm: Vm): Promise<VmRef> {
  if (vm.description.opKey !== null) await writeVm(host, vm.dir, { ...vm.description, opKey: null })
  return vm.ref
}

async function wholeHead(standby: Standby, ctx: OpContext): Promise<HeadState> {
  const { vm, record } = standby
  if (record.head === null)
    throw new HoldfastError('NotFound', `no state of the standby “${vm.description.name}” ever came whole`, {
      hint: 'Wait for its first cycle, or restore the VM from a repository.',
    })
  if (record.takeover !== null) return record.head
  await requireFollowing(standby, ctx)
  if (await isTouched(standby))
    throw new HoldfastError('ForeignState', `somebody has written to the standby “${vm.description.name}”`, {
      hint: 'It is not a state of its source any more. The next cycle writes it anew.',
    })
  return record.head
}

function onto(d: VmDescription, volumes: readonly Volumes[]): VmDescription {
  return {
    ...d,
    disks: d.disks.map((disk) => {
      const of = volumes.find(({ key }) => key === disk.key)
      return of ? { ...disk, file: uppermost(of) } : disk
    }),
  }
}

export async function withdraw(host: Host, ctx: OpContext, operation: PointId): Promise<void> {
  const standby = await findStandby(host, ctx.opKey)
  if (standby === null || standby.record.takeover === null) return
  const { vm, record } = standby
  if (record.takeover?.operation !== operation) throw notOurs(vm.description.name)
  await host.effects.run('program: end qemu', () => stop(vm.dir, { how: 'kill' }))
  await followAgain(host, ctx, vm, { ...record, role: 'follows', takeover: null })
}

async function followAgain(host: Host, ctx: OpContext, vm: Vm, record: StandbyRecord): Promise<Standby> {
  await writeRecord(host, vm.dir, record)
  if (record.head !== null)
    await writeVm(host, vm.dir, keepRunDir(vm, whileFilling(record.head.description, ctx.opKey)))
  const now = await requireStandby(host, ctx.opKey)
  await dropStale(host, now, ctx)
  return now
}

/** What it holds now, its guest's own writes included, is the head: the source was brought to that. */
export async function adopt(host: Host, ctx: OpContext, state: PointId, at: Instant): Promise<StandbyView> {
  const standby = await requireStandby(host, ctx.opKey)
  const { vm, record } = standby
  if (record.head?.id === state) return await viewOf(await followAgain(host, ctx, vm, record), ctx)
  if (record.takeover === null || record.head === null)
    throw new HoldfastError('NotFound', `“${vm.description.name}” has not taken over`)
  if (await isRunning(vm))
    throw new HoldfastError('StillInUse', `“${vm.description.name}” still runs`, { retryAfter: 10_000 })
  const { volumes } = record.takeover
  const prints: string[] = []
  for (const one of volumes) prints.push(await printOf(vm.dir, uppermost(one)))
  const description = onto(record.head.description, volumes)
  const head: HeadState = { id: state, at, description, volumes, refs: [], prints }
  ctx.signal.throwIfAborted()
  return await viewOf(
    await followAgain(host, ctx, vm, { ...record, role: 'follows', head, next: null, takeover: null }),
    ctx,
  )
}

/** Its files stay: the VM runs on them. */
export async function release(host: Host, ctx: OpContext): Promise<void> {
  const standby = await findStandby(host, ctx.opKey)
  if (standby === null) return
  if (standby.record.role === 'follows') throw notOurs(standby.vm.description.name)
  await unmark(host, standby.vm)
  await removeRecord(host, standby.vm.dir, ctx.opKey)
}

export async function removeStandby(host: Host, ctx: OpContext): Promise<{ residue: readonly Residue[] }> {
  const undoing = new Undoing()
  await removeStaged(host, ctx.opKey, undoing)
  const vm = await ofKey(host, ctx.opKey)
  if (vm === null) return { residue: undoing.residue }
  if (vm.description.opKey !== ctx.opKey) throw notOurs(vm.description.name)
  await removeVm(vm, undoing)
  return { residue: undoing.residue }
}

/** The VM of an operation, whatever is left of it. */
async function ofKey(host: Host, opKey: OpKey): Promise<Vm | null> {
  let unreadable: HoldfastError | undefined
  for await (const found of listVms(host)) {
    if ('error' in found) unreadable ??= found.error
    else if (found.vm.description.uuid === derivedUuid(opKey)) return found.vm
  }
  if (unreadable !== undefined) throw unreadable
  return null
}

/** It lies in a folder of its own, above the head; the pin is there before it and keeps the head's files. */
export async function testStandby(
  host: Host,
  ctx: OpContext,
  of: OpKey,
  name: string,
  net: IsolationSpec,
): Promise<TargetVm> {
  const known = await ofKey(host, ctx.opKey)
  const vm = known ?? (await makeTest(host, ctx, of, name))
  ctx.signal.throwIfAborted()
  if (!(await isRunning(vm)))
    await host.effects.run('program: start qemu', () =>
      launch(vm.dir, { lifetime: 'detached', network: net.kind === 'none' ? 'none' : 'restricted' }),
    )
  return { vm: vm.ref, opKey: ctx.opKey, disks: (await describedDisks(vm)).disks, replaced: null }
}

async function makeTest(host: Host, ctx: OpContext, of: OpKey, name: string): Promise<Vm> {
  const standby = await requireStandby(host, of)
  await requireFreeName(host, ctx.opKey, name)
  const pin = join(standby.vm.dir, pinFile(of, ctx.opKey))
  await host.effects.run('file: pin', () => writeFile(pin, ''))
  // Read after the pin: what it names now stays.
  const pinned = await requireStandby(host, of)
  const head = await wholeHead(pinned, { ...ctx, opKey: of })
  const dir = join(host.endpoint.address, slug(name))
  const below = pinned.vm.dir
  const description: VmDescription = {
    ...head.description,
    uuid: derivedUuid(ctx.opKey),
    name,
    ...(head.description.kernel !== undefined && { kernel: join(below, head.description.kernel) }),
    ...(head.description.initrd !== undefined && { initrd: join(below, head.description.initrd) }),
    disks: head.description.disks.map((disk, n) => ({ ...disk, file: takeoverFile(ctx.opKey, head.id, n) })),
    opKey: ctx.opKey,
  }
  await placeVm(host, ctx.opKey, dir, description, async (staging) => {
    for (const [n, disk] of description.disks.entries()) {
      const volume = head.volumes[n]
      if (volume === undefined) throw new HoldfastError('Internal', 'a disk of the head has no volume')
      await makeOverlay(host, ctx, staging, disk.file, join(below, uppermost(volume)), volume.size)
    }
  })
  const made = await ofKey(host, ctx.opKey)
  if (made === null) throw new HoldfastError('NotFound', `“${name}” was made and is not there`)
  return made
}

export async function endTest(host: Host, ctx: OpContext, of: OpKey): Promise<{ residue: readonly Residue[] }> {
  const undoing = new Undoing()
  await removeStaged(host, ctx.opKey, undoing)
  const vm = await ofKey(host, ctx.opKey)
  if (vm !== null) await removeVm(vm, undoing)
  const standby = await findStandby(host, of)
  const pin = standby && join(standby.vm.dir, pinFile(of, ctx.opKey))
  if (undoing.residue.length === 0 && standby !== null && pin !== null && existsSync(pin)) {
    await undoing.try('lock', pin, () => host.effects.run('file: remove pin', () => rm(pin, { force: true })))
    await dropStale(host, standby, { ...ctx, opKey: of })
  }
  return { residue: undoing.residue }
}
