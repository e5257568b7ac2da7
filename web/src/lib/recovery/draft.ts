import type { RecoverySpec } from '#lib/api/types.ts'

export interface DraftStep {
  title: string
  detail: string
}
export interface DraftTier {
  key: string
  name: string
  after: string[] | null
  delayMs: number
  before: DraftStep[]
  members: { vmId: string; hypervisorId: string | null; name: string | null }[]
  needs: 'checks' | 'answer' | 'start'
  bootTimeoutMs: number
  then: DraftStep[]
  rtoMs: number | null
}
/** What the editor holds: all that a definition may leave out is there. */
export interface Draft {
  name: string
  description: string
  hypervisorId: string | null
  networks: { from: string; to: string | null }[]
  identity: 'new' | 'same'
  atOnce: number
  rehearseEveryMs: number | null
  tiers: DraftTier[]
}

export function draftOf(spec: RecoverySpec): Draft {
  return structuredClone({
    ...{ name: spec.name, description: spec.description ?? '', hypervisorId: spec.hypervisorId ?? null },
    ...{ networks: spec.networks ?? [], identity: spec.identity ?? 'new', atOnce: spec.atOnce ?? 2 },
    rehearseEveryMs: spec.rehearseEveryMs ?? null,
    tiers: spec.tiers.map((tier) => ({
      ...newTier(tier.key),
      ...{ name: tier.name ?? tier.key, after: tier.after ?? null, delayMs: tier.delayMs ?? 0 },
      ...{ needs: tier.needs ?? 'checks', bootTimeoutMs: tier.bootTimeoutMs ?? 300_000, rtoMs: tier.rtoMs ?? null },
      before: stepsOf(tier.before),
      then: stepsOf(tier.then),
      members: (tier.members ?? []).map((one) => ({
        ...{ vmId: one.vmId, hypervisorId: one.hypervisorId ?? null, name: one.name ?? null },
      })),
    })),
  })
}

function stepsOf(steps: readonly { readonly title: string; readonly detail?: string }[] = []): DraftStep[] {
  return steps.map(({ title, detail }) => ({ title, detail: detail ?? '' }))
}

export function newTier(key: string): DraftTier {
  return {
    ...{ key, name: '', after: null, delayMs: 0, before: [], members: [], needs: 'checks' },
    ...{ bootTimeoutMs: 300_000, then: [], rtoMs: null },
  }
}

export const newDraft: Draft = {
  ...{ name: '', description: '', hypervisorId: null, networks: [], identity: 'new', atOnce: 2 },
  ...{ rehearseEveryMs: 90 * 86_400_000, tiers: [newTier('tier-1')] },
}

/** The first of `tier-1`, `tier-2`… that no tier has. */
export function nextKey(tiers: readonly Pick<DraftTier, 'key'>[]): string {
  for (let n = tiers.length + 1; ; n += 1) {
    const key = `tier-${n}`
    if (!tiers.some((tier) => tier.key === key)) return key
  }
}

/** One step a line: `title: how`. */
export function stepsText(steps: readonly DraftStep[]): string {
  return steps.map(({ title, detail }) => (detail === '' ? title : `${title}: ${detail}`)).join('\n')
}
export function stepsFrom(text: string): DraftStep[] {
  return text.split('\n').flatMap((line) => {
    const [title = '', ...rest] = line.split(': ')
    return title.trim() === '' ? [] : [{ title: title.trim(), detail: rest.join(': ').trim() }]
  })
}

/** One network a line: `lan -> lan-dr`; nothing behind the arrow: not connected. */
export function networksText(networks: Draft['networks']): string {
  return networks.map(({ from, to }) => `${from} -> ${to ?? ''}`.trim()).join('\n')
}
export function networksFrom(text: string): Draft['networks'] {
  return text.split('\n').flatMap((line) => {
    const [from = '', to = ''] = line.split('->').map((part) => part.trim())
    return from === '' ? [] : [{ from, to: to === '' ? null : to }]
  })
}
