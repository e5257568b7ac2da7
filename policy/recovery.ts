/**
 * What a recovery plan says: tiers of VMs in an order, what has to be true before the next begins, and what a person does
 * in between. One definition for rehearsals and for the day itself.
 */

/** Something that a person does, and says when it is done. */
export interface ManualStep {
  readonly title: string
  /** How; may be empty. */
  readonly detail: string
}

export interface RecoveryMember {
  readonly vmId: string
  /** Where it comes back; null: where the plan says. */
  readonly hypervisorId: string | null
  /** Of the new VM; null: its own name, or `<name>-recovered` where the VM itself lives. */
  readonly name: string | null
}

/** What of each VM a tier waits for: its checks pass, its guest answers, or it was started. */
export const tierNeeds = ['checks', 'answer', 'start'] as const
export type TierNeed = (typeof tierNeeds)[number]

export interface RecoveryTier {
  /** `[a-z0-9-]+`, unique in the plan. */
  readonly key: string
  readonly name: string
  /** Keys of tiers that come before it; null: the one above it in the list. */
  readonly after: readonly string[] | null
  /** Waited for once those are done. */
  readonly delayMs: number
  /** Before its VMs are touched. */
  readonly before: readonly ManualStep[]
  readonly members: readonly RecoveryMember[]
  readonly needs: TierNeed
  /** How long a guest may take to answer. */
  readonly bootTimeoutMs: number
  /** Once its VMs are there. */
  readonly then: readonly ManualStep[]
  /** Promised from the start of the run until the tier is done; null: nothing. */
  readonly rtoMs: number | null
}

export interface RecoverySpec {
  readonly name: string
  readonly description: string
  /** Where VMs come back; null: each where it lives. */
  readonly hypervisorId: string | null
  /** Network of the point → network of the target, null: not connected. A network that is not named stays itself. Rehearsals are isolated whatever it says. */
  readonly networks: readonly { readonly from: string; readonly to: string | null }[]
  readonly identity: 'new' | 'same'
  /** VMs at the same time. */
  readonly atOnce: number
  /** How often it is to be rehearsed; null: nothing is promised. */
  readonly rehearseEveryMs: number | null
  readonly tiers: readonly RecoveryTier[]
}

export type RecoveryMode = 'rehearse' | 'run'
/** What becomes of what an aborted run has made. */
export const recoveryEnds = ['clean-up', 'hand-over'] as const
export type RecoveryEnd = (typeof recoveryEnds)[number]
/** What an operator says about a tier that did not come up. */
export const tierChoices = ['retry', 'continue', 'clean-up', 'hand-over'] as const
export type TierChoice = (typeof tierChoices)[number]

export const mostTiers = 20
export const mostMembers = 100

export interface RecoveryProblem {
  /** `tiers.1.after`, as in the definition. */
  readonly at: string
  readonly message: string
}

/** Keys of the tiers that have to be done before the one at this place begins. */
export function tiersBefore(tiers: readonly Pick<RecoveryTier, 'key' | 'after'>[], index: number): readonly string[] {
  const above = tiers[index - 1]
  return tiers[index]?.after ?? (above === undefined ? [] : [above.key])
}

/** What is wrong with the definition by itself; whether its VMs exist is another's question. */
export function recoveryProblems({ tiers, networks }: Pick<RecoverySpec, 'tiers' | 'networks'>): RecoveryProblem[] {
  const problems: RecoveryProblem[] = []
  const say = (at: string, message: string): void => void problems.push({ at, message })
  if (tiers.length === 0) say('tiers', 'there is no tier')
  if (tiers.length > mostTiers) say('tiers', `there are ${tiers.length} tiers; ${mostTiers} are the most`)
  const all = tiers.flatMap(({ members }) => members)
  if (all.length > mostMembers) say('tiers', `there are ${all.length} VMs; ${mostMembers} are the most`)
  const keys = new Map<string, number>()
  const vms = new Map<string, string>()
  for (const [index, tier] of tiers.entries()) {
    const at = `tiers.${index}`
    if (keys.has(tier.key)) say(`${at}.key`, `two tiers have the key ${tier.key}`)
    else keys.set(tier.key, index)
    if (tier.members.length + tier.before.length + tier.then.length === 0)
      say(at, `nothing happens in the tier ${tier.key}: it has no VM and no step`)
    for (const [place, { vmId }] of tier.members.entries()) {
      const other = vms.get(vmId)
      if (other !== undefined) say(`${at}.members.${place}`, `${vmId} is in the tier ${other} already`)
      else vms.set(vmId, tier.key)
    }
  }
  for (const [index, { key, after }] of tiers.entries())
    for (const other of after ?? []) {
      if (other === key) say(`tiers.${index}.after`, `the tier ${key} would wait for itself`)
      else if (!keys.has(other)) say(`tiers.${index}.after`, `there is no tier ${other}`)
    }
  const from = networks.map((one) => one.from)
  for (const [index, network] of from.entries())
    if (from.indexOf(network) !== index) say(`networks.${index}`, `the network ${network} is mapped twice`)
  if (problems.length > 0) return problems
  const stuck = circleOf(tiers)
  if (stuck.length > 0) say('tiers', `these tiers wait for each other: ${stuck.join(', ')}`)
  return problems
}

/**
 * Tiers that may begin at the same time, stage after stage. Tiers in a circle are in none of them; of a definition
 * without problems there is no such tier.
 */
export function recoveryStages(tiers: readonly Pick<RecoveryTier, 'key' | 'after'>[]): string[][] {
  const left = new Map(tiers.map(({ key }, index) => [key, tiersBefore(tiers, index)]))
  const done = new Set<string>()
  const stages: string[][] = []
  for (;;) {
    const stage = [...left].filter(([, before]) => before.every((key) => done.has(key))).map(([key]) => key)
    if (stage.length === 0) return stages
    for (const key of stage) {
      left.delete(key)
      done.add(key)
    }
    stages.push(stage)
  }
}

function circleOf(tiers: readonly RecoveryTier[]): string[] {
  const ordered = new Set(recoveryStages(tiers).flat())
  return tiers.map(({ key }) => key).filter((key) => !ordered.has(key))
}

/** What is known of a VM that has come back, or has not. */
export interface MemberEvidence {
  readonly verdict: 'passed' | 'failed' | 'inconclusive'
  readonly guest: 'up' | 'silent' | 'absent' | 'untried'
}

/** Whether a VM is what its tier waits for. A guest that was never booted never is. */
export function isBack(needs: TierNeed, { verdict, guest }: MemberEvidence): boolean {
  if (guest === 'untried') return false
  if (needs === 'start') return true
  return needs === 'answer' ? guest === 'up' : verdict === 'passed'
}

/**
 * When a rehearsal that passes is due next, Unix ms; null: none is promised. Counted from the last that passed with the same
 * VMs, whatever else was changed since; without one, from when the plan was made or got what it says now.
 */
export function rehearsalDueMs(of: {
  readonly everyMs: number | null
  readonly passedMs: number | null
  readonly definedMs: number
}): number | null {
  return of.everyMs === null ? null : (of.passedMs ?? of.definedMs) + of.everyMs
}

/** How long somebody was waited for, in ms: two tiers that wait at the same time wait once. */
export function unitedMs(waits: readonly { readonly sinceMs: number; readonly endedMs: number }[]): number {
  let sum = 0
  let untilMs = Number.NEGATIVE_INFINITY
  for (const { sinceMs, endedMs } of waits.toSorted((a, b) => a.sinceMs - b.sinceMs)) {
    sum += Math.max(0, endedMs - Math.max(sinceMs, untilMs))
    untilMs = Math.max(untilMs, endedMs)
  }
  return sum
}
