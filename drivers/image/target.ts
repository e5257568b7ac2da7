import { existsSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { HoldfastError, bytes, describeError, formatBytes } from '../../base/index.ts'
import { ownsOpKey } from '../names.ts'
import { runProgram } from '../transport/index.ts'
import type { OpContext } from '../driver.ts'
import type { RestoreTarget, TargetSpec, TargetVm } from '../facets.ts'
import type { Finding, OpKey, Residue } from '../values.ts'
import type { ImageDescription } from './description.ts'
import type { ImageHost } from './host.ts'
import { inspectImage } from './images.ts'
import { finding } from './look.ts'
import { destroyStaged, findRestored, finish, giveName, listRestored, stage, type Restored } from './restored.ts'
import { listImageVms } from './vms.ts'
import { openImageWriter } from './writer.ts'

/** Restores into new images: `storage` of a disk is `qcow2` (or empty) or `raw`. */
export function imageTarget(host: ImageHost): RestoreTarget {
  return {
    check: (_ctx, spec) => checkTarget(host, spec),
    create: (ctx, spec) => createTarget(host, ctx, spec),
    async openWriter(ctx, target, key) {
      const { vm } = await staged(host, target.opKey)
      const n = vm.disks.findIndex((d) => d.key === key)
      const disk = vm.disks[n]
      if (!disk) throw new HoldfastError('NotFound', `the restored VM has no disk ${key}`)
      return await openImageWriter(vm, disk, target.opKey, n, ctx.signal)
    },
    async finalize(_ctx, target) {
      const found = await findRestored(host, target.opKey)
      if (!found) throw notOurs(target)
      return (await giveName(host, found)).ref
    },
    async handOver(_ctx, target) {
      const found = await findRestored(host, target.opKey)
      if (!found) throw notOurs(target)
      await finish(host, found)
    },
    revert: (_ctx, target) =>
      Promise.reject(new HoldfastError('NotFound', `VM “${target.vm.name}” replaced nothing that could be put back`)),
    destroy: (ctx, target) => destroyTarget(host, ctx, target),
    bootIsolated: (_ctx, vm) =>
      Promise.reject(
        new HoldfastError('Unsupported', `VM “${vm.name}” is nothing but images: no hypervisor here can boot it`),
      ),
  }
}

async function checkTarget(host: ImageHost, spec: TargetSpec): Promise<{ findings: readonly Finding[] }> {
  const findings: Finding[] = []
  const { address } = host.endpoint
  if (spec.place.kind === 'replace')
    findings.push(
      finding(
        'replace',
        'blocking',
        null,
        'images are restored beside the old ones, not in their place',
        'Restore under a new name, then exchange the folders.',
      ),
    )
  else if (!isName(spec.place.name))
    findings.push(
      finding(
        'name',
        'blocking',
        null,
        `“${spec.place.name}” is no name for a folder of images`,
        'Use letters, digits, space, dot, hyphen and underscore.',
      ),
    )
  else if (await isTaken(host, spec.place.name))
    findings.push(
      finding('name', 'blocking', null, `there is a VM “${spec.place.name}” already`, 'Choose another name.'),
    )
  for (const { key, storage } of spec.disks)
    if (formatOf(storage) === null)
      findings.push(
        finding('storage', 'blocking', key, `disk ${key}: there is no storage “${storage}”`, 'Use qcow2 or raw.'),
      )
  if (spec.vm.firmware === 'direct-kernel')
    findings.push(
      finding(
        'kernel',
        'warning',
        null,
        `“${spec.vm.name}” boots from a kernel outside its disks, which images do not keep`,
        'Keep the point: only a restore to its own platform has the kernel.',
      ),
    )
  const need = spec.vm.disks.reduce((sum, d) => sum + d.size, 0)
  const { bavail, bsize } = await statfs(address)
  if (bavail * bsize < need)
    findings.push(
      finding(
        'space',
        'warning',
        null,
        `${address} has ${formatBytes(bavail * bsize)} free; the disks may grow to ${formatBytes(need)}`,
        'Free some space before the restore, or watch it.',
      ),
    )
  return { findings }
}

async function createTarget(host: ImageHost, ctx: OpContext, spec: TargetSpec): Promise<TargetVm> {
  const { place } = spec
  if (place.kind === 'replace') throw new HoldfastError('Unsupported', 'the image driver restores into new images only')
  if (!isName(place.name))
    throw new HoldfastError('InvalidRequest', `“${place.name}” is no name for a folder of images`)
  const found = await findRestored(host, ctx.opKey)
  if (found) return await targetOf(found, ctx)
  if (await isTaken(host, place.name)) throw new HoldfastError('NameTaken', `there is a VM “${place.name}” already`)
  const description = describeRestored(spec, place.name, ctx.opKey)
  await stage(host, description, async (dir) => {
    for (const [n, disk] of description.disks.entries()) {
      ctx.signal.throwIfAborted()
      const preallocation = (spec.disks[n]?.thin ?? true) ? [] : ['-o', 'preallocation=falloc']
      const size = String(spec.vm.disks[n]?.size ?? 0)
      await host.effects.run('program: qemu-img create', () =>
        runProgram('qemu-img', ['create', '-q', '-f', disk.format, ...preallocation, join(dir, disk.file), size], {
          signal: ctx.signal,
        }),
      )
    }
  })
  return await targetOf(await staged(host, ctx.opKey), ctx)
}

function describeRestored(spec: TargetSpec, name: string, opKey: OpKey): ImageDescription & { readonly opKey: OpKey } {
  const nics = spec.vm.nics.map((nic) => ({ ...nic, network: spec.networks[nic.network] ?? '' }))
  return {
    v: 1,
    name,
    tags: ['restored'],
    portable: { ...spec.vm, name, nics },
    opKey,
    restoredBy: opKey,
    disks: spec.vm.disks.map(({ key, bootOrder }) => {
      const format = formatOf(spec.disks.find((d) => d.key === key)?.storage ?? '')
      if (format === null) throw new HoldfastError('InvalidRequest', `disk ${key}: storage is qcow2 or raw`)
      return { key, file: `${key.replaceAll(':', '-')}.${format}`, format, bootOrder }
    }),
  }
}

/** Refuses what does not carry our mark; what is absent is destroyed already. */
async function destroyTarget(
  host: ImageHost,
  ctx: OpContext,
  target: TargetVm,
): Promise<{ residue: readonly Residue[] }> {
  if (!ownsOpKey(ctx.installation, target.opKey)) throw notOurs(target)
  const found = await findRestored(host, target.opKey)
  const isMarked = found !== null && !found.finished
  if (!isMarked && (await isVm(host, target.vm.id))) throw notOurs(target)
  try {
    await destroyStaged(host, target.opKey)
    return { residue: [] }
  } catch (error) {
    return {
      residue: [{ kind: 'vm', id: target.vm.id, error: describeError(error), hint: 'The orphan sweep tries again.' }],
    }
  }
}

async function staged(host: ImageHost, opKey: OpKey): Promise<Restored> {
  const found = await findRestored(host, opKey)
  if (found && !found.finished) return found
  throw new HoldfastError('NotOurs', `no VM in ${host.endpoint.address} is being restored by ${opKey}`)
}

async function targetOf({ vm, opKey }: Restored, ctx: OpContext): Promise<TargetVm> {
  const disks = await Promise.all(vm.disks.map((d) => inspectImage(vm, d, ctx.signal, true)))
  return { vm: vm.ref, opKey, disks: disks.map((d) => ({ ...d.ref, size: bytes(d.view.size) })), replaced: null }
}

/** By a VM, or by a restore that has not finished. */
async function isTaken(host: ImageHost, name: string): Promise<boolean> {
  const { address } = host.endpoint
  if (existsSync(join(address, name)) || existsSync(join(address, `${name}.json`))) return true
  return (await listRestored(host)).some((r) => r.vm.ref.id === name)
}

async function isVm(host: ImageHost, id: string): Promise<boolean> {
  for await (const found of listImageVms(host)) if (('vm' in found ? found.vm.ref.id : found.id) === id) return true
  return (await listRestored(host)).some((r) => r.vm.ref.id === id)
}

function notOurs(target: TargetVm): HoldfastError {
  return new HoldfastError('NotOurs', `VM “${target.vm.name}” does not carry the mark ${target.opKey}`)
}

function formatOf(storage: string): 'qcow2' | 'raw' | null {
  if (storage === '' || storage === 'qcow2') return 'qcow2'
  return storage === 'raw' ? 'raw' : null
}

function isName(name: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9 ._-]{0,62}$/.test(name) && !name.endsWith('.json')
}
