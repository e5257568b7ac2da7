import type { OpKey } from '../../values.ts'
import type { VmDescription } from '../description.ts'
import type { Host } from '../host.ts'
import { whileFilling, writeVm } from '../target/index.ts'
import type { Vm } from '../vm.ts'
import { uppermost } from './files.ts'
import { requireStandby, type Standby, type Volumes } from './record.ts'

/**
 * `vm.json` as the record has it: on the head and marked as ours while it follows, on what its guest writes and nobody's
 * once it has taken over. Nobody compares and sets that file, so whoever writes it looks again afterwards: what an
 * attempt wrote that slept through a change of the record, it puts right itself. One that has taken over and carries no
 * mark is its owner's: whatever disks that gave it, it keeps.
 */
export async function settle(host: Host, opKey: OpKey): Promise<Standby> {
  for (;;) {
    // It reads `vm.json` first and the record after it.
    const found = await requireStandby(host, opKey)
    const wanted = described(found)
    const { description, dir } = found.vm
    if (found.record.role === 'taken-over' && description.opKey !== opKey) return found
    if (wanted === null || (description.opKey === wanted.opKey && isOn(description, wanted.disks))) return found
    await writeVm(host, dir, keepRunDir(found.vm, wanted))
  }
}

function described({ vm, record: { opKey, head, role, takeover } }: Standby): VmDescription | null {
  if (head === null) return role === 'follows' ? whileFilling(vm.description, opKey) : null
  if (role !== 'taken-over' || takeover === null) return whileFilling(head.description, opKey)
  return { ...onto(head.description, takeover.volumes), opKey: null }
}

/** Whether it has these disks, beside others that somebody may have given it. */
export function isOn(d: VmDescription, disks: readonly { readonly file: string }[]): boolean {
  return disks.every(({ file }) => d.disks.some((one) => one.file === file))
}

/** Whether these are its disks, and no others. */
export function isJustOn({ disks }: VmDescription, volumes: readonly Volumes[]): boolean {
  return (
    disks.length === volumes.length &&
    volumes.every((of) => disks.some(({ key, file }) => key === of.key && file === uppermost(of)))
  )
}

export function onto(d: VmDescription, volumes: readonly Volumes[]): VmDescription {
  return {
    ...d,
    disks: d.disks.map((disk) => {
      const of = volumes.find(({ key }) => key === disk.key)
      return of ? { ...disk, file: uppermost(of) } : disk
    }),
  }
}

/** Where its sockets lie is the VM's own affair. */
function keepRunDir({ description: { runDir, owner } }: Vm, d: VmDescription): VmDescription {
  return { ...d, owner, ...(runDir !== undefined && { runDir }) }
}
