import type { Replication, ReplicationMove } from '#lib/api/types.ts'
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
        { icon: 'x', tone: 'warn', text: 'what was written since is not in it' },
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

export function actCommand({ vmName, id }: Pick<Replication, 'vmName' | 'id'>, act: Act): string {
  const word = /^[A-Za-z0-9._-]+$/.test(vmName) ? vmName : `'${vmName}'`
  if (act === 'test') return `holdfast replication test ${id}`
  const verb = act === 'planned' || act === 'unplanned' ? `failover ${id} --${act}` : `${act} ${id}`
  return `holdfast replication ${verb} --confirm ${word}`
}
