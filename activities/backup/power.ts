import { setTimeout as sleep } from 'node:timers/promises'
import { HoldfastError, formatDuration, isHoldfastError, millis } from '../../base/index.ts'
import type { Operation } from '../shared/operation.ts'
import type { BackupActivities, StartedAgain } from './types.ts'

/** A start is a process and a word to it, not a boot. */
const startLimit = millis(60_000)
const betweenLooksMs = 1_000

/** Never the plug: what the guest has not written yet belongs into the point that it is shut down for. */
export async function shutDown(
  { driver, ctx }: Operation,
  { vm, limitMs }: Parameters<BackupActivities['shutDown']>[0],
): ReturnType<BackupActivities['shutDown']> {
  try {
    const { after } = await driver.power(ctx, vm, 'stopped', millis(limitMs))
    if (after === 'stopped') return { after }
  } catch (error) {
    if (!isHoldfastError(error) || error.code !== 'GuestRefused') throw error
  }
  throw new HoldfastError(
    'GuestRefused',
    `${vm.name} did not shut down for its backup within ${formatDuration(limitMs)}`,
    {
      hint: 'It was not switched off by force. Look at its console for what holds it up (updates, a question, an agent or power button that is not heard), or back it up without the stop.',
    },
  )
}

/** Looks until the time is over: a guest may take longer than anybody waited for it, and must not stay down then. */
export async function startAgain(
  { driver, ctx }: Operation,
  { vm, watchMs }: Parameters<BackupActivities['startAgain']>[0],
): Promise<StartedAgain> {
  const until = Date.now() + watchMs
  for (;;) {
    const { before, after } = await driver.power(ctx, vm, 'running', startLimit)
    if (after === 'running' && (before !== 'running' || Date.now() >= until)) return { before, after }
    if (Date.now() >= until)
      throw new HoldfastError('GuestStuck', `${vm.name} was started again after its backup, and is ${after}`, {
        hint: 'Look at its console and start it by hand.',
      })
    await sleep(betweenLooksMs, undefined, { signal: ctx.signal })
  }
}
