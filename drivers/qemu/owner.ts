import { join } from 'node:path'
import { claimOwnerFile, readOwnerFile } from '../owner-file.ts'
import type { OwnerMark } from '../values.ts'
import type { Vm } from './vm.ts'

/** The owner mark lies beside the VM's description, so that it never travels with a copy or a restore of it. */
const fileOf = (vm: Vm): string => join(vm.dir, 'owner.json')

/** The installation that protects this VM; null: none. Throws `ForeignState` if the mark cannot be understood. */
export function readOwner(vm: Vm): Promise<OwnerMark | null> {
  return readOwnerFile(fileOf(vm))
}

/** Of two installations that claim at the same time exactly one becomes the owner. */
export function claimOwner(vm: Vm, owner: OwnerMark, takeFrom?: string): Promise<OwnerMark> {
  return vm.host.effects.run('file: owner mark', () => claimOwnerFile(fileOf(vm), owner, takeFrom))
}
