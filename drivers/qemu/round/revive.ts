import { setTimeout as sleep } from 'node:timers/promises'
import { HoldfastError, isHoldfastError, toHoldfastError } from '../../../base/index.ts'
import { ownsOpKey } from '../../names.ts'
import type { OpContext } from '../../driver.ts'
import { isDeath } from '../effects.ts'
import { isStopped, runState, withAgent, withMonitor, type Monitor, type Vm } from '../vm.ts'
import { thawGuest } from './frozen.ts'
import { readRounds, type RoundRecord } from './record.ts'
import { rescue } from './rescue.ts'
import type { Selection } from './dismantle.ts'

/** Per attempt, as the interface promises. */
const LIMIT = 60_000
/** A write that fails again stops the guest within this time after `cont`. Milliseconds. */
const RELAPSE = 1_000

/**
 * Thaws the guest if it is frozen and resumes it if a round of ours stopped or paused it. A guest that somebody paused
 * for reasons of their own stays paused; a VM that does not run needs nothing. Both are tried, whatever becomes of the
 * other: somebody else's client on the monitor must not keep the guest frozen.
 */
export async function ensureGuestRuns(vm: Vm, ctx: OpContext): Promise<{ wasFrozen: boolean; wasPaused: boolean }> {
  const rounds = await readRounds(vm, ctx.installation)
  const ours: Selection = (opKey) => ownsOpKey(ctx.installation, opKey)
  let wasPaused = false
  let failed: HoldfastError | undefined
  try {
    wasPaused = await withMonitor(vm, async (monitor) => {
      const resumed = await resumeOurs(vm, monitor, rounds, ours)
      await requireSpace(vm, monitor, resumed)
      return resumed
    })
  } catch (error) {
    if (isStopped(error)) return { wasFrozen: false, wasPaused: false }
    if (isDeath(error)) throw error
    failed = toHoldfastError(error)
  }
  const insist = rounds.some((r) => r.freezing)
  const wasFrozen = await thawIfFrozen(vm, insist)
  if (failed) throw failed
  return { wasFrozen, wasPaused }
}

/** A guest that waits for its storage stands still, whoever filled it: an alarm until somebody has made space. */
async function requireSpace(vm: Vm, monitor: Monitor, resumed: boolean): Promise<void> {
  if (resumed) await sleep(RELAPSE)
  if ((await runState(monitor)) !== 'io-error') return
  throw new HoldfastError('GuestStuck', `VM “${vm.description.name}” is stopped: a write to its storage fails`, {
    hint: 'Make space where its disks lie; a guest that a backup has stopped is resumed then, any other by `cont`.',
  })
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

/** A guest that our switch stopped, or that waits for space while a round of ours takes some, runs on. */
export async function resumeOurs(
  vm: Vm,
  monitor: Monitor,
  rounds: readonly RoundRecord[],
  selected: Selection,
): Promise<boolean> {
  if (await rescue(vm, monitor, rounds, selected)) return true
  if (!rounds.some((r) => r.switching) || (await runState(monitor)) !== 'paused') return false
  await monitor.call('cont')
  return true
}
