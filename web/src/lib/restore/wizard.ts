import { count, formatBytes, listOf } from '#lib/format/index.ts'
import type { InstantRequest, Point, RestoreChecks, RestoreRequest } from '#lib/api/types.ts'

/** The steps before the run; the run itself has its own page. */
export const stepIds = ['point', 'scope', 'destination', 'checks', 'summary'] as const
export type StepId = (typeof stepIds)[number]

/** Everything that the wizard asks. It lives in the address, so that leaving and coming back loses nothing. */
export interface Draft {
  readonly at: StepId
  readonly vmId: string | null
  readonly pointId: string | null
  /** Which copy to read; null: the one that the point names. */
  readonly repositoryId: string | null
  readonly scope: 'vm' | 'disks' | 'configuration'
  /** Of the scope `disks`: keys of those that are wanted. */
  readonly disks: readonly string[]
  /** `instant`: a new VM that runs at once, out of the repository. */
  readonly to: 'new' | 'instant' | 'original'
  readonly hypervisorId: string | null
  readonly name: string
  readonly identity: 'new' | 'same'
  readonly powerOn: boolean
  /** Of an instant VM. */
  readonly network: 'isolated' | 'connected'
}

const scopes = ['vm', 'disks', 'configuration'] as const
const destinations = ['new', 'instant', 'original'] as const

export function readDraft(params: Pick<URLSearchParams, 'get' | 'has'>): Draft {
  return {
    at: stepIds.find((id) => id === params.get('at')) ?? (params.has('point') ? 'scope' : 'point'),
    vmId: params.get('vm'),
    pointId: params.get('point'),
    repositoryId: params.get('from'),
    scope: scopes.find((scope) => scope === params.get('scope')) ?? 'vm',
    disks: (params.get('disks') ?? '')
      .split(',')
      .filter((key) => key !== '')
      .map(decodeURIComponent),
    to: destinations.find((to) => to === params.get('to')) ?? 'new',
    hypervisorId: params.get('host'),
    name: params.get('name') ?? '',
    identity: params.get('identity') === 'same' ? 'same' : 'new',
    powerOn: params.get('start') === 'yes',
    network: params.get('network') === 'connected' ? 'connected' : 'isolated',
  }
}

export function draftHref(draft: Draft, change: Partial<Draft>): string {
  const next = fitting({ ...draft, ...change })
  const params = new URLSearchParams()
  if (next.vmId) params.set('vm', next.vmId)
  if (next.pointId) params.set('point', next.pointId)
  // Another point has other copies.
  if (next.repositoryId && next.pointId === draft.pointId) params.set('from', next.repositoryId)
  if (next.scope !== 'vm') params.set('scope', next.scope)
  if (next.disks.length > 0 && next.pointId === draft.pointId)
    params.set('disks', next.disks.map(encodeURIComponent).join(','))
  if (next.to !== 'new') params.set('to', next.to)
  if (next.hypervisorId) params.set('host', next.hypervisorId)
  if (next.name !== '') params.set('name', next.name)
  if (next.identity === 'same') params.set('identity', 'same')
  if (next.powerOn) params.set('start', 'yes')
  if (next.network === 'connected') params.set('network', 'connected')
  params.set('at', next.at)
  return `/restore?${params.toString()}`
}

/** Why a part of a VM cannot go there; null: it can. */
export function misfit({ scope }: Pick<Draft, 'scope'>, to: Draft['to']): string | null {
  if (to === 'instant' && scope !== 'vm') return 'Only a whole VM runs out of the repository.'
  return to === 'original' && scope === 'configuration' ? 'A configuration is restored as a new VM.' : null
}

/** A destination that the scope does not allow gives way to the one that is always allowed. */
function fitting(draft: Draft): Draft {
  return misfit(draft, draft.to) === null ? draft : { ...draft, to: 'new' }
}

/** The scope in words, as a row of the steps says it. */
export function scopeWords(
  { scope, disks }: Pick<Draft, 'scope' | 'disks'>,
  of: readonly { readonly disk: string; readonly size: number }[],
): string {
  if (scope === 'configuration') return 'configuration only'
  const chosen = of.filter(({ disk }) => scope === 'vm' || disks.includes(disk))
  const amount = formatBytes(chosen.reduce((sum, { size }) => sum + size, 0))
  if (scope === 'vm') return `whole VM, ${count(chosen.length, 'disk')}, ${amount}`
  return chosen.length === 0
    ? ''
    : `${listOf(chosen.map(({ disk }) => disk))} of ${count(of.length, 'disk')}, ${amount}`
}

/** What the API is asked, or null while something is missing. `typed` is the name the reader typed to confirm. */
export function requestOf(draft: Draft, typed: string): RestoreRequest | null {
  if (draft.pointId === null) return null
  const copy = draft.repositoryId === null ? {} : { repositoryId: draft.repositoryId }
  const { pointId, identity, powerOn } = draft
  if (draft.scope === 'disks' && draft.disks.length === 0) return null
  const part = draft.scope === 'vm' ? {} : { disks: draft.scope === 'disks' ? [...draft.disks] : [] }
  const rest = { pointId, ...copy, ...part, identity, powerOn, reason: '', tuning: {} }
  if (draft.to === 'original') return { ...rest, identity: 'same', target: { kind: 'original', confirmName: typed } }
  if (draft.hypervisorId === null || draft.name.trim() === '') return null
  return { ...rest, target: { kind: 'new', hypervisorId: draft.hypervisorId, name: draft.name.trim() } }
}

/** The same for a VM that is to run at once; its checks are those of a new VM. */
export function instantRequestOf(draft: Draft): InstantRequest | null {
  const { pointId, hypervisorId, network, identity } = draft
  const name = draft.name.trim()
  if (draft.to !== 'instant' || draft.scope !== 'vm' || pointId === null || hypervisorId === null || name === '')
    return null
  return { pointId, hypervisorId, name, network, identity, reason: '', tuning: {} }
}

/** Why the reader cannot go on from a step; null: they can. */
export function obstacle(draft: Draft, checks: RestoreChecks | null, vmName: string, typed: string): string | null {
  switch (draft.at) {
    case 'point':
      return draft.pointId === null ? 'Choose a point first' : null
    case 'scope':
      return draft.scope === 'disks' && draft.disks.length === 0 ? 'Choose a disk first' : null
    case 'destination':
      return requestOf(draft, vmName) === null ? 'Say where and under which name' : null
    case 'checks':
      if (checks === null) return 'Checking'
      return checks.blocked ? blockedWords(checks) : null
    case 'summary':
      if (checks?.blocked !== false) return checks === null ? 'Checking' : blockedWords(checks)
      return draft.to === 'original' && typed !== vmName ? `Type ${vmName} to go on` : null
  }
}

function blockedWords(checks: RestoreChecks): string {
  const n = checks.findings.filter((finding) => finding.severity === 'blocking').length
  return n === 1 ? 'One check blocks' : `${n} checks block`
}

/** `1 blocks, 2 to know, 5 passed`. */
export function checksNote(checks: RestoreChecks): string {
  const blocking = checks.findings.filter((finding) => finding.severity === 'blocking').length
  const know = checks.findings.length - blocking
  const parts = [
    blocking > 0 ? `${blocking} ${blocking === 1 ? 'blocks' : 'block'}` : '',
    know > 0 ? `${know} to know` : '',
    `${checks.passed.length} passed`,
  ]
  return parts.filter((part) => part !== '').join(', ')
}

/** A free name to begin with; the check says whether it is really free. */
export function proposedName(vmName: string): string {
  return `${vmName}-restored`
}

/** The newest validated point is the safe default. */
export function newestValidated(points: readonly Point[]): Point | null {
  return points.filter((point) => point.validatedMs !== null).toSorted((a, b) => b.createdMs - a.createdMs)[0] ?? null
}

export function neighbour(at: StepId, by: 1 | -1): StepId | null {
  return stepIds[stepIds.indexOf(at) + by] ?? null
}
