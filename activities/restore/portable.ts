import { HoldfastError } from '../../base/index.ts'
import type { NativeConfig, PortableVm, TargetSpec } from '../../drivers/index.ts'
import type { OpenPoint } from '../../repository/index.ts'
import { nativePrefix, portableConfig } from '../backup/commit.ts'
import type { RestorePlace } from './types.ts'

const maxPortable = 1024 * 1024

/** The hypervisor-neutral description that every point carries. */
export async function readPortable(point: OpenPoint): Promise<PortableVm> {
  const content = await collect(point, portableConfig, maxPortable)
  let value: unknown
  try {
    value = JSON.parse(content.toString('utf8'))
  } catch (cause) {
    throw new HoldfastError('FormatError', `the configuration of ${point.info.stem} is not JSON`, { cause })
  }
  if (!isPortable(value))
    throw new HoldfastError('FormatError', `the configuration of ${point.info.stem} is not one that this version knows`)
  return value
}

/** Native parts as the platform gave them; only that platform can use them. */
export async function readNative(point: OpenPoint): Promise<readonly NativeConfig[]> {
  const parts: NativeConfig[] = []
  for (const { name, type, bytes } of point.info.configs) {
    if (type !== 'native' || !name.startsWith(nativePrefix)) continue
    parts.push({ name: name.slice(nativePrefix.length), bytes: await collect(point, name, bytes) })
  }
  return parts
}

export function targetSpec(point: OpenPoint, vm: PortableVm, where: RestorePlace, platform: string): TargetSpec {
  const placed = (network: string): string | null => {
    if (where.isolated) return null
    const to = where.networks?.[network]
    return to === undefined ? network : to
  }
  const disks = vm.disks.filter(({ key }) => hasDisk(point, key) && isWanted(where, key))
  const networks = Object.fromEntries(vm.nics.map(({ network }) => [network, placed(network)]))
  return {
    place: where.place.kind === 'new' ? { ...where.place, host: null, folder: null } : where.place,
    vm: { ...vm, ...(where.place.kind === 'new' && { name: where.place.name }), ...(where.disks && { disks }) },
    nativeConfigRef: point.info.vm.platform === platform ? point.info.stem : null,
    disks: disks.map(({ key, storage }) => ({ key, storage: storageAt(where, storage), thin: true })),
    identity: where.identity,
    networks,
  }
}

/** Empty: where the platform puts disks of its own accord. A VM in its original place keeps its storages. */
export function storageAt({ place, storages }: RestorePlace, from: string | undefined): string {
  if (place.kind === 'replace' || storages === undefined) return ''
  return (from === undefined ? undefined : storages[from]) ?? storages['*'] ?? ''
}

export function isWanted({ disks }: Pick<RestorePlace, 'disks'>, key: string): boolean {
  return disks === undefined || disks.includes(key)
}

function hasDisk(point: OpenPoint, key: string): boolean {
  return point.info.disks.some(({ id }) => id === key)
}

async function collect(point: OpenPoint, name: string, limit: number): Promise<Buffer> {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of point.config(name)) {
    size += part.byteLength
    if (size > limit)
      throw new HoldfastError('FormatError', `configuration part ${name} of ${point.info.stem} is larger than it says`)
    parts.push(Uint8Array.from(part))
  }
  return Buffer.concat(parts)
}

function isPortable(value: unknown): value is PortableVm {
  if (typeof value !== 'object' || value === null) return false
  const { v, name, vcpus, memory, disks, nics } = value as Partial<PortableVm>
  const numbers = typeof vcpus === 'number' && typeof memory === 'number'
  return v === 1 && typeof name === 'string' && numbers && Array.isArray(disks) && Array.isArray(nics)
}
