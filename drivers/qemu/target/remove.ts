import { existsSync } from 'node:fs'
import { readdir, rm, rmdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { HoldfastError } from '../../../base/index.ts'
import { readVolumeFile, stagingFolder, targetFile } from '../../names.ts'
import type { OpKey } from '../../values.ts'
import { resolveFile, VM_FILE, type VmDescription } from '../description.ts'
import type { Host } from '../host.ts'
import { stop } from '../launch.ts'
import type { Undoing } from '../round/dismantle.ts'
import { listVms, type Vm } from '../vm.ts'
import { readPlan, removePlan } from './plan.ts'

/**
 * The marked VM, its process and its files; `vm.json` last, because it is what it is found by. Only what a restore and
 * its run have made, by name: whatever else lies in the folder is somebody's, and then the folder stays with it.
 */
export async function removeVm(vm: Vm, undoing: Undoing): Promise<void> {
  const { effects } = vm.host
  const ended = await undoing.try('process', vm.ref.id, () =>
    effects.run('program: end qemu', () => stop(vm.dir, { how: 'kill' })),
  )
  if (!ended) return
  const opKey = vm.description.opKey as OpKey
  const plan = await readPlan(vm.dir, opKey)
  const remove = async (file: string): Promise<void> => {
    if (existsSync(file))
      await undoing.try('volume', file, () => effects.run('file: remove', () => rm(file, { force: true })))
  }
  for (const file of [...partsOf(vm.dir, vm.description), ...(plan ? partsOf(vm.dir, plan.after) : [])])
    for (const name of [file, `${file}.new`]) await remove(name)
  const last = [VM_FILE, targetFile(opKey)]
  for (const folder of new Set([vm.dir, vm.paths.dir]))
    for (const name of await readdir(folder).catch(noFolder))
      if (isOfRun(name, opKey) && !last.includes(name)) await remove(join(folder, name))
  if (vm.paths.dir !== vm.dir) await undoing.try('scratch', vm.paths.dir, () => removeIfEmpty(vm.paths.dir))
  if (undoing.residue.length > 0) return
  for (const name of last.toReversed())
    await undoing.try('vm', vm.dir, () => effects.run('file: remove', () => rm(join(vm.dir, name), { force: true })))
  await undoing.try('vm', vm.dir, () => effects.run('file: remove folder', () => removeIfEmpty(vm.dir)))
}

/** A restore that was cut off before its folder had a name: nothing but the folder, and what `create` begins with. */
export async function removeStaged(host: Host, opKey: OpKey, undoing: Undoing): Promise<void> {
  const dir = join(host.endpoint.address, stagingFolder(opKey))
  for (const name of await readdir(dir).catch(noFolder))
    if (isOfRun(name, opKey) || name === VM_FILE)
      await undoing.try('vm', dir, () => host.effects.run('file: remove', () => rm(join(dir, name), { force: true })))
  await undoing.try('vm', dir, () => host.effects.run('file: remove folder', () => removeIfEmpty(dir)))
}

/** Volumes of one replacement. Whatever any description names stays, whatever the plan says. */
export async function removeVolumes(vm: Vm, opKey: OpKey, undoing: Undoing): Promise<void> {
  const used = await filesInUse(vm.host)
  for (const name of await volumesOf(vm, opKey)) {
    const file = join(vm.dir, name)
    if (used.has(file)) throw new HoldfastError('NotOurs', `“${file}” is in use by a VM`)
    await undoing.try('volume', file, () => vm.host.effects.run('file: remove volume', () => rm(file, { force: true })))
  }
  if (undoing.residue.length === 0) await undoing.try('volume', vm.dir, () => removePlan(vm, vm.dir, opKey))
}

export async function volumesOf(vm: Vm, opKey: OpKey): Promise<readonly string[]> {
  return (await readdir(vm.dir)).filter((name) => readVolumeFile(name.replace(/\.new$/, '')) === opKey)
}

/** Absolute paths that the VMs of this endpoint are made of. Throws if one cannot be read: it might use anything. */
export async function filesInUse(host: Host): Promise<ReadonlySet<string>> {
  const used = new Set<string>()
  for await (const found of listVms(host)) {
    if ('error' in found) throw found.error
    const { dir, description: d } = found.vm
    for (const file of [...d.disks.map((x) => x.file), d.kernel, d.initrd])
      if (file !== undefined) used.add(resolveFile(dir, file))
  }
  return used
}

/** Files in the VM's own folder that its description is made of. */
function partsOf(dir: string, d: VmDescription): readonly string[] {
  return [...d.disks.map((x) => x.file), d.kernel, d.initrd].flatMap((file) => {
    const path = file === undefined ? '' : resolveFile(dir, file)
    return dirname(path) === dir ? [path] : []
  })
}

/** What QEMU, the driver and an interrupted write leave beside it; everything of the operation carries its key. */
function isOfRun(name: string, opKey: OpKey): boolean {
  return (
    ['qemu.log', 'serial.log', 'pid', 'qmp.sock', 'qmp2.sock', 'ga.sock'].includes(name) ||
    name.startsWith(`${opKey}.`) ||
    /^\.vm\.json\.[0-9a-f-]{36}$/.test(name)
  )
}

async function removeIfEmpty(folder: string): Promise<void> {
  try {
    await rmdir(folder)
  } catch (error) {
    if (!['ENOENT', 'ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
  }
}

function noFolder(error: unknown): string[] {
  if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
  throw error
}
