/**
 * Images: raw and qcow2 files on disk, of VMs that do not run, read and written through qemu-nbd. The smallest driver,
 * and the source of benchmarks: a folder with a file in it is a VM.
 */
import type { DriverModule } from '../capabilities.ts'
import { openImage } from './driver.ts'

export { describeImages, listLooseImages } from './loose.ts'

const against = 'qemu-img and qemu-nbd 7.2 (Debian 12)'

export const image: DriverModule = {
  platform: 'image',
  evidence: {
    headline: 'verified',
    areas: {
      control: { word: 'verified', against },
      tracking: { word: 'verified', against },
      read: { word: 'verified', against },
      restore: { word: 'verified', against },
      guest: { word: 'unverified', against: 'images have no guest' },
    },
  },
  open: (endpoint) => Promise.resolve(openImage(endpoint)),
}
