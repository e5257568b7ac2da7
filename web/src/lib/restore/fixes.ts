import type { Hypervisor, PointCopy, RestoreChecks } from '#lib/api/types.ts'
import { copyLook } from '#lib/points/copies.ts'
import type { Draft } from './wizard.ts'

type Finding = RestoreChecks['findings'][number]

/** One press that answers a finding: what changes in what is asked. */
export interface Fix {
  readonly label: string
  readonly change: Partial<Draft>
}

export interface FixFacts {
  readonly draft: Draft
  readonly hosts: readonly Pick<Hypervisor, 'id' | 'name'>[]
  readonly copies: readonly PointCopy[]
  /** Of which copy is read when none is chosen. */
  readonly repositoryId: string
}

/** What says that the point, or the repository it is read from, does not answer or is not whole: another copy may be. */
const ofTheSource = new Set([
  ...[
    'StoreUnavailable',
    'StoreDenied',
    'StoreRateLimited',
    'StoreChecksumMismatch',
    'ObjectAbsent',
    'ListingIncomplete',
  ],
  ...['RepositoryMissing', 'RepositoryForeign', 'FormatError', 'FloorMissing', 'SecretMissing', 'WrongSecret'],
  ...['KeysDamaged', 'KeyUnknown', 'KeysIncomplete', 'DomainShredded'],
  ...['ChunkLost', 'PackDamaged', 'PointNotRestorable', 'slow'],
])
/** Codes that another hypervisor may not have. */
const ofTheHost = new Set(['space', 'NoWorker', 'NetworkFailure', 'HypervisorTimeout', 'AccessDenied', 'AccessBlocked'])
const mostOffered = 2

/** What can be pressed beside a finding, what helps most first; none where only a person at the place can help. */
export function fixesOf({ code }: Pick<Finding, 'code'>, { draft, hosts, copies, repositoryId }: FixFacts): Fix[] {
  if ((code === 'name' || code === 'NameTaken') && draft.to !== 'original') {
    const name = nextName(draft.name)
    return [{ label: `Call it ${name}`, change: { name } }]
  }
  if (code === 'identity') return [{ label: 'Give it a new identity', change: { identity: 'new' } }]
  if (ofTheSource.has(code)) {
    const now = draft.repositoryId ?? repositoryId
    return copies
      .filter((copy) => copy.repositoryId !== now && copyLook(copy).tone === 'ok')
      .slice(0, mostOffered)
      .map((copy) => ({
        label: `Read the copy in ${copy.repositoryName}`,
        change: { repositoryId: copy.repositoryId },
      }))
  }
  if (ofTheHost.has(code) && draft.to !== 'original')
    return hosts
      .filter(({ id }) => id !== draft.hypervisorId)
      .slice(0, mostOffered)
      .map(({ id, name }) => ({ label: `Use ${name}`, change: { hypervisorId: id } }))
  return []
}

/** `web-01-restored` → `web-01-restored-2` → `web-01-restored-3`; only small numbers are counted on, others are names. */
function nextName(name: string): string {
  const [, stem, n] = /^(.+)-([2-9]|[1-9]\d)$/.exec(name) ?? []
  return stem === undefined ? `${name}-2` : `${stem}-${Number(n) + 1}`
}
