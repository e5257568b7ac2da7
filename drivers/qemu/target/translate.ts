import type { Finding, PortableVm } from '../../values.ts'
import type { TargetSpec } from '../../facets.ts'

const [mostDisks, mostNics, mostProcessors] = [26, 8, 255]
/** What QEMU takes as the name of a device (description.ts). */
const deviceName = /^[a-z][a-z0-9._-]{0,19}$/
const windowsHint =
  'Install virtio drivers (vioscsi or viostor, and NetKVM) in the guest before it is taken, or it does not find its disk.'

/**
 * What becomes of a machine here that was another one where it came from. Blocking: it would not start as the machine that
 * it is, or could not be made. Warnings: the guest sees other devices.
 */
export function translate({
  vm,
  networks,
  nativeConfigRef,
  disks,
}: Pick<TargetSpec, 'vm' | 'networks' | 'nativeConfigRef' | 'disks'>): Finding[] {
  const findings: Finding[] = []
  const add = (
    code: string,
    severity: Finding['severity'],
    message: string,
    hint: string,
    disk: Finding['disk'] = null,
  ): void => {
    findings.push({ code, severity, disk, message, hint })
  }
  if (vm.firmware === 'uefi' || vm.firmware === 'uefi-secure')
    add(
      'firmware',
      'blocking',
      `“${vm.name}” boots by ${vm.firmware}, which this endpoint cannot`,
      'Restore it to a platform with UEFI.',
    )
  if (vm.firmware === 'direct-kernel' && nativeConfigRef === null)
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
  for (const [what, has, most] of [
    ['disks', vm.disks.length, mostDisks],
    ['network cards', vm.nics.length, mostNics],
    ['processors', vm.vcpus, mostProcessors],
  ] as const)
    if (has > most)
      add(
        'size',
        'blocking',
        `“${vm.name}” has ${has} ${what}, this endpoint has ${most} at most`,
        'Restore it to a larger platform.',
      )
  const needsDrivers = vm.guest.family === 'windows' ? windowsHint : 'The guest needs virtio drivers; Linux has them.'
  for (const { key, bus, sectorSize } of vm.disks) {
    if (!deviceName.test(key))
      add(
        'disk-name',
        'blocking',
        `disk ${key} has a name that QEMU does not take`,
        'Export the disk as an image, and import that.',
        key,
      )
    if (bus !== 'virtio')
      add('bus', 'warning', `disk ${key} was attached by ${bus} and will be by virtio`, needsDrivers, key)
    if (sectorSize !== 512)
      add(
        'sectors',
        'warning',
        `disk ${key} had sectors of ${sectorSize} bytes and will have ones of 512`,
        'Partition tables count in sectors: the guest may not find its partitions.',
        key,
      )
  }
  for (const { key, storage } of disks)
    if (storage !== '')
      add(
        'storage',
        'warning',
        `disk ${key} is to lie on “${storage}”, which this endpoint does not know: it lies beside the VM`,
        'All disks of a VM lie in its folder here; take the storage out of the mapping of the site.',
        key,
      )
  findings.push(...otherMachine(vm, needsDrivers))
  for (const [from, to] of Object.entries(networks))
    if (to !== null && to !== 'user' && to !== 'restricted')
      add(
        'network',
        'warning',
        `network “${from}” would become “${to}”, which this endpoint does not know: the card stays disconnected`,
        'Choose “user”, “restricted” or none.',
      )
  return findings
}

function otherMachine(vm: PortableVm, needsDrivers: string): Finding[] {
  const warn = (code: string, message: string, hint: string): Finding[] => [
    { code, severity: 'warning', disk: null, message, hint },
  ]
  const models = [...new Set(vm.nics.map(({ model }) => model).filter((model) => model !== 'virtio'))]
  const tagged = vm.nics.filter(({ vlan }) => vlan !== null)
  return [
    ...(models.length > 0
      ? warn(
          'nic',
          `network cards were ${models.join(', ')} and will be virtio`,
          `${needsDrivers} Names of cards in the guest may change.`,
        )
      : []),
    ...(tagged.length > 0
      ? warn(
          'vlan',
          `${tagged.length} of its network cards had a VLAN, which this endpoint does not know`,
          'Tag the traffic outside.',
        )
      : []),
    ...(vm.clock === 'localtime'
      ? warn(
          'clock',
          'its clock ran in local time and will run in UTC',
          'Set the clock of the guest, or tell it that the hardware clock is in UTC.',
        )
      : []),
    // Taken from nothing but disks.
    ...(vm.guest.hint === null
      ? []
      : warn(
          'guess',
          `${vm.vcpus} processors and ${Math.round(vm.memory / 2 ** 20)} MiB: ${vm.guest.hint}`,
          'Change them after the restore, before the first start.',
        )),
  ]
}
