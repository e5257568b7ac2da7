import { MiB } from '../../base/index.ts'
import { finishBackup, sessionObjects, startBackup, waitForJournals, type Backup } from '../../cli/demo/index.ts'
import { hypervisorState } from './hypervisor-state.ts'
import type { World } from './world.ts'

export const journalSourceBytes = 32 * MiB
/** A killed mover is missed within seconds. */
export const tuning = { moverHeartbeatMs: 10_000, journalSourceBytes }

/** A backup with this suite's tuning, from its start to its end. */
export async function backUp(world: World, mode: 'auto' | 'full'): Promise<Backup> {
  const runId = await startBackup(world.at, world.vm.id, { mode, tuning, repositoryId: world.repository.row.id })
  return await finishBackup(world.at, world.vm.id, runId)
}

/** Starts a full backup and returns when half of `bytes` is durable. */
export async function startAndReachHalf(world: World, bytes: number): Promise<string> {
  const before = sessionObjects(world.repository.path)
  const repositoryId = world.repository.row.id
  const runId = await startBackup(world.at, world.vm.id, { mode: 'full', tuning, repositoryId })
  await waitForJournals(world.repository.path, before, bytes / journalSourceBytes / 2)
  return runId
}

/** What a backup could leave on the hypervisor. Names of bitmaps change with each point; their number does not. */
export async function leftovers({ guest }: World): Promise<object> {
  const state = await hypervisorState(guest)
  return { ...state, bitmaps: state.bitmaps.length }
}
