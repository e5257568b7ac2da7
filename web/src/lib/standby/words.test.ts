import { expect, it } from 'vitest'
import { replications } from '#lib/fixtures/replications.ts'
import { actCommand, actsOf, effectsOf, standbyLook } from './words.ts'

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
