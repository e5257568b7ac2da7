import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { HoldfastError, formatDuration, isHoldfastError } from '../base/index.ts'
import { readStagingFolder } from '../drivers/names.ts'
import { VM_FILE } from '../drivers/qemu/description.ts'
import type { Lab } from './lab.ts'
import { LabVm } from './vm.ts'

type Endpoint = Pick<Lab, 'endpoint'>

/**
 * A VM of the lab's endpoint by name, restored ones included; throws `NotFound`. One that is still being made has the name
 * before its folder has: that folder is another one in a moment, so it is passed over.
 */
export async function findLabVm({ endpoint }: Endpoint, name: string): Promise<LabVm> {
  for (const entry of readdirSync(endpoint.address)) {
    const dir = join(endpoint.address, entry)
    if (readStagingFolder(entry) !== null || !existsSync(join(dir, VM_FILE))) continue
    const vm = await unlessGone(LabVm.open(dir))
    if (vm?.name === name) return vm
  }
  throw new HoldfastError('NotFound', `the lab has no VM ${name}`)
}

/**
 * Waits until the VM is there and its QEMU runs; its folder is there as soon as it is made, its QEMU comes later. Looks for the
 * folder anew each time. Throws `GuestStuck` after `limit` milliseconds.
 */
export async function startedLabVm(lab: Endpoint, name: string, limit = 120_000): Promise<LabVm> {
  for (const deadline = Date.now() + limit; ; await sleep(20)) {
    const vm = await unlessGone(findLabVm(lab, name))
    if (vm !== null && (await vm.running()) !== null) return vm
    if (Date.now() < deadline) continue
    const what = vm === null ? 'is not there' : `is in ${vm.dir} and does not run`
    throw new HoldfastError('GuestStuck', `VM “${name}” ${what} after ${formatDuration(limit)}`, {
      hint: vm === null ? 'Look at the run that makes it.' : `Read ${vm.paths.log}.`,
    })
  }
}

/** null: its folder was removed while it was looked at, or there is none. */
async function unlessGone(found: Promise<LabVm>): Promise<LabVm | null> {
  try {
    return await found
  } catch (error) {
    if (isHoldfastError(error) && error.code === 'NotFound') return null
    throw error
  }
}
