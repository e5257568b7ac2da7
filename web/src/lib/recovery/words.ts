import { quoted } from '#lib/act/commands.ts'
import type { RecoveryMemberRecord, RecoveryPlan, RecoveryRun, RecoveryTierRecord } from '#lib/api/types.ts'
import { look, type Look } from '#lib/state/tone.ts'

export function planLook({ running, isOverdue, check, lastRehearsal }: RecoveryPlan): Look {
  if (running !== null) return look('run', 'Under way')
  if (check.findings.some(({ severity }) => severity === 'blocking')) return look('fail', 'Cannot run')
  if (isOverdue) return look('warn', 'Rehearsal overdue', 'clock')
  if (lastRehearsal === null) return look('idle', 'Never rehearsed')
  if (!lastRehearsal.isCurrent) return look('warn', 'Changed since its rehearsal')
  if (lastRehearsal.state !== 'passed') return look('warn', 'Rehearsal did not pass')
  return look('ok', lastRehearsal.skipped ? 'Rehearsed without people' : 'Rehearsed')
}

export const runLooks: { readonly [state in RecoveryRun['state']]: Look } = {
  running: look('run', 'Running'),
  passed: look('ok', 'Passed'),
  incomplete: look('fail', 'Incomplete'),
  aborted: look('idle', 'Ended early'),
  failed: look('fail', 'Failed'),
  cancelled: look('idle', 'Cancelled'),
}

export const tierLooks: { readonly [state in RecoveryTierRecord['state']]: Look } = {
  pending: look('idle', 'Not yet', 'next'),
  delayed: look('run', 'Delayed', 'clock'),
  running: look('run', 'Running'),
  waiting: look('warn', 'Waits for you', 'user'),
  done: look('ok', 'Done'),
  continued: look('warn', 'Gone on without'),
  failed: look('fail', 'Not done'),
  skipped: look('idle', 'Skipped', 'skip'),
}

export const memberLooks: { readonly [state in RecoveryMemberRecord['state']]: Look } = {
  pending: look('idle', 'Not yet', 'next'),
  recovering: look('run', 'Coming back'),
  ready: look('ok', 'Back'),
  short: look('fail', 'Up, not right'),
  failed: look('fail', 'Failed'),
  lost: look('fail', 'Gone again'),
  kept: look('ok', 'Handed over'),
  'kept-short': look('warn', 'Handed over, not right'),
  removed: look('idle', 'Removed'),
  left: look('warn', 'Something is left'),
  skipped: look('idle', 'Not begun', 'skip'),
}

export const needWords = {
  checks: 'its checks pass',
  answer: 'its guest answers',
  start: 'it was started',
} as const

/** What a person says to a run. */
export type Answer = 'approve' | 'retry' | 'continue' | 'clean-up' | 'hand-over'

export const answerWords: { readonly [answer in Answer]: string } = {
  approve: 'Say that it is done',
  retry: 'Try them again',
  continue: 'Go on without them',
  'clean-up': 'End and remove all',
  'hand-over': 'End and hand over',
}

/** What may be answered to a tier that waits. A rehearsal hands nothing over. */
export function answersTo(
  { waitsFor }: Pick<RecoveryTierRecord, 'waitsFor'>,
  mode: RecoveryRun['mode'],
): readonly Answer[] {
  if (waitsFor === null) return []
  if (waitsFor.kind === 'step') return ['approve']
  return mode === 'run' ? ['retry', 'continue', 'clean-up', 'hand-over'] : ['retry', 'continue', 'clean-up']
}

interface Effect {
  readonly icon: 'plus' | 'lock' | 'x' | 'retry'
  readonly tone: 'ok' | 'idle' | 'warn'
  readonly text: string
}

/** What follows from the word. */
export function effectsOf(answer: Answer, { mode }: Pick<RecoveryRun, 'mode'>): readonly Effect[] {
  switch (answer) {
    case 'approve':
      return [{ icon: 'plus', tone: 'ok', text: 'the tier goes on at once' }]
    case 'retry':
      return [
        { icon: 'x', tone: 'idle', text: 'removes the VMs of the tier that are not back' },
        { icon: 'retry', tone: 'ok', text: 'brings them back once more, from the points that the run has chosen' },
      ]
    case 'continue':
      return [
        { icon: 'plus', tone: 'ok', text: 'the tiers after it begin' },
        { icon: 'x', tone: 'warn', text: 'the run ends as incomplete, whatever comes' },
      ]
    case 'clean-up':
      return mode === 'rehearse'
        ? [
            {
              icon: 'x',
              tone: 'warn',
              text: 'removes every VM of the rehearsal; verdicts of those that stood are kept',
            },
            { icon: 'lock', tone: 'idle', text: 'production and its recovery points are not touched' },
          ]
        : [
            {
              icon: 'x',
              tone: 'warn',
              text: 'removes every VM that the run has brought back, with all that was written in it since. This cannot be undone',
            },
            { icon: 'lock', tone: 'idle', text: 'the recovery points are not touched' },
          ]
    case 'hand-over':
      return [
        { icon: 'plus', tone: 'ok', text: 'VMs that stand stay, and are yours' },
        { icon: 'x', tone: 'warn', text: 'what is half-made is removed' },
      ]
  }
}

export interface StartWish {
  readonly mode: RecoveryRun['mode']
  /** Of the input, in local time; empty: the newest points. */
  readonly until: string
  readonly withoutPeople: boolean
  /** VMs that come back although they are there. */
  readonly beside: readonly string[]
  readonly reason: string
}

/** What the dialog does, word for word. */
export function startCommand(
  { id, spec: { name } }: Pick<RecoveryPlan, 'id'> & { readonly spec: { readonly name: string } },
  { mode, until, withoutPeople, beside, reason }: StartWish,
): string {
  return [
    `holdfast recovery-plan ${mode} ${quoted(id)}`,
    ...(mode === 'run' ? [`--confirm ${quoted(name)}`] : []),
    ...(until === '' ? [] : [`--until ${new Date(until).toISOString()}`]),
    ...(withoutPeople ? ['--without-people'] : []),
    ...(beside.length === 0 ? [] : [`--beside ${beside.map(quoted).join(' ')}`]),
    ...(reason === '' ? [] : [`--reason ${quoted(reason)}`]),
  ].join(' ')
}

export function answerCommand(
  answer: Answer,
  runId: string,
  tier: Pick<RecoveryTierRecord, 'key' | 'waitsFor'> | null,
): string {
  const wait = `${tier?.key ?? ''} ${tier?.waitsFor?.id ?? ''}`
  if (answer === 'approve') return `holdfast recovery-plan approve ${runId} ${wait}`
  if (tier === null) return `holdfast recovery-plan abort ${runId} --${answer}`
  return `holdfast recovery-plan choose ${runId} ${wait} ${answer}`
}

/** `databases and mail, then web` */
export function orderWords(stages: readonly (readonly string[])[]): string {
  return stages.map((stage) => stage.join(' and ')).join(', then ')
}
