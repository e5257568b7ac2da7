import type { ContractRig } from '../../contract/rig.ts'
import { MiB } from '../../../base/index.ts'
import { openQemu } from '../driver.ts'
import { BareVm, twoDisks } from './bare.ts'

const elsewhereTested: NonNullable<ContractRig['elsewhere']> = {
  '2': 'this driver has no secrets',
  '3': 'drivers/names.test.ts',
  '8': 'drivers/qemu/fuzz.contract.test.ts',
  '15': 'drivers/qemu/sparse.contract.test.ts, on a disk of 1 TiB',
  '27–30': 'drivers/qemu/frozen.contract.test.ts and guest.contract.test.ts, on a real guest',
  '34': 'no session, lease or ticket can expire on a local socket',
  '36': 'a local socket has no TLS certificate and no host key',
  '37': 'drivers/qmp/client.test.ts and agent.test.ts',
  '38': 'drivers/qmp/client.test.ts and agent.test.ts',
  '42': 'distrust after an audit belongs to the mover',
  '51': 'there is one other driver so far, and it restores nowhere',
  '52': 'drivers/qemu/guest.contract.test.ts, on a real guest',
  '53, 54': 'capability instant is false',
}

/** Bare VMs for the contract of all drivers, with one way of fleecing. `stride`: every so manieth effect is a place to die. */
export function rig(fleecing: 'filter' | 'job', stride: number, cannot: ContractRig['cannot']): ContractRig {
  return {
    name: `variant ${fleecing}`,
    cannot,
    stride,
    elsewhere: elsewhereTested,
    occupy: (vm) => (vm as BareVm).occupy(),
    make: async () => {
      const vm = await BareVm.make(twoDisks, { fleecing }, cannot['31'] === undefined ? 4 * MiB : 0)
      await vm.start()
      return vm
    },
    open: (endpoint, seam) => Promise.resolve(openQemu(endpoint, seam)),
  }
}
