import { expect, it } from 'vitest'
import { replications } from '#lib/fixtures/replications.ts'
import {
  actCommand,
  actsOf,
  canCycle,
  changeCommands,
  createCommand,
  effectsOf,
  rpoMsOf,
  standbyLook,
} from './words.ts'

const [one] = replications
if (one === undefined) throw new Error('no fixture')

it('a standby that is late says so, and one whose source may run as well is a failure', () => {
  expect(standbyLook(one)).toMatchObject({ tone: 'ok', word: 'Following' })
  expect(standbyLook({ ...one, lagMs: null })).toMatchObject({ tone: 'warn', word: 'Stands still' })
  expect(standbyLook({ ...one, isLate: true })).toMatchObject({ tone: 'fail' })
  expect(standbyLook({ ...one, state: 'failed-over', fence: 'off' })).toMatchObject({ tone: 'warn' })
  expect(standbyLook({ ...one, state: 'failed-over', fence: 'unreachable' })).toMatchObject({ tone: 'fail' })
  expect(standbyLook({ ...one, state: 'failing-over', doing: null })).toMatchObject({ tone: 'fail' })
  expect(standbyLook({ ...one, state: 'failing-over', doing: 'failover' })).toMatchObject({ tone: 'run' })
})

it('offers only what makes sense, and says what each does and how to say it on the command line', () => {
  expect(actsOf({ state: 'failing-over', doing: 'failover', lagMs: null })).toEqual([])
  expect(actsOf({ state: 'following', doing: null, lagMs: null })).toEqual(['test', 'remove'])
  expect(actsOf({ state: 'failing-over', doing: null, lagMs: null })).toEqual([
    'unplanned',
    'failback',
    'accept',
    'remove',
  ])
  expect(actsOf({ state: 'failed-over', doing: null, lagMs: null })).toEqual(['failback', 'accept'])
  for (const act of ['test', 'planned', 'unplanned', 'failback', 'accept', 'remove'] as const)
    expect(effectsOf(one, act).length).toBeGreaterThan(1)
  expect(actCommand(one, 'planned')).toBe(`holdfast replication failover ${one.id} --planned --confirm ${one.vmName}`)
  expect(actCommand({ ...one, vmName: 'my vm' }, 'remove')).toContain("--confirm 'my vm'")
})

it('an unplanned failover says how much is lost before it is asked for', () => {
  const said = (over: object): string =>
    effectsOf({ ...one, ...over }, 'unplanned')
      .map(({ text }) => text)
      .join('; ')
  expect(said({ lagMs: 120_000 })).toContain(`the last 2 min of ${one.vmName} are not in it, and are lost`)
  expect(said({ lagMs: null })).toContain(`what ${one.vmName} wrote after it is not in it`)
  expect(said({ headMs: null })).toContain('there is nothing to start')
})

it('how far it may be behind is from a minute to a week, and each change is a line', () => {
  expect(['5', '0.5', '1', '', 'x', '10080', '10081'].map(rpoMsOf)).toEqual([
    ...[300_000, null, 60_000, null, null, 604_800_000, null],
  ])
  expect(changeCommands(one, { rpoMs: one.rpoMs, isPaused: one.isPaused })).toEqual([])
  expect(changeCommands(one, { rpoMs: 90_000, isPaused: true })).toEqual([
    `holdfast replication set ${one.id} --rpo 90`,
    `holdfast replication pause ${one.id}`,
  ])
  expect(createCommand({ vm: 'web 1', hypervisor: 'paris', name: '', rpoMinutes: '2' })).toBe(
    "holdfast replication create 'web 1' --to paris --rpo 120",
  )
})

it('a cycle is offered where the guest may be at its source and nothing else is under way', () => {
  const can = (state: typeof one.state, doing: typeof one.doing) => canCycle({ state, doing })
  expect([can('following', null), can('seeding', null), can('failing-over', null)]).toEqual([true, true, true])
  expect([can('following', 'cycle'), can('failed-over', null)]).toEqual([false, false])
})
