import type { BootReads, InstantActivities, ServedPoint } from '../../activities/instant/types.ts'
import type { RestoreActivities, RestorePlace, RestorePlan, TargetVm } from '../../activities/restore/types.ts'
import type { Compensations } from '../shared/compensation.ts'
import type { RunControl } from '../shared/control.ts'
import { siteSteps } from '../shared/options.ts'
import type { StepIds } from '../shared/steps.ts'

/** What is left when serving could not be ended; anything else that is left is of the VM. */
export const servedPoint = 'served-point'

export interface ServedBoot {
  readonly control: RunControl
  readonly ids: StepIds
  readonly undo: Compensations
  readonly site: string
  /** Of the VM that the point is of. */
  readonly vmName: string
  readonly served: ServedPoint
  readonly place: RestorePlace & { readonly place: { readonly kind: 'new'; readonly name: string } }
  /** What a boot of it reads first. */
  readonly ahead?: BootReads
}

/**
 * A point is served, and a new VM starts on it; of instant restores and of drills out of the repository. What it makes is
 * undone in the other order: first the VM, then what it reads from.
 */
export async function bootServed(of: ServedBoot): Promise<{ readonly plan: RestorePlan; readonly target: TargetVm }> {
  const { control, ids, undo, site, vmName, served, place, ahead } = of
  const { endpoint, operation } = served
  const { name } = place.place
  const steps = siteSteps<InstantActivities & RestoreActivities>(site, 'hypervisor')
  const cleanup = siteSteps<InstantActivities & RestoreActivities>(site, 'cleanup')
  control.stage('Checking the point and the target')
  const plan = await control.patiently('checking the target', () =>
    steps.planRestore.executeWithOptions(
      ids.step('plan', 'Read the point; ask the target about space, name and device model'),
      [{ ...served, place }],
    ),
  )
  undo.push({ kind: servedPoint, id: operation, hint: endByHand(operation) }, async () => {
    await cleanup.endServing.executeWithOptions(ids.undo('serve', 'end', 'Serve the point no more'), [
      { endpoint, operation },
    ])
    return []
  })
  control.stage('Serving the point')
  await control.patiently('serving the point', () =>
    steps.serveDisks.executeWithOptions(ids.step('serve', `Serve the disks of ${vmName}`), [
      { ...served, ...(ahead !== undefined && { boot: ahead }) },
    ]),
  )
  let made: TargetVm | null = null
  const hint = `Nothing removes it by itself: look at ${endpoint.address} for what carries it.`
  undo.push({ kind: 'vm', id: operation, hint }, async () => {
    const { residue } = await cleanup.destroyTarget.executeWithOptions(
      ids.undo('boot', 'destroy', `Remove ${name} and its overlays`),
      [{ endpoint, operation, target: made }],
    )
    return residue
  })
  control.stage('Booting')
  const where = place.isolated ? 'on a network that reaches nothing' : 'on its networks'
  made = await control.patiently('booting', () =>
    steps.bootInstant.executeWithOptions(ids.step('boot', `Boot ${name} ${where}`), [{ ...served, place }]),
  )
  return { plan, target: made }
}

export function endByHand(operation: string): string {
  return `Nobody reads it any more: remove ${operation}.json from “served” in the worker’s HOLDFAST_HOME, and release the hold by instant:${operation} that \`holdfast repo holds\` shows.`
}
