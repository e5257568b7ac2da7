import { HoldfastError } from '../../base/index.ts'
import type { PlanSpec } from '../../policy/index.ts'

/**
 * A plan that others start after is not taken away from under them: they would never start again, and nobody would notice.
 * `plans`: those that would be left. Throws InUse, naming all that follow.
 */
export function refuseWhileFollowed(name: string, plans: Iterable<Pick<PlanSpec, 'name' | 'schedule'>>): void {
  const followers = followersOf(name, plans)
  if (followers.length === 0) return
  const verb = followers.length === 1 ? 'starts' : 'start'
  throw new HoldfastError('InUse', `${followers.join(', ')} ${verb} after ${name}`, {
    hint: `Keep ${name}, or give ${followers.join(', ')} another schedule first.`,
  })
}

/** Names of the plans that start after it. */
export function followersOf(name: string, plans: Iterable<Pick<PlanSpec, 'name' | 'schedule'>>): string[] {
  return [...plans].flatMap((plan) =>
    plan.schedule.kind === 'after' && plan.schedule.plan === name && plan.name !== name ? [plan.name] : [],
  )
}
