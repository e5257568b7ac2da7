import { existsSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { HoldfastError, bytes, describeError, formatBytes } from '../../base/index.ts'
import { runProgram } from '../transport/index.ts'
import type { OpContext, RangeWriter } from '../driver.ts'
import type { RestoreTarget, TargetSpec, TargetVm } from '../facets.ts'
import type { DiskKey, Finding, OpKey, Residue, VmRef } from '../values.ts'
import type { ImageDescription } from './description.ts'
import type { ImageHost } from './host.ts'
import { inspectImage } from './images.ts'
import { finding } from './look.ts'
import { destroyRestored, findRestored, finish, stage, type Restored } from './restored.ts'
import { openImageWriter } from './writer.ts'

/** Restores into new images: `storage` of a disk is `qcow2` (default) or `raw`. */
export class ImageTarget implements RestoreTarget {
  readonly #host: ImageHost

  constructor(host: ImageHost) {
    this.#host = host
  }

  async check(_ctx: OpContext, spec: TargetSpec): Promise<{ findings: readonly Finding[] }> {
    const findings: Finding[] = []
    const { address } = this.#host.endpoint
    if (spec.place.kind === 'replace')
      findings.push(
        finding(
          'unsupported',
          'blocking',
          null,
          'images are restored beside the old ones, not in their place',
          'Restore under a new name, then exchange the folders.',
        ),
      )
    else if (!isName(spec.place.name))
      findings.push(
        finding(
          'name-invalid',
          'blocking',
          null,
          `“${spec.place.name}” is no name for a folder of images`,
          'Use letters, digits, space, dot, hyphen and underscore.',
        ),
      )
    else if (existsSync(join(address, spec.place.name)))
      findings.push(
        finding(
          'name-taken',
          'blocking',
          null,
          `there is a VM “${spec.place.name}” in ${address} already`,
          'Choose another name.',
        ),
      )
    for (const { key, storage } of spec.disks)
      if (formatOf(storage) === null)
        findings.push(
          finding(
            'storage-unknown',
            'blocking',
            key,
            `disk ${key}: there is no storage “${storage}”`,
            'Use qcow2 or raw.',
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
          `${address} has ${formatBytes(bavail * bsize)} free, the disks are ${formatBytes(need)} when full`,
          'Make space, or go on if the disks are sparse.',
        ),
      )
    return { findings }
  }

  async create(ctx: OpContext, spec: TargetSpec): Promise<TargetVm> {
    const { place } = spec
    if (place.kind === 'replace')
      throw new HoldfastError('Unsupported', 'the image driver restores into new images only')
    if (!isName(place.name))
      throw new HoldfastError('InvalidRequest', `“${place.name}” is no name for a folder of images`)
    const found = await findRestored(this.#host, ctx.opKey)
    if (found) return await targetOf(found, ctx)
    if (existsSync(join(this.#host.endpoint.address, place.name)))
      throw new HoldfastError('NameTaken', `there is a VM “${place.name}” in ${this.#host.endpoint.address} already`)
    const description: ImageDescription & { opKey: OpKey } = {
      v: 1,
      name: place.name,
      tags: ['restored'],
      portable: {
        ...spec.vm,
        name: place.name,
        nics: spec.vm.nics.map((nic) => ({ ...nic, network: spec.networks[nic.network] ?? '' })),
      },
      opKey: ctx.opKey,
      disks: spec.vm.disks.map((disk) => {
        const format = formatOf(spec.disks.find((d) => d.key === disk.key)?.storage ?? '')
        if (format === null) throw new HoldfastError('InvalidRequest', `disk ${disk.key}: storage is qcow2 or raw`)
        return { key: disk.key, file: `${disk.key.replaceAll(':', '-')}.${format}`, format, bootOrder: disk.bootOrder }
      }),
    }
    await stage(this.#host, description, async (dir) => {
      for (const [n, disk] of description.disks.entries()) {
        ctx.signal.throwIfAborted()
        const size = String(spec.vm.disks[n]?.size ?? 0)
        await this.#host.effects.run('program: qemu-img create', () =>
          runProgram('qemu-img', ['create', '-q', '-f', disk.format, join(dir, disk.file), size], {
            signal: ctx.signal,
          }),
        )
      }
    })
    return await targetOf(await this.#ours(ctx.opKey), ctx)
  }

  async openWriter(ctx: OpContext, target: TargetVm, disk: DiskKey): Promise<RangeWriter> {
    const { vm } = await this.#ours(target.opKey)
    const n = vm.disks.findIndex((d) => d.key === disk)
    const image = vm.disks[n]
    if (!image) throw new HoldfastError('NotFound', `the restored VM has no disk ${disk}`)
    return await openImageWriter(vm, image, target.opKey, n, ctx.signal)
  }

  async finalize(_ctx: OpContext, target: TargetVm): Promise<VmRef> {
    return (await finish(this.#host, await this.#ours(target.opKey))).ref
  }

  async revert(_ctx: OpContext, target: TargetVm): Promise<void> {
    throw new HoldfastError('NotFound', `VM “${target.vm.name}” replaced nothing that could be put back`)
  }

  async destroy(_ctx: OpContext, target: TargetVm): Promise<{ residue: readonly Residue[] }> {
    try {
      await destroyRestored(this.#host, target.opKey)
      return { residue: [] }
    } catch (error) {
      return {
        residue: [{ kind: 'vm', id: target.vm.id, error: describeError(error), hint: 'The orphan sweep tries again.' }],
      }
    }
  }

  async bootIsolated(_ctx: OpContext, vm: VmRef): Promise<{ address: string | null }> {
    throw new HoldfastError('Unsupported', `VM “${vm.name}” is nothing but images: no hypervisor here can boot it`)
  }

  async #ours(opKey: OpKey): Promise<Restored> {
    const found = await findRestored(this.#host, opKey)
    if (found) return found
    throw new HoldfastError('NotOurs', `no VM in ${this.#host.endpoint.address} carries the mark ${opKey}`)
  }
}

async function targetOf({ vm, opKey }: Restored, ctx: OpContext): Promise<TargetVm> {
  const disks = await Promise.all(vm.disks.map((d) => inspectImage(vm, d, ctx.signal, true)))
  return { vm: vm.ref, opKey, disks: disks.map((d) => ({ ...d.ref, size: bytes(d.view.size) })), replaced: null }
}

function formatOf(storage: string): 'qcow2' | 'raw' | null {
  if (storage === '' || storage === 'qcow2') return 'qcow2'
  return storage === 'raw' ? 'raw' : null
}

function isName(name: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9 ._-]{0,62}$/.test(name) && !name.endsWith('.json')
}
