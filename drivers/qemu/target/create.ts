import { mkdir, rename, rm, statfs, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { HoldfastError, formatBytes } from '../../../base/index.ts'
import type { NativeConfig, TargetSpec, TargetVm } from '../../facets.ts'
import type { OpContext } from '../../driver.ts'
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
import { runProgram } from '../../transport/index.ts'
import { listVms, locateVm, vmAt } from '../vm.ts'
import { describeReplacement, describeTarget, whileFilling } from './describe.ts'
import { derivedUuid, readPlan, writePlan, type TargetPlan } from './plan.ts'

/** Everything that stands in the way of `create`, at once. */
export async function checkTarget(host: Host, spec: TargetSpec): Promise<{ findings: readonly Finding[] }> {
  const findings: Finding[] = []
  const add = (code: string, severity: Finding['severity'], message: string, hint: string): void => {
    findings.push({ code, severity, disk: null, message, hint })
  }
  const { vm, place } = spec
  if (vm.firmware === 'uefi' || vm.firmware === 'uefi-secure')
    add(
      'firmware',
      'blocking',
      `“${vm.name}” boots by ${vm.firmware}, which this endpoint cannot`,
      'Restore it to a platform with UEFI.',
    )
  if (vm.firmware === 'direct-kernel' && spec.nativeConfigRef === null)
    add(
      'kernel',
      'blocking',
      `“${vm.name}” boots from a kernel that only its native configuration has`,
      'Restore it to an endpoint of its own platform.',
    )
  if (vm.tpm)
    add(
      'tpm',
      'blocking',
      `“${vm.name}” has a TPM, which this endpoint cannot give it`,
      'Restore it to a platform with TPM.',
    )
  for (const disk of vm.disks.filter((d) => d.bus !== 'virtio'))
    add(
      'bus',
      'warning',
      `disk ${disk.key} was attached by ${disk.bus} and will be by virtio`,
      'The guest needs virtio drivers.',
    )
  for (const [from, to] of Object.entries(spec.networks))
    if (to !== null && to !== 'user' && to !== 'restricted')
      add(
        'network',
        'warning',
        `network “${from}” would become “${to}”, which this endpoint does not know: the card stays disconnected`,
        'Choose “user”, “restricted” or none.',
      )
  const { bavail, bsize } = await statfs(host.endpoint.address)
  const need = vm.disks.reduce((sum, d) => sum + d.size, 0)
  if (bavail * bsize < need)
    add(
      'space',
      'warning',
      `${host.endpoint.address} has ${formatBytes(bavail * bsize)} free; the disks may grow to ${formatBytes(need)}`,
      'Free some space before the restore, or watch it.',
    )
  if (place.kind === 'new' && (await folderTaken(host, place.name)))
    add('name', 'blocking', `there is a VM “${place.name}” already`, 'Choose another name.')
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

async function folderTaken(host: Host, name: string): Promise<boolean> {
  for await (const found of listVms(host)) {
    if (
      'error' in found
        ? found.name === slug(name)
        : found.vm.description.name === name || found.vm.dir.endsWith(`/${slug(name)}`)
    )
      return true
  }
  return false
}

async function uuidTaken(host: Host, spec: TargetSpec): Promise<boolean> {
  for await (const found of listVms(host)) if ('vm' in found && found.vm.description.name === spec.vm.name) return true
  return false
}

/**
 * Find by opKey, then create. `vm.json` comes first, because it carries the mark: whatever is cut off after it can be
 * found and removed. Volumes that are there keep what was written to them.
 */
export async function createTarget(
  host: Host,
  ctx: OpContext,
  spec: TargetSpec,
  native: readonly NativeConfig[] | null,
): Promise<TargetVm> {
  const { place } = spec
  const dir =
    place.kind === 'new' ? join(host.endpoint.address, slug(place.name)) : (await locateVm(host, place.vm.id)).dir
  const plan = (await readPlan(dir, ctx.opKey)) ?? (await makePlan(host, ctx, spec, native, dir))
  if (plan.state !== 'filling')
    throw new HoldfastError('ForeignState', `this restore has finished already: its disks are ${plan.state}`, {
      hint: 'Start a new restore.',
    })
  if (plan.kind === 'new') await makeVm(host, ctx.opKey, dir, plan)
  for (const [part, file] of [
    [KERNEL_PART, plan.after.kernel],
    [INITRD_PART, plan.after.initrd],
  ] as const) {
    const content = native?.find((p) => p.name === part)
    if (file !== undefined && content) await writePart(host, join(dir, file), content.bytes)
  }
  for (const [n, disk] of plan.after.disks.entries()) {
    ctx.signal.throwIfAborted()
    await makeVolume(host, dir, disk, spec.disks[n]?.thin ?? true)
  }
  return await targetAt(host, dir, plan)
}

async function makePlan(
  host: Host,
  ctx: OpContext,
  spec: TargetSpec,
  native: readonly NativeConfig[] | null,
  dir: string,
): Promise<TargetPlan> {
  const restored = describeTarget(spec, native, ctx.opKey, ctx.now())
  let plan: TargetPlan
  if (spec.place.kind === 'new') {
    if (await folderTaken(host, spec.place.name))
      throw new HoldfastError('NameTaken', `there is a VM “${spec.place.name}” already`)
    plan = {
      opKey: ctx.opKey,
      kind: 'new',
      state: 'filling',
      after: await withFreeUuid(host, restored, ctx.opKey),
      before: null,
    }
  } else {
    const before = await readDescription(dir)
    plan = { opKey: ctx.opKey, kind: 'replace', state: 'filling', after: describeReplacement(before, restored), before }
  }
  await writePlan({ host }, dir, plan)
  return plan
}

/** Two VMs with one uuid would be one VM to every later run. */
async function withFreeUuid(host: Host, d: VmDescription, opKey: OpKey): Promise<VmDescription> {
  for await (const found of listVms(host))
    if ('vm' in found && found.vm.description.uuid === d.uuid) return { ...d, uuid: derivedUuid(opKey) }
  return d
}

async function makeVm(host: Host, opKey: OpKey, dir: string, plan: TargetPlan): Promise<void> {
  try {
    await host.effects.run('file: vm.json', () => createDescription(dir, whileFilling(plan.after, opKey)))
  } catch (error) {
    if (!(error instanceof HoldfastError && error.code === 'NameTaken')) throw error
    if ((await readDescription(dir)).opKey !== opKey) throw error
  }
}

async function writePart(host: Host, file: string, content: Uint8Array): Promise<void> {
  await host.effects.run('file: native part', async () => {
    await writeFile(`${file}.new`, content, { flush: true })
    await rename(`${file}.new`, file)
  })
}

/** A volume that is whole and of the right size stays as it is; anything else was cut off in the making. */
async function makeVolume(host: Host, dir: string, disk: DiskDescription, thin: boolean): Promise<void> {
  const file = resolveFile(dir, disk.file)
  if ((await sizeOf(host, file, disk.format)) === disk.size) return
  await host.effects.run('program: qemu-img create', async () => {
    await mkdir(dir, { recursive: true })
    await rm(`${file}.new`, { force: true })
    const preallocation = thin ? [] : ['-o', 'preallocation=falloc']
    await runProgram('qemu-img', [
      'create',
      '-q',
      '-f',
      disk.format,
      ...preallocation,
      `${file}.new`,
      String(disk.size),
    ])
    await rename(`${file}.new`, file)
  })
}

/** null: there is no such file. */
async function sizeOf(host: Host, file: string, format: string): Promise<number | null> {
  const { exit, out, err } = await host.effects.run('program: qemu-img info', () =>
    runProgram('qemu-img', ['info', '-U', '--output=json', '-f', format, file], { accept: [0, 1] }),
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
