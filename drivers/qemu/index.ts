/**
 * The reference driver: QEMU processes of this host, each described by a folder with a `vm.json`, reached by QMP and
 * the guest agent. Points are dirty-bitmap rounds behind a copy-before-write filter, read over NBD.
 */
import type { DriverModule } from '../capabilities.ts'
import { evidence } from './capabilities.ts'
import { openQemu } from './driver.ts'

export const qemu: DriverModule = {
  platform: 'qemu',
  evidence,
  open: (endpoint) => Promise.resolve(openQemu(endpoint)),
}
