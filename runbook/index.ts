/**
 * A history becomes a runbook: phases, steps, retries with their cause, progress, what to do next. One pure and total
 * function for API, dashboard, command line and evidence alike, so that a live run and an archived one look the same.
 */
import type { SerializedError } from '../base/index.ts'
import { formatBytes, formatDuration } from '../base/index.ts'
import { runActions } from './actions.ts'
import type { ActionContext, RecoveryWait } from './actions.ts'
import { readStarts } from './activities.ts'
import type { Start } from './activities.ts'
import { consistencyWords } from './details.ts'
import { runTitles } from './dictionary.ts'
import { fieldsOf, readEvents, textOf } from './events.ts'
import { toPhases } from './phases.ts'
import { totalProgress } from './progress.ts'
import { readRun, residueOf } from './run.ts'
import type { RunEvents } from './run.ts'
import { groupStarts, isDeaf, toStep } from './steps.ts'
import type { PendingStep, ResidueRow, RunFacts, RunHistory, Runbook, Step, StepProgress } from './types.ts'

export type * from './types.ts'

/** `pending` is what `describe` knows of activities that have not ended; empty for an archived run. Never throws. */
export function toRunbook(history: RunHistory, pending: readonly PendingStep[], facts: RunFacts): Runbook {
  const events = readEvents(history)
  const run = readRun(events)
  const starts = readStarts(events, pending)
  const steps = groupStarts(starts).flatMap((group) => toStep(group, run, facts) ?? [])
  const ended = lastInput(starts, 'recordRunFinished')
  const error = runError(run, steps)
  const progress = totalProgress(steps)
  const deafQueues = [
    ...new Set(steps.filter(({ state }) => state === 'waiting-for-worker').flatMap(({ queue }) => queue ?? [])),
  ]
  return {
    v: 1,
    workflowId: run.workflowId,
    runId: run.runId,
    kind: run.kind,
    title: `${runTitles[run.kind]} ${subjectOf(run, facts)}`,
    sentence: sentenceOf(run, steps, starts, facts, progress, ended),
    state: run.state,
    verdict: run.verdict,
    startedMs: run.startedMs,
    endedMs: run.endedMs,
    resumedTimes: resumedTimes(steps),
    progress,
    phases: toPhases(run, steps),
    notes: run.notes,
    error,
    residue: residueRows(run, steps, ended),
    actions: runActions({
      workflowId: run.workflowId,
      kind: run.kind,
      state: run.state,
      error,
      isHeld: run.held !== null,
      isOutside: run.outsideUntil !== null,
      canPause: !steps.some(({ phase }) => phase === 'commit' || phase === 'boot'),
      deafQueues: deafQueues.filter((queue) => isDeaf(queue, facts)),
      recovery: recoveryOf(run, starts),
      made: madeBy(run),
      approve: approvalWanted(run),
    }),
    eventCount: events.length,
    facts,
  }
}

function sentenceOf(
  run: RunEvents,
  steps: readonly Step[],
  starts: readonly Start[],
  facts: RunFacts,
  progress: StepProgress | null,
  ended: { readonly [name: string]: unknown },
): string {
  const summary = textOf(ended['summary'])
  if (run.endedMs !== null && summary !== undefined) return capital(`${summary}.`)
  if (run.state === 'terminated' && run.kind === 'plan')
    return 'Terminated; backups that were under way go on by themselves.'
  if (run.state === 'terminated' && run.kind === 'instant')
    return 'Terminated; the VM goes on and its point is served until somebody ends both.'
  if (run.state === 'terminated' && run.kind === 'files')
    return 'Terminated; its micro-VM closes when nobody asks it any more.'
  if (run.state === 'terminated' && run.kind === 'recovery')
    return run.input['mode'] === 'run'
      ? 'Terminated; VMs that stand are handed over by themselves.'
      : 'Terminated; its drills remove their VMs by themselves.'
  if (run.state === 'terminated') return 'Terminated without cleaning up; the next run of this VM removes what is left.'
  if (run.isPaused) {
    const open = run.kind === 'backup' ? 'the point in time stays open and ' : ''
    if (run.held?.releases === true)
      return `Stands still with its plan: ${run.held.reason}; its point in time is given back, and it begins anew then.`
    if (run.held !== null) return `Stands still with its plan: ${run.held.reason}; ${open}it goes on where it stopped.`
    if (run.outsideUntil !== null) return `Paused until ${run.outsideUntil}: its window is closed.`
    return `Paused; ${open}it goes on where it stopped.`
  }
  const waiting = run.waiting[0]
  if (waiting !== undefined) return `Waiting for a person: ${waiting.summary}.`
  if (run.slotWait !== null && run.endedMs === null) return `Waiting for a free slot: ${run.slotWait} is full.`
  const deaf = steps.find(({ state }) => state === 'waiting-for-worker')
  if (deaf !== undefined) return deafSentence(deaf, facts)
  const parts = [run.kind === 'plan' ? planSentence(steps) : modeSentence(run, starts, facts)]
  if (progress !== null && run.endedMs === null) {
    parts.push(`${formatBytes(progress.bytesDone)} of ${formatBytes(progress.bytesTotal)}`)
    if (progress.rate !== null) parts.push(`${formatBytes(progress.rate)}/s`)
    if (progress.secondsLeft !== null) parts.push(`about ${formatDuration(progress.secondsLeft * 1000)} left`)
  }
  return parts.filter((part) => part !== '').join(' · ')
}

function modeSentence(run: RunEvents, starts: readonly Start[], facts: RunFacts): string {
  const where = repositoryOf(run, facts)
  if (run.kind === 'files') return `Read-only from ${where}`
  if (run.kind === 'restore') return `From ${where}`
  if (run.kind === 'instant') return `Runs from ${where}, ${textOf(run.input['network']) ?? 'isolated'}`
  if (run.kind === 'retention') return `Points of ${where}`
  if (run.kind === 'mirror') return `Points of ${nameIn(run, 'source')} into ${nameIn(run, 'target')}`
  if (run.kind === 'verify') return `${verifyWords(run.input['level'])} of ${where}`
  if (run.kind === 'replication') return `To ${pairName(run)}`
  if (run.kind === 'failover') return moveWords(run)
  if (run.kind === 'recovery')
    return run.input['mode'] === 'rehearse' ? 'A rehearsal, isolated from production' : 'For real'
  if (run.kind === 'drill') return `From ${where}, isolated from production`
  const point = fieldsOf(starts.findLast(({ type, end }) => type === 'openPoint' && end === 'completed')?.result)
  const disks = Array.isArray(point['disks']) ? point['disks'].map((disk) => fieldsOf(disk)['mode']) : []
  if (disks.length === 0) return `To ${where}`
  const mode = disks.every((it) => it === 'incremental')
    ? 'Incremental'
    : disks.every((it) => it === 'full')
      ? 'Full'
      : 'Full and incremental'
  const at = textOf(point['createdAt'])?.slice(11, 19)
  return `${mode} to ${where}${at === undefined ? '' : ` · point in time ${at} UTC`} · ${consistencyWords(point['consistency'])}`
}

function pairName(run: RunEvents): string {
  return textOf(fieldsOf(run.input['pair'])['name']) ?? 'the standby'
}

function moveWords(run: RunEvents): string {
  const name = pairName(run)
  switch (run.input['move']) {
    case 'planned':
      return `Planned failover to ${name}`
    case 'unplanned':
      return `Unplanned failover to ${name}`
    case 'failback':
      return `Back from ${name}`
    case 'accept':
      return `${name} stays where it runs`
    case 'remove':
      return `Removal of ${name}`
    default:
      return `Test of ${name}, isolated from production`
  }
}

function repositoryOf(run: RunEvents, facts: RunFacts): string {
  return facts.repositoryName ?? textOf(fieldsOf(run.input['repository'])['name']) ?? 'the repository'
}

function nameIn(run: RunEvents, member: 'source' | 'target'): string {
  return textOf(fieldsOf(run.input[member])['name']) ?? `the ${member}`
}

/** What the title of the run names. */
function subjectOf(run: RunEvents, facts: RunFacts): string {
  if (run.kind === 'retention' || run.kind === 'verify') return repositoryOf(run, facts)
  if (run.kind === 'mirror') return `${nameIn(run, 'source')} to ${nameIn(run, 'target')}`
  if (run.kind === 'plan') return textOf(run.input['plan']) ?? 'a plan'
  // Of an open point into the guest.
  if (run.kind === 'restore' && textOf(run.input['session']) !== undefined) return `files of ${vmNameOf(run)}`
  if (run.kind === 'recovery') return textOf(run.input['planName']) ?? 'a plan'
  return facts.vmName ?? vmNameOf(run)
}

function planSentence(steps: readonly Step[]): string {
  const backups = steps.filter(({ id }) => id.startsWith('backup/'))
  const done = backups.filter(({ state }) => state === 'done').length
  const running = backups.filter(({ state }) => state === 'running').length
  const failed = backups.filter(({ state }) => state === 'failed').length
  const parts = [`${done} backed up`, `${running} under way`, ...(failed === 0 ? [] : [`${failed} failed`])]
  return parts.join(', ')
}

function verifyWords(level: unknown): string {
  return level === 'full' ? 'Every chunk' : level === 'data' ? 'Every stored byte' : 'Tables and references'
}

function deafSentence(step: Step, facts: RunFacts): string {
  const site = step.queue?.replace(/^holdfast\.site\./, '')
  const seen = facts.pollers[step.queue ?? '']?.lastSeenMs ?? null
  const since = seen === null ? '' : ` since ${new Date(seen).toISOString().slice(11, 16)} UTC`
  return site === step.queue ? `No server is connected${since}.` : `No worker is connected for site ${site}${since}.`
}

/** The plan that waits for somebody's agreement, and of which repository. */
function approvalWanted(run: RunEvents): ActionContext['approve'] {
  const repositoryId = textOf(fieldsOf(run.input['repository'])['id'])
  const digest = run.waiting.flatMap(({ summary }) => /^approval of plan (\w+)/.exec(summary)?.[1] ?? [])[0]
  return digest === undefined || repositoryId === undefined ? null : { repositoryId, digest }
}

/** Of each tier the last word about what it waits for counts. */
function recoveryOf(run: RunEvents, starts: readonly Start[]): ActionContext['recovery'] {
  if (run.kind !== 'recovery') return null
  const waits = new Map<string, RecoveryWait | null>()
  for (const { type, input } of starts) {
    const { tier, change } = fieldsOf(input)
    const said = fieldsOf(change)
    if (type !== 'noteTier' || typeof tier !== 'string' || !('waitsFor' in said)) continue
    const { id, kind, title } = fieldsOf(said['waitsFor'])
    const isWait = kind === 'step' || kind === 'choice'
    waits.set(tier, isWait ? { tier, id: textOf(id) ?? '', kind, title: textOf(title) ?? '' } : null)
  }
  const wait = [...waits.values()].find((one) => one !== null) ?? null
  return { isRehearsal: run.input['mode'] !== 'run', runId: run.runId, wait }
}

function madeBy({ kind, input, result }: RunEvents): { readonly vmId: string; readonly pointId: string } | null {
  const vmId = textOf(fieldsOf(input['vm'])['id'])
  const pointId = textOf(result['pointId'])
  return kind !== 'backup' || vmId === undefined || pointId === undefined ? null : { vmId, pointId }
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

function vmNameOf({ input, kind }: RunEvents): string {
  const target = fieldsOf(input['target'])
  const ofPair = fieldsOf(input['pair'])['source']
  const vm = fieldsOf(kind === 'restore' ? (target['vm'] ?? input['vm']) : (input['vm'] ?? ofPair))
  return textOf(fieldsOf(vm['ref'])['name']) ?? textOf(input['vmName']) ?? textOf(target['name']) ?? 'a VM'
}

/** A failed run tells why; one that waits for a person, what for. */
function runError(run: RunEvents, steps: readonly Step[]): SerializedError | null {
  if (run.error !== null) return run.error
  if (run.endedMs !== null) return null
  if (run.waiting.length === 0) return null
  return steps.findLast(({ state, error }) => state === 'retrying' && error !== null)?.error ?? null
}

/** How often a move went on where another attempt had ended, pauses not counted. */
function resumedTimes(steps: readonly Step[]): number {
  const moves = steps.filter(({ id }) => id.startsWith('copy:') || id.startsWith('write:'))
  return moves.reduce(
    (sum, { attempts }) => sum + attempts.slice(0, -1).filter(({ error }) => error !== null).length,
    0,
  )
}

function residueRows(
  run: RunEvents,
  steps: readonly Step[],
  ended: { readonly [name: string]: unknown },
): readonly ResidueRow[] {
  const said = residueOf(ended['residue'] ?? run.result['residue'])
  if (said.length > 0 || 'residue' in ended) return said
  return steps
    .filter(({ state }) => state === 'residue')
    .map(({ title, id, error }) => ({ kind: 'unknown', id, error: error?.message ?? title, hint: error?.hint ?? '' }))
}

function lastInput(starts: readonly Start[], type: string): { readonly [name: string]: unknown } {
  return fieldsOf(starts.findLast((start) => start.type === type)?.input)
}
