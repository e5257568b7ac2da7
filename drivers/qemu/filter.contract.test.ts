import { suite } from '../contract/suite.ts'
import { qemu } from './index.ts'
import { rig } from './testing/rig.ts'

const isRoot = process.getuid?.() === 0
const cannot = { '31': 'only root may mount the small file system that the scratch lies on' }

suite(qemu, rig('filter', 5, isRoot ? {} : cannot))
