/** The steps that prove a restored VM: boot where nothing of production is reached, wait, ask, take a picture. */
import { Context } from '@temporalio/activity'
import { HoldfastError, bytes, isHoldfastError, millis } from '../../base/index.ts'
import type { GuestAccess, HypervisorDriver, OpContext } from '../../drivers/index.ts'
import type { DrillCheckResult } from '../../workflows/drill/contract.ts'
import type { Site } from '../shared/deps.ts'
import { operate } from '../shared/operation.ts'
import { targetOf } from '../restore/plan.ts'
import { judgeCheck } from './judge.ts'
import type { DrillActivities } from './types.ts'

export type * from './types.ts'

const pollMs = 500
const againMs = 1_000
/** Of all attempts of a check: its step may take an hour, and a wrong answer is to be told, not lost. */
const longestMs = 50 * 60_000

export function createDrillActivities(site: Site): DrillActivities {
  return {
    bootIsolated: (input) =>
      operate(site, input, ({ driver, ctx }) =>
        targetOf(driver).bootIsolated(ctx, input.vm, { kind: 'no-uplink', name: input.network }),
      ),
    waitForGuest: (input) =>
      operate(site, input, async ({ driver, ctx }) => {
        const startedMs = site.now()
        const waited = (): number => site.now() - startedMs
        if (driver.guest === null) return { state: 'absent', waitedMs: 0 }
        for (;;) {
          const answer = await driver.guest.ping(ctx, input.vm)
          if (answer === 'up') return { state: 'up', waitedMs: waited() }
          if (waited() >= input.timeoutMs) return { state: answer, waitedMs: waited() }
          ctx.progress({ what: `the guest does not answer yet (${answer})`, offset: bytes(waited()) })
          await Context.current().sleep(pollMs)
        }
      }),
    runGuestCheck: (input) =>
      operate(site, input, async ({ driver, ctx }) => {
        const { check } = input
        const startedMs = site.now()
        for (;;) {
          const result = await askOnce(guestOf(driver), ctx, input)
          const waitedMs = site.now() - startedMs
          if (result.passed || waitedMs >= Math.min(check.withinMs ?? 0, longestMs - check.timeoutMs)) return result
          ctx.progress({ what: `not yet: ${result.detail}`, offset: bytes(waitedMs) })
          await Context.current().sleep(againMs)
        }
      }),
    takeScreenshot: (input) =>
      operate(site, input, async ({ driver, ctx }) => {
        const picture = (await driver.guest?.screenshot(ctx, input.vm)) ?? null
        if (picture === null) return { sha256: null, bytes: 0 }
        return {
          sha256: await site.options.evidence.put(picture.bytes, picture.mediaType),
          bytes: picture.bytes.byteLength,
        }
      }),
  }
}

async function askOnce(
  guest: GuestAccess,
  ctx: OpContext,
  { vm, check }: Parameters<DrillActivities['runGuestCheck']>[0],
): Promise<DrillCheckResult> {
  const { title, path, args, timeoutMs } = check
  try {
    const command = {
      path,
      args,
      timeout: millis(Math.min(timeoutMs, longestMs)),
      idempotent: true,
      credentialRef: null,
    }
    return judgeCheck(check, await guest.run(ctx, vm, command))
  } catch (error) {
    // A guest that refuses or does not answer in time has failed the check; all else is about us, not about it.
    if (!isHoldfastError(error) || !['GuestRefused', 'GuestAgentDisabled', 'HypervisorTimeout'].includes(error.code))
      throw error
    return { title, passed: false, exit: null, out: '', err: '', count: null, detail: error.message }
  }
}

function guestOf(driver: HypervisorDriver): GuestAccess {
  if (driver.guest !== null) return driver.guest
  throw new HoldfastError('GuestAgentDisabled', `the ${driver.endpoint.platform} driver has no way into the guest`)
}
