import { goldenSuite } from './suite.ts'

goldenSuite('r1-v1')
