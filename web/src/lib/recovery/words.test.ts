import { expect, it } from 'vitest'
import { draftOf, networksFrom, networksText, newTier, nextKey, stepsFrom, stepsText } from './draft.ts'
import type { RecoveryPlan } from '#lib/api/types.ts'
import { answerCommand, answersTo, orderWords, planLook, startCommand } from './words.ts'

const wait = (kind: 'step' | 'choice') => ({ waitsFor: { id: 'x', kind, title: '', detail: '', sinceMs: 0 } })

it('offers only what may be answered', () => {
  expect(answersTo({ waitsFor: null }, 'run')).toEqual([])
  expect(answersTo(wait('step'), 'run')).toEqual(['approve'])
  expect(answersTo(wait('choice'), 'rehearse')).not.toContain('hand-over')
  expect(answersTo(wait('choice'), 'run')).toContain('hand-over')
})

it('is green only for a rehearsal of what the plan says now', () => {
  const look = (last: object) =>
    planLook({
      ...{ running: null, isOverdue: false, check: { stages: [], findings: [] } },
      lastRehearsal: { state: 'passed', isCurrent: true, skipped: false, ...last },
    } as unknown as RecoveryPlan)
  expect(look({})).toMatchObject({ tone: 'ok', word: 'Rehearsed' })
  expect(look({ skipped: true })).toMatchObject({ word: 'Rehearsed without people' })
  expect(look({ isCurrent: false })).toMatchObject({ tone: 'warn', word: 'Changed since its rehearsal' })
})

it('says the same as a command', () => {
  expect(answerCommand('approve', 'r', { key: 'db', ...wait('step') })).toBe('holdfast recovery-plan approve r db x')
  expect(answerCommand('retry', 'r', { key: 'db', ...wait('choice') })).toBe(
    'holdfast recovery-plan choose r db x retry',
  )
  expect(answerCommand('clean-up', 'r', null)).toBe('holdfast recovery-plan abort r --clean-up')
  const plan = { id: 'the-shop', spec: { name: "Bob's shop" } }
  const bare = { mode: 'rehearse', until: '', withoutPeople: false, beside: [], reason: '' } as const
  expect(startCommand(plan, { ...bare, withoutPeople: true })).toBe(
    'holdfast recovery-plan rehearse the-shop --without-people',
  )
  expect(startCommand(plan, { ...bare, mode: 'run', until: '2026-11-20T22:00:00Z', reason: 'the fire' })).toBe(
    `holdfast recovery-plan run the-shop --confirm 'Bob'\\''s shop' --until 2026-11-20T22:00:00.000Z --reason 'the fire'`,
  )
  expect(startCommand(plan, { ...bare, mode: 'run', beside: ['db-01', 'web-01'] })).toContain(' --beside db-01 web-01')
  expect(orderWords([['db', 'mail'], ['web']])).toBe('db and mail, then web')
})

it('lines become steps and networks, and the other way', () => {
  const steps = [
    { title: 'Call', detail: 'the provider: 555' },
    { title: 'Look', detail: '' },
  ]
  expect(stepsFrom(stepsText(steps))).toEqual(steps)
  expect(stepsFrom('\n  \n')).toEqual([])
  const networks = [
    { from: 'lan', to: 'dr' },
    { from: 'dmz', to: null },
  ]
  expect(networksFrom(networksText(networks))).toEqual(networks)
})

it('a definition that leaves things out is whole in the editor, and keys are never used twice', () => {
  const draft = draftOf({ name: 'a', tiers: [{ key: 'db', members: [{ vmId: 'v' }] }] })
  expect(draft).toMatchObject({
    atOnce: 2,
    identity: 'new',
    tiers: [{ name: 'db', needs: 'checks', members: [{ vmId: 'v', name: null }] }],
  })
  expect(nextKey([newTier('a'), newTier('tier-3')])).toBe('tier-4')
})
