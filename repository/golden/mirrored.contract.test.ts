import { goldenSuite } from './suite.ts'

// The mirror of a repository with another identity: sealed anew, with ids of its own.
goldenSuite('r1-v1-mirrored')
