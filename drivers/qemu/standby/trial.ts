import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { HoldfastError } from '../../../base/index.ts'
import { pinFile, takeoverFile } from '../../names.ts'
import type { OpContext } from '../../driver.ts'
import type { IsolationSpec, TargetVm } from '../../facets.ts'
import type { OpKey, Residue } from '../../values.ts'
import type { VmDescription } from '../description.ts'
import { describedDisks } from '../disks.ts'
import type { Host } from '../host.ts'
import { launch } from '../launch.ts'
import { Undoing } from '../round/dismantle.ts'
import { derivedUuid, placeVm, removeStaged, removeVm, requireFreeName, slug } from '../target/index.ts'
import { isRunning, listVms, type Vm } from '../vm.ts'
import { dropStale, makeOverlay, removePin, uppermost } from './files.ts'
import { findStandby, requireStandby } from './record.ts'
import { requireFollowing, wholeHead } from './state.ts'

/** The VM of an operation, whatever is left of it. */
export async function ofKey(host: Host, opKey: OpKey): Promise<Vm | null> {
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
  await requireFollowing(standby, { ...ctx, opKey: of })
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
  if (!existsSync(pin))
    throw new HoldfastError('StillInUse', `the states below “${name}” were not kept for it: it was made too late`)
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
    await undoing.try('lock', pin, () => removePin(host, standby.vm.dir, of, ctx.opKey))
    await dropStale(host, { ...ctx, opKey: of })
  }
  return { residue: undoing.residue }
}
