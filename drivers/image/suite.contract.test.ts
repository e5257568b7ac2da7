import type { ContractRig } from '../contract/rig.ts'
import { suite } from '../contract/suite.ts'
import { openImage } from './driver.ts'
import { image } from './index.ts'
import { FileVm } from './testing/files.ts'

const locked = 'nobody can write to an image while its point is open'
const noMachine = 'images are no machine: there is nothing that runs, freezes or has a network'
const noMemory = 'images keep their trackers in themselves, never in a memory'

const rig: ContractRig = {
  name: 'qcow2 files',
  stride: 3,
  cannot: {
    '11': `${locked}; zeros are in image.contract.test.ts`,
    '14': locked,
    '16a': noMemory,
    '16b': noMemory,
    '16c': `${noMemory}; the inconsistent one is in image.contract.test.ts`,
    '16d': `${noMemory}; the replaced volume is in image.contract.test.ts`,
    '16g': 'an overlay of an image is another image',
    '18': `${locked}; a failed full is in image.contract.test.ts`,
    '20': `${locked}; opening twice is in image.contract.test.ts`,
    '21': `${locked}; every cut of openPoint is in image.contract.test.ts`,
    '23': `${locked}; every cut of commitPoint is in image.contract.test.ts`,
    '24': `${locked}; the lost commit is in image.contract.test.ts`,
    '24b': locked,
    '31': 'images need no scratch',
    '32a': noMachine,
    '32b': noMachine,
    '32c': noMachine,
    '44': 'a round leaves processes and bitmaps only; both are in image.contract.test.ts',
    '46c': noMachine,
    '49': 'images are restored beside the old ones',
    '49c': 'images are restored beside the old ones',
    '49b': 'images are restored beside the old ones',
    '50': noMachine,
  },
  make: () => FileVm.make(),
  open: (endpoint, seam) => Promise.resolve(openImage(endpoint, seam)),
}

suite(image, rig)
