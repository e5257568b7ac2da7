import { goldenSuite } from './suite.ts'

// Every data pack of its points was copied out of and collected: no hint of a manifest holds.
goldenSuite('r1-v1-compacted')
