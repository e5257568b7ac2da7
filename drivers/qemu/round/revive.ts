import { HoldfastError, isHoldfastError } from '../../../base/index.ts'
import { ownsOpKey } from '../../names.ts'
import type { OpContext } from '../../driver.ts'
import { isStopped, runState, withAgent, withMonitor, type Monitor, type Vm } from '../vm.ts'
import { thawGuest } from './quiesce.ts'
import { readRounds, type RoundRecord } from './record.ts'
import { rescue } from './rescue.ts'
import type { Selection } from './dismantle.ts'

/** Per attempt, as the interface promises. */
const LIMIT = 60_000

/**
 * Thaws the guest if it is frozen and resumes it if a round of ours stopped or paused it. A guest that somebody paused
 * for reasons of their own stays paused; a VM that does not run needs nothing.
 */
export async function ensureGuestRuns(vm: Vm, ctx: OpContext): Promise<{ wasFrozen: boolean; wasPaused: boolean }> {
  const rounds = await readRounds(vm, ctx.installation)
  const ours: Selection = (opKey) => ownsOpKey(ctx.installation, opKey)
  try {
    const wasPaused = await withMonitor(vm, (monitor) => resumeOurs(monitor, rounds, ours))
    const insist = rounds.some((r) => r.freezing)
    return { wasFrozen: await thawIfFrozen(vm, insist), wasPaused }
  } catch (error) {
    if (isStopped(error)) return { wasFrozen: false, wasPaused: false }
    throw error
  }
}

/**
 * Asks the agent, and thaws. Returns whether the guest had been frozen. `insist`: a round of ours was about to freeze
 * it, so that silence is no answer; it is asked until it says `thawed`, or `GuestStuck` is thrown.
 */
export async function thawIfFrozen(vm: Vm, insist: boolean): Promise<boolean> {
  try {
    const status = await withAgent(vm, (agent) => agent.freezeStatus(), { limit: 3_000 })
    if (status === 'thawed') return false
  } catch (error) {
    if (!isHoldfastError(error) || (error.code !== 'GuestAgentDisabled' && error.code !== 'NetworkFailure'))
      throw new HoldfastError('GuestStuck', `cannot tell whether VM “${vm.description.name}” is frozen`, {
        cause: error,
      })
    // No agent, no freeze: it is the agent that freezes. But one that we made freeze may still be stuck in it.
    if (!insist) return false
  }
  await thawGuest(vm, LIMIT)
  return true
}

/** A guest that our switch stopped, or that our scratch paused, runs on. */
export async function resumeOurs(
  monitor: Monitor,
  rounds: readonly RoundRecord[],
  selected: Selection,
): Promise<boolean> {
  if (await rescue(monitor, selected)) return true
  if (!rounds.some((r) => r.switching) || (await runState(monitor)) !== 'paused') return false
  await monitor.call('cont')
  return true
}
