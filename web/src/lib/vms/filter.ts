import type { Vm } from '#lib/api/types.ts'

export type StateFilter = 'outside-rpo' | 'running' | 'protected' | 'unprotected' | 'excluded'
export type SortKey = 'state' | 'name' | 'age' | 'proof' | 'size' | 'changed'

/** What the address of the list says; everything else about it is derived. */
export interface VmQuery {
  readonly state: StateFilter | null
  /** Free text; `tag:`, `plan:` and `site:` words narrow further. */
  readonly q: string
  readonly sort: SortKey
  readonly descending: boolean
}

const states: readonly StateFilter[] = ['outside-rpo', 'running', 'protected', 'unprotected', 'excluded']
const sortKeys: readonly SortKey[] = ['state', 'name', 'age', 'proof', 'size', 'changed']

export function readQuery(params: Pick<URLSearchParams, 'get' | 'has'>): VmQuery {
  const sort = params.get('sort') ?? ''
  const descending = sort.startsWith('-')
  return {
    state: states.find((state) => state === params.get('state')) ?? null,
    q: params.get('q') ?? '',
    sort: sortKeys.find((key) => key === sort.replace(/^-/, '')) ?? 'state',
    descending,
  }
}

/** The address of the same list with something changed; what is the default is left out. */
export function queryHref(query: VmQuery, change: Partial<VmQuery>): string {
  const next = { ...query, ...change }
  const params = new URLSearchParams()
  if (next.state) params.set('state', next.state)
  if (next.q.trim() !== '') params.set('q', next.q)
  if (next.sort !== 'state' || next.descending) params.set('sort', `${next.descending ? '-' : ''}${next.sort}`)
  const text = params.toString()
  return text === '' ? '/vms' : `/vms?${text}`
}

export function inState(vm: Vm, state: StateFilter): boolean {
  switch (state) {
    case 'outside-rpo':
      return ['late', 'overdue', 'failed', 'unprotected'].includes(vm.posture.state)
    case 'running':
      return vm.running !== null
    case 'protected':
    case 'unprotected':
    case 'excluded':
      return vm.posture.state === state
  }
}

function matchesWord(vm: Vm, word: string): boolean {
  const [, field, wanted = ''] = /^(tag|site|host|platform|plan):(.*)$/.exec(word) ?? [null, null, word]
  switch (field) {
    case 'tag':
      return vm.tags.some((tag) => tag.toLowerCase().includes(wanted)) || vm.category === wanted
    case 'plan':
      // The whole name: plans are often called like one another.
      return wanted === 'none' ? vm.plans.length === 0 : vm.plans.includes(wanted)
    case 'site':
      return vm.site.toLowerCase().includes(wanted)
    case 'host':
      return vm.hypervisorName.toLowerCase().includes(wanted)
    case 'platform':
      return vm.platform.includes(wanted)
    default:
      return vm.name.toLowerCase().includes(wanted) || vm.tags.some((tag) => tag.toLowerCase().includes(wanted))
  }
}

/** Every word must match. */
export function matches(vm: Vm, q: string): boolean {
  return q
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '')
    .every((word) => matchesWord(vm, word))
}

const rank: Record<Vm['posture']['state'], number> = {
  failed: 0,
  unprotected: 1,
  overdue: 2,
  late: 3,
  protected: 4,
  excluded: 5,
}

/** Share of the promise that is used up; those without a point come first, those without a promise last. */
function urgency(vm: Vm): number {
  if (vm.posture.rpoMs === null) return -1
  return vm.posture.ageMs === null ? Number.POSITIVE_INFINITY : vm.posture.ageMs / vm.posture.rpoMs
}

const compare: Record<SortKey, (a: Vm, b: Vm) => number> = {
  state: (a, b) =>
    rank[a.posture.state] - rank[b.posture.state] ||
    Number(b.running !== null) - Number(a.running !== null) ||
    safe(urgency(b), urgency(a)),
  name: (a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }),
  age: (a, b) => safe(b.posture.ageMs ?? Number.POSITIVE_INFINITY, a.posture.ageMs ?? Number.POSITIVE_INFINITY),
  proof: (a, b) => (a.lastProof?.endedMs ?? 0) - (b.lastProof?.endedMs ?? 0),
  size: (a, b) => b.sizeBytes - a.sizeBytes,
  changed: (a, b) => (b.changedPerDay ?? -1) - (a.changedPerDay ?? -1),
}

/** Infinity minus itself is no number. */
function safe(a: number, b: number): number {
  return a === b ? 0 : a - b
}

export function sorted(vms: readonly Vm[], sort: SortKey, descending: boolean): Vm[] {
  return vms.toSorted((a, b) => (descending ? -1 : 1) * compare[sort](a, b) || compare.name(a, b))
}
