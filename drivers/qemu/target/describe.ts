import { HoldfastError, MiB, instant } from '../../../base/index.ts'
import { volumeFile } from '../../names.ts'
import type { NativeConfig, TargetSpec } from '../../facets.ts'
import type { OpKey } from '../../values.ts'
import { DESCRIPTION_PART, INITRD_PART, KERNEL_PART } from '../config.ts'
import { parseDescription, type DiskBacking, type NicDescription, type VmDescription } from '../description.ts'
import { derivedMac, derivedSerial, derivedUuid, diskFormat } from './plan.ts'

/** Our own description, if the point was taken by this driver. */
export function nativeDescription(native: readonly NativeConfig[] | null): VmDescription | null {
  const part = native?.find((p) => p.name === DESCRIPTION_PART)
  if (!part) return null
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(part.bytes).toString('utf8'))
  } catch (error) {
    throw new HoldfastError('FormatError', 'the native configuration of the point is not JSON', { cause: error })
  }
  return parseDescription(value, 'the native configuration of the point')
}

/** What each disk of an instant VM is an overlay on. */
export type Backings = { readonly [disk: string]: DiskBacking }

/**
 * The VM as it will be after `finalize`: from the native description where there is one, else from the portable. With
 * `backings` its disks are overlays, whatever their format was.
 */
export function describeTarget(
  spec: TargetSpec,
  native: readonly NativeConfig[] | null,
  opKey: OpKey,
  now: string,
  backings: Backings | null = null,
): VmDescription {
  const from = nativeDescription(native)
  const { vm } = spec
  const isSame = spec.identity === 'same'
  const direct = vm.firmware === 'direct-kernel'
  // In a folder of its own a file may have its plain name; beside the old ones it carries the operation's.
  const fileOf = (part: string): string => (spec.place.kind === 'new' ? part : volumeFile(opKey, 999, part))
  const has = (part: string): boolean => native?.some((p) => p.name === part) ?? false
  if (direct && !has(KERNEL_PART))
    throw new HoldfastError('Unsupported', `the point has no kernel, but “${vm.name}” boots from one`, {
      hint: 'Such a point can be restored only where its native configuration is kept.',
    })
  return parseDescription(
    {
      v: 1,
      uuid: isSame && from ? from.uuid : derivedUuid(opKey),
      name: vm.name,
      memory: Math.ceil(vm.memory / MiB) * MiB,
      vcpus: vm.vcpus,
      machine: from?.machine ?? 'q35',
      accel: from?.accel ?? 'auto',
      firmware: direct ? 'direct-kernel' : 'bios',
      ...(direct && { kernel: fileOf(KERNEL_PART) }),
      ...(direct && has(INITRD_PART) && { initrd: fileOf(INITRD_PART) }),
      ...(direct && from?.append !== undefined && { append: from.append }),
      disks: spec.disks.map(({ key }, n) => {
        const portable = vm.disks.find((d) => d.key === key)
        if (!portable) throw new HoldfastError('InvalidRequest', `disk ${key} is not in the portable configuration`)
        const backing = backings?.[key]
        const format = backing ? 'qcow2' : diskFormat(from, key)
        return {
          key,
          file: spec.place.kind === 'new' ? `${key}.${format}` : volumeFile(opKey, n, format),
          format,
          size: portable.size,
          serial: from?.disks.find((d) => d.key === key)?.serial ?? derivedSerial(opKey, n),
          bootOrder: portable.bootOrder,
          ...(backing && { backing }),
        }
      }),
      nics: vm.nics.map((nic, n): NicDescription => ({
        mac: isSame ? nic.mac.toLowerCase() : derivedMac(opKey, n),
        network: networkOf(spec, nic.network),
      })),
      tags: from?.tags ?? [],
      notes: from?.notes ?? '',
      opKey: null,
      created: instant(Date.parse(now)),
    },
    'the restore',
  )
}

function networkOf(spec: TargetSpec, from: string): NicDescription['network'] {
  const to = spec.networks[from] ?? null
  return to === 'user' || to === 'restricted' ? to : 'disconnected'
}

/** The VM while it is being filled: ours to destroy, and reaching nothing. */
export function whileFilling(after: VmDescription, opKey: OpKey): VmDescription {
  return { ...after, opKey, nics: after.nics.map((nic) => ({ ...nic, network: 'disconnected' })) }
}

/**
 * A replacement keeps the place, identity and networks of the VM and takes its machine and disks from the point. One that
 * keeps the rest takes single disks only: each has the place in the machine that the one before it had.
 */
export function describeReplacement(before: VmDescription, restored: VmDescription, keepsRest: boolean): VmDescription {
  if (keepsRest) {
    const placed = before.disks.map((disk) => {
      const made = restored.disks.find(({ key }) => key === disk.key)
      return made === undefined ? disk : { ...made, serial: disk.serial, bootOrder: disk.bootOrder }
    })
    const fresh = restored.disks.filter(({ key }) => !before.disks.some((disk) => disk.key === key))
    return { ...before, disks: [...placed, ...fresh.map((disk) => ({ ...disk, bootOrder: null }))], opKey: null }
  }
  const { uuid, name, nics, tags, notes, created, runDir } = before
  return { ...restored, uuid, name, nics, tags, notes, created, opKey: null, ...(runDir !== undefined && { runDir }) }
}
