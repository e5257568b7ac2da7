import { existsSync } from 'node:fs'
import { mkdir, open, rename, rm, statfs, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { HoldfastError, formatBytes } from '../../../base/index.ts'
import type { NativeConfig, TargetSpec, TargetVm } from '../../facets.ts'
import type { OpContext } from '../../driver.ts'
import { stagingFolder } from '../../names.ts'
import type { Finding, OpKey } from '../../values.ts'
import { describedDisks } from '../disks.ts'
import { INITRD_PART, KERNEL_PART } from '../config.ts'
import {
  createDescription,
  readDescription,
  resolveFile,
  type DiskDescription,
  type VmDescription,
} from '../description.ts'
import type { Host } from '../host.ts'
import { Undoing } from '../round/dismantle.ts'
import { runProgram } from '../../transport/index.ts'
import { listVms, locateVm, vmAt } from '../vm.ts'
import { describeReplacement, describeTarget, whileFilling, type Backings } from './describe.ts'
import { derivedUuid, readPlan, writePlan, type TargetPlan } from './plan.ts'
import { removeStaged } from './remove.ts'
import { translate } from './translate.ts'

/** Everything that stands in the way of `create`, at once. */
export async function checkTarget(
  host: Host,
  ctx: OpContext,
  spec: TargetSpec,
): Promise<{ findings: readonly Finding[] }> {
  const { vm, place } = spec
  const findings = translate(spec)
  const add = (code: string, severity: Finding['severity'], message: string, hint: string): void => {
    findings.push({ code, severity, disk: null, message, hint })
  }
  const { bavail, bsize } = await statfs(host.endpoint.address)
  const need = vm.disks.reduce((sum, d) => sum + d.size, 0)
  if (bavail * bsize < need)
    add(
      'space',
      'warning',
      `${host.endpoint.address} has ${formatBytes(bavail * bsize)} free; the disks may grow to ${formatBytes(need)}`,
      'Free some space before the restore, or watch it.',
    )
  if (place.kind === 'new' && (await isTaken(host, ctx.opKey, place.name)))
    add('name', 'blocking', takenBy(host, place.name), 'Choose another name.')
  if (place.kind === 'new' && spec.identity === 'same' && (await uuidTaken(host, spec)))
    add(
      'identity',
      'warning',
      'a VM with the same name runs here: the restored one gets an identity of its own if theirs is taken',
      'Restore with a new identity.',
    )
  if (place.kind === 'replace') await locateVm(host, place.vm.id)
  return { findings }
}

/** Throws `NameTaken`. */
export async function requireFreeName(host: Host, opKey: OpKey, name: string): Promise<void> {
  if (await isTaken(host, opKey, name)) throw new HoldfastError('NameTaken', takenBy(host, name))
}

/** By a VM of this name, or by whatever lies where its folder would be: what is there is somebody's, VM or not. */
async function isTaken(host: Host, opKey: OpKey, name: string): Promise<boolean> {
  const dir = join(host.endpoint.address, slug(name))
  if (existsSync(dir) && (await readPlan(dir, opKey)) === null) return true
  for await (const found of listVms(host))
    if ('vm' in found && found.vm.description.name === name && found.vm.description.opKey !== opKey) return true
  return false
}

function takenBy(host: Host, name: string): string {
  return `there is a VM “${name}” or a folder ${join(host.endpoint.address, slug(name))} already`
}

async function uuidTaken(host: Host, spec: TargetSpec): Promise<boolean> {
  for await (const found of listVms(host)) if ('vm' in found && found.vm.description.name === spec.vm.name) return true
  return false
}

/**
 * Find by opKey, then create. A new VM begins in a folder named by the operation, which gets its own name only with plan
 * and mark inside: nothing is ever made in a folder that was there before. Volumes keep what was written to them.
 */
export async function createTarget(
  host: Host,
  ctx: OpContext,
  spec: TargetSpec,
  native: readonly NativeConfig[] | null,
  backings: Backings | null = null,
): Promise<TargetVm> {
  const { place } = spec
  const dir =
    place.kind === 'new' ? join(host.endpoint.address, slug(place.name)) : (await locateVm(host, place.vm.id)).dir
  const plan = (await readPlan(dir, ctx.opKey)) ?? (await makePlan(host, ctx, spec, native, dir, backings))
  if (plan.state !== 'filling')
    throw new HoldfastError('ForeignState', `this restore has finished already: its disks are ${plan.state}`, {
      hint: 'Start a new restore.',
    })
  for (const [part, file] of [
    [KERNEL_PART, plan.after.kernel],
    [INITRD_PART, plan.after.initrd],
  ] as const) {
    const content = native?.find((p) => p.name === part)
    // What the VM has already is in use: only what this restore has named is written.
    const isOurs = file !== plan.before?.kernel && file !== plan.before?.initrd
    if (file !== undefined && isOurs && content) await writePart(host, join(dir, file), content.bytes)
  }
  const kept = new Set(plan.before?.disks.map(({ file }) => file))
  for (const disk of plan.after.disks.filter(({ file }) => !kept.has(file))) {
    ctx.signal.throwIfAborted()
    await makeVolume(host, ctx, dir, disk, spec.disks.find(({ key }) => key === disk.key)?.thin ?? true)
  }
  return await targetAt(host, dir, plan)
}

async function makePlan(
  host: Host,
  ctx: OpContext,
  spec: TargetSpec,
  native: readonly NativeConfig[] | null,
  dir: string,
  backings: Backings | null,
): Promise<TargetPlan> {
  const restored = describeTarget(spec, native, ctx.opKey, ctx.now(), backings)
  let plan: TargetPlan
  if (spec.place.kind === 'new') {
    await requireFreeName(host, ctx.opKey, spec.place.name)
    plan = {
      opKey: ctx.opKey,
      kind: 'new',
      state: 'filling',
      after: await withFreeUuid(host, restored, ctx.opKey),
      before: null,
    }
    await placeNew(host, ctx.opKey, dir, plan)
  } else {
    const before = await readDescription(dir)
    const after = describeReplacement(before, restored, spec.place.keepsRest === true)
    plan = { opKey: ctx.opKey, kind: 'replace', state: 'filling', after, before }
    await writePlan({ host }, dir, plan)
  }
  return plan
}

/** Two VMs with one uuid would be one VM to every later run. */
async function withFreeUuid(host: Host, d: VmDescription, opKey: OpKey): Promise<VmDescription> {
  for await (const found of listVms(host))
    if ('vm' in found && found.vm.description.uuid === d.uuid) return { ...d, uuid: derivedUuid(opKey) }
  return d
}

async function placeNew(host: Host, opKey: OpKey, dir: string, plan: TargetPlan): Promise<void> {
  await placeVm(host, opKey, dir, whileFilling(plan.after, opKey), (staging) => writePlan({ host }, staging, plan))
}

/**
 * A new folder with a VM in it; `before` writes what has to be there with its `vm.json`. rename(2) replaces no folder that
 * holds anything, so of two restores to one name, and of a restore and a person, one wins.
 */
export async function placeVm(
  host: Host,
  opKey: OpKey,
  dir: string,
  description: VmDescription,
  before: (staging: string) => Promise<void>,
): Promise<void> {
  const staging = join(host.endpoint.address, stagingFolder(opKey))
  const undoing = new Undoing()
  await removeStaged(host, opKey, undoing)
  if (undoing.residue[0]) throw new HoldfastError('StillInUse', undoing.residue[0].error, { retryAfter: 10_000 })
  await host.effects.run('file: folder', () => mkdir(staging))
  await before(staging)
  await host.effects.run('file: vm.json', () => createDescription(staging, description))
  try {
    await host.effects.run('file: name', () => rename(staging, dir))
  } catch (error) {
    if (!['ENOTEMPTY', 'EEXIST', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
    await removeStaged(host, opKey, undoing)
    throw new HoldfastError('NameTaken', `there is a folder ${dir} already`, { cause: error })
  }
  await using address = await open(host.endpoint.address, 'r')
  await address.sync()
}

export async function writePart(host: Host, file: string, content: Uint8Array): Promise<void> {
  await host.effects.run('file: native part', async () => {
    await writeFile(`${file}.new`, content, { flush: true })
    await rename(`${file}.new`, file)
  })
}

/** It gets its name when it is whole: one that is there is ours and stays as it is, one that was cut off is made anew. */
async function makeVolume(
  host: Host,
  ctx: OpContext,
  dir: string,
  disk: DiskDescription,
  thin: boolean,
): Promise<void> {
  const file = resolveFile(dir, disk.file)
  const size = await sizeOf(host, ctx, file, disk.format)
  if (size === disk.size) return
  if (size !== null)
    throw new HoldfastError('ForeignState', `${file} is not the volume that this restore has made: ${size} bytes`)
  await host.effects.run('program: qemu-img create', async () => {
    await rm(`${file}.new`, { force: true })
    const preallocation = thin ? [] : ['-o', 'preallocation=falloc']
    const args = ['create', '-q', '-f', disk.format, ...preallocation, `${file}.new`, String(disk.size)]
    await runProgram('qemu-img', args, { signal: ctx.signal })
    await rename(`${file}.new`, file)
  })
}

/** null: there is no such file. */
async function sizeOf(host: Host, ctx: OpContext, file: string, format: string): Promise<number | null> {
  const { exit, out, err } = await host.effects.run('program: qemu-img info', () =>
    runProgram('qemu-img', ['info', '-U', '--output=json', '-f', format, file], {
      accept: [0, 1],
      limit: 60_000,
      signal: ctx.signal,
    }),
  )
  if (exit === 0) return (JSON.parse(out) as { 'virtual-size': number })['virtual-size']
  if (/No such file/.test(err)) return null
  throw new HoldfastError('ForeignState', `${file} is not the volume that this restore has made: ${err.trim()}`)
}

export async function targetAt(host: Host, dir: string, plan: TargetPlan): Promise<TargetVm> {
  const described = vmAt(host, dir, plan.after)
  const { disks } = await describedDisks(described)
  return {
    vm: described.ref,
    opKey: plan.opKey,
    disks,
    replaced: plan.before === null ? null : vmAt(host, dir, plan.before).ref,
  }
}

/** Folder of a new VM: its name, as far as file systems and sockets like it. */
export function slug(name: string): string {
  return (
    name
      .toLowerCase()
      .replaceAll(/[^a-z0-9.-]+/g, '-')
      .replaceAll(/^[-.]+|[-.]+$/g, '') || 'vm'
  )
}
