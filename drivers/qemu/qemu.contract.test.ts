import { MiB } from '../../base/index.ts'
import type { ContractRig } from '../contract/rig.ts'
import { suite } from '../contract/suite.ts'
import { openQemu } from './driver.ts'
import { qemu } from './index.ts'
import { BareVm, twoDisks } from './testing/bare.ts'

const isRoot = process.getuid?.() === 0
const elsewhere = { '31': 'only root may mount the small file system that the scratch lies on' }

function rig(fleecing: 'filter' | 'job', stride: number, cannot: ContractRig['cannot']): ContractRig {
  return {
    name: `variant ${fleecing}`,
    cannot,
    stride,
    make: async () => {
      const vm = await BareVm.make(twoDisks, { fleecing }, cannot['31'] === undefined ? 4 * MiB : 0)
      await vm.start()
      return vm
    },
    open: (endpoint, seam) => Promise.resolve(openQemu(endpoint, seam)),
  }
}

suite(qemu, rig('filter', 1, isRoot ? {} : elsewhere))
suite(
  qemu,
  rig('job', 5, { '31': 'a full scratch stops a guest’s own writes only; on a real guest in guest.contract.test.ts' }),
)
