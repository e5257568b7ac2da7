import type { Plan, PlanFarewell, PlanPreview, PlanSpec } from '#lib/api/types.ts'
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

/** `, would end about 05:18; window closes 06:00`, on the clocks of the plan. */
export function endWords(
  usualMs: number,
  next: PlanPreview['schedule']['next'][number] | undefined,
  window: Pick<NonNullable<PlanSpec['window']>, 'end'> | null | undefined,
): string {
  if (next === undefined) return ''
  // What stands there is a time without a zone: added to as one, it stays on the clocks of the plan.
  const end = new Date(Date.parse(`${next.local.slice(0, 19)}Z`) + usualMs).toISOString().slice(11, 16)
  return `, would end about ${end}${window ? `; window closes ${window.end}` : ''}`
}

/** What follows from removing a plan, the worst first. */
export function farewellEffects({ unplanned, followers, run }: PlanFarewell): readonly FarewellEffect[] {
  const { total, vms } = unplanned
  const named = vms.slice(0, 5).map(({ name }) => name)
  const more = total > named.length ? ` and ${total - named.length} more` : ''
  const after = followers.length === 1 ? 'starts after it: give it' : 'start after it: give them'
  const effect = (is: boolean, icon: FarewellEffect['icon'], tone: FarewellEffect['tone'], text: string) =>
    is ? [{ icon, tone, text }] : []
  return [
    ...effect(followers.length > 0, 'fail', 'fail', `${followers.join(', ')} ${after} another schedule first`),
    ...effect(total > 0, 'warn', 'warn', `no other plan takes ${named.join(', ')}${more}: nobody backs them up`),
    ...effect(
      run !== null,
      'warn',
      'warn',
      'of its run that is under way, what has begun is ended, the rest is skipped',
    ),
    ...effect(true, 'ok', 'ok', 'its points stay, and go on ageing by what it said last'),
    ...effect(true, 'ok', 'ok', 'a plan of the same name can be made again, and takes them over'),
  ]
}

interface FarewellEffect {
  readonly icon: 'ok' | 'warn' | 'fail'
  readonly tone: 'ok' | 'warn' | 'fail'
  readonly text: string
}

/** What becomes of a point where the guest cannot be brought to rest. */
export function pointWords({ quiesce, consistency, stopBefore }: PlanSpec): string {
  if (stopBefore) return 'Each VM is off while its point is taken: nothing is frozen, and no hook is run.'
  if (quiesce === 'none')
    return 'Crash consistent, as after a power cut: no guest is asked anything, and no hook is run.'
  const level = consistency === 'application' ? 'application consistent' : 'file-system consistent'
  const needs = consistency === 'application' ? 'a hook before the freeze or the freeze' : 'the freeze'
  const fails = 'the backup fails'
  const stays = 'a lesser point is made, which says so'
  const otherwise =
    quiesce === 'required'
      ? fails
      : quiesce === 'preferred'
        ? stays
        : `${fails} where the category of the VM requires quiescing; else ${stays}`
  return `They are ${level}. Where ${needs} fails, ${otherwise}. The guest is thawed in any case.`
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
  if (repository !== undefined && rule !== undefined) return `${rule} on ${repository}`
  return memberNames[path] ?? path
}

const memberNames: Readonly<Record<string, string>> = {
  'schedule.at': 'start',
  timeZone: 'time zone',
  'window.start': 'window from',
  'window.end': 'window to',
}
