import { quoted } from '#lib/act/commands.ts'
import type { Replication, ReplicationMove } from '#lib/api/types.ts'
import { formatDuration } from '#lib/format/index.ts'
import { look, type Look } from '#lib/state/tone.ts'

export type Act = ReplicationMove['move'] | 'test'

export function standbyLook({ state, doing, isPaused, isLate, lagMs, error, fence }: Replication): Look {
  if (state === 'failed-over')
    return fence === 'unreachable' ? look('fail', 'Two may run') : look('warn', 'Failed over')
  if (doing === null && (state === 'failing-over' || state === 'failing-back')) return look('fail', 'Who runs?')
  if (state === 'failing-over') return look('run', 'Failing over')
  if (state === 'failing-back') return look('run', 'Failing back')
  if (lagMs === null) return look('warn', 'Stands still', 'pause')
  if (isLate) return look('fail', 'Late', 'clock')
  if (isPaused) return look('idle', 'Paused', 'pause')
  if (error !== null) return look('warn', 'Cycle failed')
  return state === 'seeding' ? look('run', 'Seeding') : look('ok', 'Following')
}

/** What may be asked of the pair as it stands. */
export function actsOf({ state, doing, lagMs }: Pick<Replication, 'state' | 'doing' | 'lagMs'>): readonly Act[] {
  // The guest is at another standby of its VM.
  if (state === 'following' && lagMs === null) return ['test', 'remove']
  if (state === 'following') return ['test', 'planned', 'unplanned', 'remove']
  if (state === 'seeding') return ['remove']
  if (state === 'failed-over') return ['failback', 'accept']
  // Its run has ended without saying who runs: the standby's own record refuses what does not fit.
  return doing === null ? ['unplanned', 'failback', 'accept', 'remove'] : []
}

/** Whether a cycle may be asked for: nothing else is under way, and the guest may be at its source. */
export function canCycle({ state, doing }: Pick<Replication, 'state' | 'doing'>): boolean {
  return doing === null && state !== 'failed-over'
}

export const actWords: { readonly [act in Act]: string } = {
  test: 'Test',
  planned: 'Planned failover',
  unplanned: 'Unplanned failover',
  failback: 'Fail back',
  accept: 'Accept',
  remove: 'Remove',
}

interface Effect {
  readonly icon: 'plus' | 'lock' | 'x' | 'retry'
  readonly tone: 'ok' | 'idle' | 'warn'
  readonly text: string
}

/** What will happen, what it touches, and what cannot be undone. */
export function effectsOf(one: Replication, act: Act): readonly Effect[] {
  const { name, vmName, hypervisorName, sourceHypervisorName } = one
  switch (act) {
    case 'test':
      return [
        { icon: 'plus', tone: 'ok', text: `boots a copy of ${name} on a network that reaches nothing` },
        { icon: 'lock', tone: 'idle', text: `${vmName} runs on, and ${name} goes on to follow it` },
        { icon: 'x', tone: 'idle', text: 'removes the copy when its guest has answered' },
      ]
    case 'planned':
      return [
        { icon: 'x', tone: 'warn', text: `shuts ${vmName} down on ${sourceHypervisorName}` },
        {
          icon: 'plus',
          tone: 'ok',
          text: `brings its last state over and starts ${name} on ${hypervisorName}; nothing is lost`,
        },
        { icon: 'retry', tone: 'ok', text: `if that fails, ${vmName} is started again` },
      ]
    case 'unplanned':
      return [
        { icon: 'plus', tone: 'ok', text: `starts ${name} on ${hypervisorName} in the last state that came whole` },
        { icon: 'x', tone: 'warn', text: lostOf(one) },
        {
          icon: 'x',
          tone: 'warn',
          text: `pulls the plug of ${vmName} on ${sourceHypervisorName}, if it can be reached`,
        },
      ]
    case 'failback':
      return [
        {
          icon: 'plus',
          tone: 'ok',
          text: `brings what ${name} holds into new disks of ${vmName} on ${sourceHypervisorName}`,
        },
        { icon: 'x', tone: 'warn', text: `shuts ${name} down for the last of it, then starts ${vmName}` },
        { icon: 'lock', tone: 'idle', text: `the old disks of ${vmName} are kept beside the new ones` },
      ]
    case 'accept':
      return [
        { icon: 'lock', tone: 'idle', text: `${name} stays where it runs` },
        { icon: 'x', tone: 'warn', text: 'nothing follows it any more, and there is no way back by itself' },
      ]
    case 'remove':
      return [
        { icon: 'x', tone: 'warn', text: `removes ${name} from ${hypervisorName} with all its states` },
        { icon: 'lock', tone: 'idle', text: `${vmName} and its recovery points are not touched` },
      ]
  }
}

/** How old the state is that would take over. */
function lostOf({ headMs, lagMs, vmName }: Replication): string {
  if (headMs === null) return 'no state has come whole yet: there is nothing to start'
  if (lagMs === null) return `what ${vmName} wrote after it is not in it`
  return `the last ${formatDuration(lagMs)} of ${vmName} are not in it, and are lost`
}

/** A standby as the form has it: text as somebody types it. */
export interface StandbyDraft {
  readonly vm: string
  readonly hypervisor: string
  readonly name: string
  readonly rpoMinutes: string
}

/** What the API takes: from a minute to a week. */
export function rpoMsOf(minutes: string): number | null {
  const ms = Number(minutes) * 60_000
  return Number.isFinite(ms) && ms >= 60_000 && ms <= 7 * 86_400_000 ? Math.round(ms) : null
}

export function createCommand({ vm, hypervisor, name, rpoMinutes }: StandbyDraft): string {
  const rpo = Math.round((rpoMsOf(rpoMinutes) ?? 300_000) / 1000)
  const called = name.trim() === '' ? '' : ` --name ${quoted(name.trim())}`
  return `holdfast replication create ${quoted(vm || 'VM')} --to ${quoted(hypervisor || 'HYPERVISOR')}${called} --rpo ${rpo}`
}

/** One line for each thing that differs from how it is. */
export function changeCommands(
  { id, rpoMs, isPaused }: Pick<Replication, 'id' | 'rpoMs' | 'isPaused'>,
  wish: { readonly rpoMs: number | null; readonly isPaused: boolean },
): string[] {
  return [
    ...(wish.rpoMs !== null && wish.rpoMs !== rpoMs
      ? [`holdfast replication set ${id} --rpo ${wish.rpoMs / 1000}`]
      : []),
    ...(wish.isPaused === isPaused ? [] : [`holdfast replication ${wish.isPaused ? 'pause' : 'resume'} ${id}`]),
  ]
}

export function actCommand({ vmName, id }: Pick<Replication, 'vmName' | 'id'>, act: Act): string {
  if (act === 'test') return `holdfast replication test ${id}`
  const verb = act === 'planned' || act === 'unplanned' ? `failover ${id} --${act}` : `${act} ${id}`
  return `holdfast replication ${verb} --confirm ${quoted(vmName)}`
}
