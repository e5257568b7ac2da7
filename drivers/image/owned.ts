import { HoldfastError } from '../../base/index.ts'
import { opKeyFor, ownsOpKey, readBitmapName } from '../names.ts'
import type { OpContext } from '../driver.ts'
import type { OpKey, OwnedObject, VmRef } from '../values.ts'
import { listExports, stopExport } from './exports.ts'
import type { ImageHost } from './host.ts'
import { inspectImage, removeBitmap } from './images.ts'
import { destroyStaged, listRestored } from './restored.ts'
import { listImageVms, locateImageVm } from './vms.ts'

/** Processes, bitmaps and half-restored VMs of our installation. An image that cannot be read now is an error, not absence. */
export async function* listOwnedImages(host: ImageHost, ctx: OpContext): AsyncGenerator<OwnedObject, void, undefined> {
  const object = (kind: OwnedObject['kind'], id: string, opKey: OpKey, vm: VmRef): OwnedObject => ({
    kind,
    id,
    opKey,
    vm,
    createdAt: null,
    size: null,
  })
  for await (const found of listImageVms(host)) {
    ctx.signal.throwIfAborted()
    if ('error' in found) throw found.error
    const { vm } = found
    for (const { name, opKey } of await listExports(vm))
      if (ownsOpKey(ctx.installation, opKey)) yield object('process', name, opKey, vm.ref)
    for (const disk of vm.disks.filter((d) => d.format === 'qcow2')) {
      const { view } = await inspectImage(vm, disk, ctx.signal, true)
      for (const bitmap of view.bitmaps) {
        const name = readBitmapName(bitmap.name)
        if (name?.installation === ctx.installation)
          yield object('bitmap', `${disk.key}/${bitmap.name}`, opKeyFor(ctx.installation, vm.ref, name.point), vm.ref)
      }
    }
  }
  // A finished one belongs to whoever asked for the restore.
  for (const { vm, opKey, finished } of await listRestored(host))
    if (!finished && ownsOpKey(ctx.installation, opKey)) yield object('vm', vm.ref.id, opKey, vm.ref)
}

/** Re-reads the mark from the thing itself before it goes. */
export async function removeOwnedImage(host: ImageHost, ctx: OpContext, object: OwnedObject): Promise<void> {
  const notOurs = (): HoldfastError =>
    new HoldfastError('NotOurs', `${object.kind} ${object.id} does not carry our mark`)
  if (!ownsOpKey(ctx.installation, object.opKey) || object.vm === null) throw notOurs()
  if (object.kind === 'vm') return await destroyStaged(host, object.opKey)
  const vm = await locateImageVm(host, object.vm.id)
  if (object.kind === 'process') {
    if (!object.id.startsWith(`${object.opKey}.`)) throw notOurs()
    return await stopExport(vm, object.id)
  }
  if (object.kind !== 'bitmap') throw notOurs()
  const at = object.id.indexOf('/')
  const [key, bitmap] = [object.id.slice(0, at), object.id.slice(at + 1)]
  const name = readBitmapName(bitmap)
  if (name?.installation !== ctx.installation) throw notOurs()
  const disk = vm.disks.find((d) => d.key === key)
  if (!disk) return
  const { view } = await inspectImage(vm, disk, ctx.signal)
  if (view.bitmaps.some((b) => b.name === bitmap)) await removeBitmap(vm, disk, bitmap)
}
