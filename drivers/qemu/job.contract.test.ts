import { suite } from '../contract/suite.ts'
import { qemu } from './index.ts'
import { rig } from './testing/rig.ts'

const cannot = { '31': 'a full scratch stops a guest’s own writes only; on a real guest in guest.contract.test.ts' }

suite(qemu, rig('job', 6, cannot))
