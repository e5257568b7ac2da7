import { formatBytes, formatDuration, formatInstant } from '../base/index.ts'
import { fieldsOf, numberOf, textOf } from './events.ts'
import type { Start } from './activities.ts'

/** One line about what a step found or did; null where its title says it all. */
export function detailOf(start: Start): string | null {
  if (start.end === 'skipped') return 'another run of it is under way'
  if (start.end !== 'completed')
    return start.type === 'holdPoints' ? (unheld(start) ?? openDetail(start)) : openDetail(start)
  const result = fieldsOf(start.result)
  return (describers[start.type] ?? (() => null))(result, fieldsOf(start.input))
}

type Fields = { readonly [name: string]: unknown }
type Describe = (result: Fields, input: Fields) => string | null

const describers: { readonly [type: string]: Describe } = {
  preflight: (result) => {
    const parent = fieldsOf(result['parent'])
    const disks = listOf(result['disks']).length
    const warnings = listOf(result['warnings']).length
    const base =
      textOf(parent['pointId']) === undefined ? 'no earlier point' : `parent point of ${clock(parent['createdMs'])}`
    return `${count(disks, 'disk')}, ${base}${warnings === 0 ? '' : `, ${count(warnings, 'warning')}`}`
  },
  openPoint: (result) => {
    const quiesce = fieldsOf(result['quiesce'])
    const frozen = numberOf(quiesce['freezeDurationMs'])
    const degraded = textOf(quiesce['degraded'])
    const how = frozen === undefined ? 'the guest was not frozen' : `the guest was frozen for ${formatDuration(frozen)}`
    return `${how}, ${consistencyWords(result['consistency'])}${degraded === undefined ? '' : ` (${degraded})`}`
  },
  auditTracker: (result) => {
    const wrong = listOf(result['mismatched']).length
    const checked = numberOf(result['checkedChunks']) ?? 0
    return wrong === 0
      ? `${count(checked, 'unchanged chunk')} compared, none differs`
      : `${count(wrong, 'disk')} differ and are read in full`
  },
  copyDisk: (result) => `${bytesOf(result['readBytes'])} read, ${bytesOf(result['newBytes'])} stored`,
  commitBackup: (result) => {
    const rescued = numberOf(result['rescued']) ?? 0
    return rescued === 0
      ? 'the point is validated'
      : `the point is validated; ${count(rescued, 'chunk')} were read once more`
  },
  findCommitted: (result) =>
    textOf(result['stem']) === undefined ? 'the point does not exist' : 'the point exists and is validated',
  spotCheck: (result) => `${count(numberOf(result['chunks']) ?? 0, 'chunk')} read back, all as stored`,
  comparePoint: (result) => {
    const rewritten = numberOf(result['rewrittenBytes'])
    if (rewritten === undefined) return 'it is the first point'
    const rest = [
      [rewritten, 'rewritten'],
      [numberOf(result['addedBytes']) ?? 0, 'added'],
      [numberOf(result['removedBytes']) ?? 0, 'emptied'],
    ] as const
    const parts = rest.filter(([bytes]) => bytes > 0).map(([bytes, what]) => `${formatBytes(bytes)} ${what}`)
    return parts.length === 0 ? 'nothing changed' : parts.join(', ')
  },
  recordChange: (result) =>
    result['isSuspicious'] === true
      ? `suspicious: score ${numberOf(result['score']) ?? 0} of 100`
      : `nothing unusual: score ${numberOf(result['score']) ?? 0} of 100`,
  releasePoint: (result) => leftBehind(result),
  abortPoint: (result) => leftBehind(result),
  destroyTarget: (result) => leftBehind(result),
  shutDown: (result) => `the guest has shut down, the VM is ${textOf(result['after']) ?? 'unknown'}`,
  startAgain: (result) =>
    result['before'] === 'running'
      ? 'the VM was running'
      : `the VM was ${textOf(result['before']) ?? 'unknown'}, and runs again`,
  ensureRunning: (result) =>
    result['wasFrozen'] === true
      ? 'the guest was frozen and was thawed'
      : result['wasPaused'] === true
        ? 'the guest was paused and was resumed'
        : 'the guest runs',
  planRestore: (result) =>
    `${count(listOf(result['disks']).length, 'disk')} of ${textOf(result['vmName']) ?? 'the VM'}, taken ${clock(result['createdMs'])}`,
  restoreDisk: (result) => `${bytesOf(result['writtenBytes'])} written, holes stay holes`,
  powerVm: (result) => `was ${textOf(result['before']) ?? 'unknown'}, is ${textOf(result['after']) ?? 'unknown'}`,
  waitForGuest: (result) => {
    const waited = formatDuration(numberOf(result['waitedMs']) ?? 0)
    if (result['state'] === 'absent') return 'the guest has no agent that could answer'
    return result['state'] === 'up' ? `the guest answered after ${waited}` : `no answer within ${waited}`
  },
  runGuestCheck: (result) => textOf(result['detail']) ?? null,
  holdPoints: (result) => {
    const refused = listOf(result['refused'])
    const held = `${count(listOf(result['held']).length, 'point')} held`
    return refused.length === 0
      ? held
      : `${held}, ${refused.length} refused: ${textOf(fieldsOf(refused[0])['why']) ?? 'no reason given'}`
  },
  takeScreenshot: (result) =>
    textOf(result['sha256']) === undefined ? 'this platform has no picture' : 'kept as evidence',
  surveyRetention: (result) => {
    const held = numberOf(result['held']) ?? 0
    const points = count(numberOf(result['points']) ?? 0, 'point')
    return `${points} of ${count(numberOf(result['series']) ?? 0, 'VM')}, ${held} held`
  },
  planSweep: (result) => {
    const asking = numberOf(result['asking']) ?? 0
    const asks = asking === 0 ? '' : `; ${asking} VM${asking === 1 ? '' : 's'} would lose more than the set share`
    return `${numberOf(result['going']) ?? 0} of ${count(numberOf(result['points']) ?? 0, 'point')} would go${asks}`
  },
  confirmSweep: (result) =>
    `${numberOf(result['spared']) ?? 0} are kept by now, ${numberOf(result['going']) ?? 0} still go`,
  tombstonePoints: (result, input) => {
    const refused = listOf(result['refused'])
    const all = listOf(input['points']).length
    const why = textOf(fieldsOf(refused[0])['why'])
    return refused.length === 0
      ? `${count(all, 'point')} removed`
      : `${all - refused.length} removed, ${refused.length} refused: ${why ?? 'no reason given'}`
  },
  tidyRepository: (result) => {
    const abandoned = numberOf(result['abandoned']) ?? 0
    const left = abandoned === 0 ? '' : `, ${count(abandoned, 'unfinished point')} abandoned`
    return `${count(numberOf(result['removed']) ?? 0, 'manifest')} removed${left}`
  },
  prepareCollection: (result) => textOf(result['why']) ?? 'not now: nothing was removed since the last one',
  collectGarbage: (result) => {
    const part = (name: string) => fieldsOf(result[name])
    if (result['outcome'] === 'stopped') return 'another collection was under way; this one stopped and deleted nothing'
    const waiting = numberOf(part('waiting')['bytes']) ?? 0
    const later = waiting === 0 ? '' : `, ${bytesOf(waiting)} to be freed later`
    return `${bytesOf(part('deleted')['bytes'])} freed, ${bytesOf(part('live')['bytes'])} needed by ${count(numberOf(result['roots']) ?? 0, 'point')}${later}`
  },
  'child:backupVm': (result, input) => {
    if (textOf(result['pointId']) === undefined) return null
    if (input['origin'] === 'safety') return 'the safety point is validated'
    const sum = (member: string): number =>
      listOf(result['disks']).reduce<number>((all, disk) => all + (numberOf(fieldsOf(disk)[member]) ?? 0), 0)
    return `${bytesOf(sum('readBytes'))} read, ${bytesOf(sum('newBytes'))} stored, ${consistencyWords(result['consistency'])}`
  },
  'child:restoreDrill': (result) => {
    const verdict = textOf(result['verdict'])
    return verdict === undefined ? null : `${verdict}: ${textOf(result['why']) ?? ''}`
  },
  'child:restoreVm': (result) => {
    const name = textOf(fieldsOf(result['vm'])['name'])
    return name === undefined ? null : `${name} was handed over`
  },
  openRecovery: (result) =>
    `${count(listOf(result['tiers']).length, 'tier')}, ${count(numberOf(result['vms']) ?? 0, 'VM')}`,
  beginTier: (result) => {
    const people = listOf(result['before']).length + listOf(result['then']).length
    return `${count(listOf(result['members']).length, 'VM')}${people === 0 ? '' : `, ${count(people, 'manual step')}`}`
  },
  closeRecovery: (result, input) => {
    const left = listOf(result['residue']).length
    return `${textOf(input['why']) ?? ''}${left === 0 ? '' : `; ${count(left, 'thing')} left behind`}`
  },
  openPlanRun: (result) => {
    const skippedFor = textOf(result['skippedFor'])
    if (skippedFor !== undefined) return `none: the run ${skippedFor} is still under way`
    const vms = numberOf(result['vms']) ?? 0
    return vms === 0 ? 'none' : `${count(vms, 'VM')}, ${numberOf(result['concurrency']) ?? 1} at a time`
  },
  closePlanRun: (result) => {
    const counts = Object.entries(fieldsOf(result['counts'])).filter(([, n]) => numberOf(n) !== 0)
    return counts.length === 0 ? 'there was no VM' : counts.map(([word, n]) => `${String(n)} ${word}`).join(', ')
  },
  beginVerify: (result) => `${count(numberOf(result['points']) ?? 0, 'point')} to check`,
  checkRepository: (result) => {
    const damages = numberOf(result['damages']) ?? 0
    const unreadable = numberOf(result['unreadable']) ?? 0
    const resumed = numberOf(result['packsResumed']) ?? 0
    const before = resumed === 0 ? '' : ` (${resumed} by an earlier attempt)`
    return [
      `${count(numberOf(result['points']) ?? 0, 'point')} and ${count(numberOf(result['packs']) ?? 0, 'pack')}${before}`,
      damages === 0 ? 'nothing is damaged' : `${count(damages, 'object')} damaged`,
      ...(unreadable === 0 ? [] : [`${count(unreadable, 'object')} could not be read`]),
    ].join(', ')
  },
  recordFindings: (result) => {
    const damaged = numberOf(result['damagedPoints']) ?? 0
    const unreadable = numberOf(result['unreadablePoints']) ?? 0
    const mended = numberOf(result['mendedPoints']) ?? 0
    const parts = [
      ...(damaged === 0 ? [] : [`${count(damaged, 'point')} lose something and count for nothing any more`]),
      ...(unreadable === 0 ? [] : [`${count(unreadable, 'point')} could not be read whole and stay what they were`]),
      ...(mended === 0 ? [] : [`${count(mended, 'damaged point')} whole again`]),
    ]
    return parts.length === 0 ? 'no point loses anything' : parts.join(', ')
  },
}

/** Nothing of the run depends on it, but a repository that was away is never passed over in silence. */
function unheld({ input, end }: Start): string | null {
  const name = textOf(fieldsOf(fieldsOf(input)['repository'])['name']) ?? 'the repository'
  if (end === 'failed') return `nothing is held in ${name}: the catalog alone keeps the points`
  if (end !== 'cancelled') return null
  return `${name} had not answered when the run ended: nothing was held there, the catalog alone kept the points. Look whether workers reach it`
}

/** What a move says while it moves. */
function openDetail({ heartbeat, end, pending }: Start): string | null {
  if (end === 'open' && heartbeat?.stage === 'waiting-for-slot')
    return 'waits until another disk of this worker is done'
  if (end === 'open' && heartbeat?.stage === 'opening') return 'opening source and repository'
  const what = textOf(fieldsOf(pending?.heartbeat)['what'])
  return end === 'open' && what !== undefined && what !== 'starting' && what !== 'working' ? what : null
}

/** `resumed at 11.8 GiB; 24 MiB were read again`; null if nothing was there to resume. */
export function resumeNote(start: Start): string | null {
  const said: Fields = start.end === 'completed' ? fieldsOf(start.result) : { ...start.heartbeat }
  const resumed = numberOf(said['bytesResumed']) ?? 0
  if (resumed === 0) return null
  const from = start.heartbeat?.start ?? 0
  return `resumed at ${formatBytes(from + resumed)}${againNote(start, said)}`
}

/** What nobody could measure is never said to be nothing; restores of earlier versions did not measure it. */
function againNote({ type, end }: Start, said: Fields): string {
  if (type !== 'copyDisk' && type !== 'restoreDisk') return ''
  const did = type === 'copyDisk' ? 'read' : 'written'
  const figure = said[type === 'restoreDisk' && end === 'completed' ? 'bytesWrittenAgain' : 'bytesReadAgain']
  if (type === 'restoreDisk' && figure === undefined) return ''
  const again = numberOf(figure)
  if (again === undefined) return `; how much was ${did} again is unknown`
  return again === 0 ? `; nothing was ${did} twice` : `; ${formatBytes(again)} were ${did} again`
}

export function consistencyWords(value: unknown): string {
  if (value === 'filesystem') return 'file-system consistent'
  if (value === 'application') return 'application consistent'
  return 'crash consistent'
}

function leftBehind(result: Fields): string {
  const left = listOf(result['residue']).length
  return left === 0 ? 'nothing is left behind' : `${count(left, 'thing')} could not be removed`
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : []
}

export function count(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? '' : 's'}`
}

function bytesOf(value: unknown): string {
  return formatBytes(Math.max(0, numberOf(value) ?? 0))
}

/** Minute of an instant, UTC: `2026-11-21 02:00 UTC`. */
function clock(value: unknown): string {
  const ms = numberOf(value)
  if (ms === undefined || Math.abs(ms) > 8.64e15) return 'an unknown time'
  return formatInstant(ms)
}
