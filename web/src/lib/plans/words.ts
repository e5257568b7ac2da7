import type { Plan, PlanPreview } from '#lib/api/types.ts'
import { count } from '#lib/format/index.ts'
import { look, type Look } from '#lib/state/tone.ts'

export function planLook(plan: Pick<Plan, 'paused' | 'vms' | 'outsideRpo' | 'last' | 'missed'>): Look {
  if (plan.paused) return look('idle', 'Paused', 'pause')
  if (plan.vms === 0) return look('warn', 'No VM matches')
  const { outsideRpo } = plan
  if (outsideRpo > 0) return look('warn', `${outsideRpo} outside RPO`)
  if (missedSince(plan).length > 0) return look('warn', 'Did not start', 'clock')
  return look('ok', 'Inside RPO')
}

/** Starts that did not come since the plan has last run: what a later run has made good is history. */
export function missedSince({ last, missed }: Pick<Plan, 'last' | 'missed'>): Plan['missed'] {
  return missed.filter(({ dueMs }) => last === null || dueMs > last.startedMs)
}

export const missedWords: Record<Plan['missed'][number]['kind'], string> = {
  missed: 'nothing was there to start it',
  skipped: 'the run before was still under way',
  'after-missed': 'the plan before it did not start',
  'after-failed': 'the plan before it did not go well',
}

/** `yyyy-mm-ddThh:mm:ss+hh:mm`, as the server says a time on the clocks of the plan: `Sun 22 Nov` and `02:30`. */
export function localParts(local: string): { readonly day: string; readonly time: string } {
  const date = new Date(`${local.slice(0, 10)}T00:00:00Z`)
  const day = date.toLocaleDateString('en-GB', { weekday: 'short', day: 'numeric', month: 'short', timeZone: 'UTC' })
  return { day: day.replace(',', ''), time: local.slice(11, 16) }
}

/** Where a moment lies between two others, in percent. */
export function placeBetween(ms: number, fromMs: number, untilMs: number): number {
  return untilMs <= fromMs ? 100 : Math.min(100, Math.max(0, ((ms - fromMs) / (untilMs - fromMs)) * 100))
}

/** What saving would do to points that exist. */
export function removalWords(removals: PlanPreview['removals']): string {
  const going = removals.filter(({ points }) => points > 0)
  const unseen = removals.find(({ lookedAt, ofVms }) => lookedAt < ofVms)
  const part = unseen ? ` Of ${unseen.ofVms} VMs the first ${unseen.lookedAt} were looked at.` : ''
  if (going.length === 0) return `Removes no point.${part}`
  const words = going.map(
    ({ repository, points, vms }) => `${count(points, 'point')} of ${count(vms, 'VM')} on ${repository}`,
  )
  return `The next sweep would let ${words.join(' and ')} go.${part}`
}

/** `targets.0.keep.monthly` of the policy file: `monthly on main`. Other members are said as the file says them. */
export function memberWords(path: string, targets: Plan['targets']): string {
  const [, at, rule] = /^targets\.(\d+)\.keep\.(\w+)$/.exec(path) ?? []
  const repository = at === undefined ? undefined : targets[Number(at)]?.repository
  return repository === undefined || rule === undefined ? path : `${rule} on ${repository}`
}
