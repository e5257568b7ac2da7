import type { DrillActivities, GuestRef } from '../../activities/drill/types.ts'
import type { RunControl } from '../shared/control.ts'
import type { siteSteps } from '../shared/options.ts'
import type { StepIds } from '../shared/steps.ts'
import type { Evidence } from './verdict.ts'
import type { DrillCheckResult, DrillInput } from './contract.ts'

/** Waits until the guest answers, then asks what is to be asked; what was seen is told at once, for the next step may break. */
export async function askGuest(
  site: ReturnType<typeof siteSteps<DrillActivities>>,
  ids: StepIds,
  control: RunControl,
  guest: GuestRef,
  { checks: asked, bootTimeoutMs }: Pick<DrillInput, 'checks' | 'bootTimeoutMs'>,
  { bootMs, startedMs }: { readonly bootMs: number; readonly startedMs: number },
  saw: (more: Partial<Evidence>) => void,
  onUp?: () => Promise<void>,
): Promise<void> {
  const { state } = await site.waitForGuest.executeWithOptions(ids.step('wait-guest', 'Wait until the guest answers'), [
    { ...guest, timeoutMs: bootTimeoutMs },
  ])
  saw({ guest: state, bootSeconds: state === 'up' ? (Date.now() - bootMs) / 1000 : null })
  if (state !== 'up') return
  await onUp?.()
  control.stage('Asking the guest')
  const checks: DrillCheckResult[] = []
  for (const check of asked) {
    const result = await site.runGuestCheck.executeWithOptions(ids.step('check', check.title), [{ ...guest, check }])
    checks.push(result)
    saw({ checks: [...checks] })
    // A guest that is not fit for isolation is asked nothing: its answers would say little, and it might do harm.
    if (check.prepares && !result.passed) break
  }
  saw({ rtoSeconds: (Date.now() - startedMs) / 1000 })
}
