/**
 * Transport: how drivers reach what they drive. Child processes are known by pid and start time, so that a reused pid
 * is never signalled, and live as long as their starter or until they are ended on purpose.
 */
export { argumentsOf, identify, isAlive, signalProcess, waitForExit } from './process.ts'
export type { ProcessIdentity } from './process.ts'
export { requireProgram, spawnSupervised } from './supervise.ts'
export type { Lifetime } from './supervise.ts'
export { runProgram } from './run.ts'
export type { RunOptions, RunResult } from './run.ts'
