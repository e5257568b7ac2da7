/**
 * Talking to QEMU: its monitor (QMP), the agent in its guest, its block graph, and the bitmap round as a pure planner.
 * Knows nothing of endpoints or VMs of a particular platform; `qemu`, later `proxmox`, and the lab build on it.
 */
export { QmpClient } from './client.ts'
export type { ExecuteOptions, QmpArguments, QmpConnectOptions, QmpEvent } from './client.ts'
export { AgentClient, MAX_OUTPUT } from './agent.ts'
export type { AgentOptions, CallOptions, ExecResult, FilesystemInfo } from './agent.ts'
export { closeFile, openForWriting, writeTo } from './agent-files.ts'
export { abortError, dialUnix, isGone } from './socket.ts'
export { BlockGraph } from './graph.ts'
export type { BlockNode, QmpCaller } from './graph.ts'
export { planAbort, planBegin, planCommit } from './round/plan.ts'
export { GRANULARITY, transactionActions } from './round/wire.ts'
export type { BitmapAction, BitmapRef, BitmapView, DiskPlan, DiskView, DiskWish, RoundId } from './round/types.ts'
