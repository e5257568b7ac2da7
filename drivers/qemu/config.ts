import { readFile } from 'node:fs/promises'
import { HoldfastError, MiB, bytes } from '../../base/index.ts'
import type { ConfigExport } from '../driver.ts'
import type { DiskKey, PortableVm } from '../values.ts'
import { encodeDescription, resolveFile, VM_FILE, type VmDescription } from './description.ts'
import type { Vm } from './vm.ts'

/** Names of the native parts; a restore gives them back under the same names. */
export const KERNEL_PART = 'kernel'
export const INITRD_PART = 'initrd'
export const DESCRIPTION_PART = VM_FILE

/** Kernel and initramfs are configuration, not disks: what is larger than this is neither (rulings 16). */
const MAX_PART = 256 * MiB

/** The description as it is, and, of a guest that QEMU boots directly, its kernel and initramfs. One element per part. */
export function exportVmConfig(vm: Vm): ConfigExport {
  return { portable: portableOf(vm.description), native: nativeParts(vm) }
}

async function* nativeParts(vm: Vm): ConfigExport['native'] {
  const { description: d } = vm
  yield { name: DESCRIPTION_PART, mediaType: 'application/json', bytes: Buffer.from(encodeDescription(d)) }
  for (const [name, file] of [
    [KERNEL_PART, d.kernel],
    [INITRD_PART, d.initrd],
  ] as const)
    if (file !== undefined) yield { name, mediaType: 'application/octet-stream', bytes: await readPart(vm, file) }
}

async function readPart(vm: Vm, file: string): Promise<Uint8Array> {
  const path = resolveFile(vm.dir, file)
  let content: Buffer
  try {
    content = await readFile(path)
  } catch (error) {
    throw new HoldfastError('NotFound', `cannot read ${path}, which VM “${vm.description.name}” boots from`, {
      cause: error,
    })
  }
  if (content.length > MAX_PART)
    throw new HoldfastError(
      'Unsupported',
      `${path} has ${content.length} bytes; kernel and initramfs may have ${MAX_PART}`,
    )
  return content
}

export function portableOf(d: VmDescription): PortableVm {
  return {
    v: 1,
    name: d.name,
    vcpus: d.vcpus,
    memory: bytes(d.memory),
    firmware: d.firmware,
    tpm: false,
    clock: 'utc',
    disks: d.disks.map((disk) => ({
      key: disk.key as DiskKey,
      size: bytes(disk.size),
      sectorSize: 512,
      bus: 'virtio',
      bootOrder: disk.bootOrder,
    })),
    nics: d.nics.map((nic) => ({ mac: nic.mac, model: 'virtio', network: nic.network, vlan: null })),
    guest: { family: 'linux', hint: null },
  }
}
