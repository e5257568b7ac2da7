import { quoted } from '#lib/act/commands.ts'
import type { Mirror, Repository, RepositoryTest, VerifyLevel, VerifyRun } from '#lib/api/types.ts'
import { count, formatCount } from '#lib/format/index.ts'
import { look, type Look, type Tone } from '#lib/state/tone.ts'

/** Full above this needs a decision; above the second, now. */
const warnAt = 80
const failAt = 95
/** A repository that is full sooner than this is worth a colour. */
const soonMs = 60 * 86_400_000

/** A directory, or the URL of an object store. */
export function placeOf({ location }: Pick<Repository, 'location'>): string {
  return location.kind === 'posix' ? location.path : location.url
}

/** On what it lies. */
export const mediaWords: Readonly<Record<Repository['media'], string>> = {
  disk: 'Disks',
  share: 'A share (NFS, SMB)',
  object: 'An object store',
  removable: 'Removable media',
}

/** How full the place is, with everything that lies there, not only ours. Null where the store does not say. */
export function fillOf(
  repository: Pick<Repository, 'usage'>,
): { readonly percent: number; readonly tone: Tone } | null {
  const { usage } = repository
  if (!usage || usage.capacityBytes === null || usage.freeBytes === null || usage.capacityBytes === 0) return null
  const percent = Math.min(100, ((usage.capacityBytes - usage.freeBytes) / usage.capacityBytes) * 100)
  return { percent, tone: percent >= failAt ? 'fail' : percent >= warnAt ? 'warn' : 'ok' }
}

export function fullBy(
  repository: Pick<Repository, 'fullByMs'>,
  now: number,
): { readonly ms: number; readonly soon: boolean } | null {
  return repository.fullByMs === null ? null : { ms: repository.fullByMs, soon: repository.fullByMs - now < soonMs }
}

/** What deduplication and compression make of it together: `6.2 ×`. */
export function reductionOf(repository: Pick<Repository, 'usage'>): string | null {
  const { usage } = repository
  if (!usage?.dedupRatio) return null
  return `${(usage.dedupRatio * (usage.compressionRatio ?? 1)).toFixed(1)} ×`
}

export function testLook(test: RepositoryTest | null): Look {
  if (test === null) return look('unknown', 'Not tested')
  return test.state === 'ok' ? look('ok', 'Tested') : look('fail', 'Test failed')
}

export const verifyWords: Record<VerifyLevel, string> = {
  quick: 'tables and references',
  data: 'every stored byte',
  full: 'every chunk',
}

export const verifyTone = { sound: 'ok', damaged: 'fail', unreadable: 'warn' } as const

/** What could not be read is not known: neither sound nor damaged. */
export function verifyLook({ state, verdict }: Pick<VerifyRun, 'state' | 'verdict'>): Look {
  if (state === 'running') return look('run', 'Running')
  if (verdict === null) return look('idle', 'Cancelled')
  if (verdict === 'unreadable') return look('unknown', state === 'failed' ? 'Not read' : 'Partly not read')
  return verdict === 'sound' ? look('ok', 'Sound') : look('fail', 'Damaged')
}

/** What the last verify means, in one sentence. */
export function verifySentence(
  run: Pick<VerifyRun, 'state' | 'verdict' | 'damages' | 'damagedPoints' | 'unreadable'>,
): string {
  if (run.state === 'failed') return 'The last verify could not read the repository.'
  if (run.verdict === 'unreadable')
    return `${count(run.unreadable, 'object')} could not be read; nothing is proved damaged.`
  const also = run.unreadable === 0 ? '' : ` ${count(run.unreadable, 'object')} could not be read.`
  return `${count(run.damages, 'object')} damaged: ${count(run.damagedPoints, 'point')} lost something by it.${also}`
}

/** Behind is usual while a run is on its way; failed needs a look. */
export function shipmentCommand(
  { sourceId, targetId }: Pick<Mirror, 'sourceId' | 'targetId'>,
  day: string,
  note: string,
): string {
  return `holdfast mirror ${sourceId} ${targetId} --shipped-until ${day}${note === '' ? '' : ` --note ${quoted(note)}`}`
}

export function mirrorLook({ behind, failed, shipment }: Pick<Mirror, 'behind' | 'failed' | 'shipment'>): Look {
  if (failed > 0) return look('fail', `${formatCount(failed)} failed`)
  if (shipment !== null && behind > 0)
    return shipment.isOverdue ? look('warn', 'Overdue by post') : look('run', 'By post')
  return behind > 0 ? look('run', 'Behind') : look('ok', 'Up to date')
}
