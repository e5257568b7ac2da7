import { goldenSuite } from './suite.ts'

// All keys were rotated between its two points; shares and an escrow key open it as well.
goldenSuite('r1-v1-rotated')
