import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isBack, recoveryProblems, recoveryStages, rehearsalDueMs, tiersBefore, unitedMs } from './recovery.ts'
import type { RecoveryTier } from './recovery.ts'

const tier = (key: string, over: Partial<RecoveryTier> = {}): RecoveryTier => ({
  key,
  name: key,
  after: null,
  delayMs: 0,
  before: [],
  members: [{ vmId: `vm-${key}`, hypervisorId: null, name: null }],
  needs: 'checks',
  bootTimeoutMs: 60_000,
  then: [],
  rtoMs: null,
  ...over,
})
const problems = (...tiers: RecoveryTier[]) => recoveryProblems({ tiers, networks: [] }).map(({ message }) => message)

describe('the order of tiers', () => {
  it('is that of the list where nothing else is said', () => {
    expect(recoveryStages([tier('a'), tier('b'), tier('c')])).toEqual([['a'], ['b'], ['c']])
  })

  it('follows what is said: tiers that wait for the same begin together', () => {
    const tiers = [
      tier('db'),
      tier('mail', { after: [] }),
      tier('app', { after: ['db'] }),
      tier('web', { after: ['app', 'mail'] }),
    ]
    expect(recoveryStages(tiers)).toEqual([['db', 'mail'], ['app'], ['web']])
    expect(problems(...tiers)).toEqual([])
  })

  it('puts every tier after all that it waits for, or names the circle', () => {
    const some = fc.integer({ min: 1, max: 8 }).chain((n) =>
      fc.array(fc.option(fc.uniqueArray(fc.integer({ min: 0, max: n - 1 }), { maxLength: 3 })), {
        minLength: n,
        maxLength: n,
      }),
    )
    fc.assert(
      fc.property(some, (wanted) => {
        const tiers = wanted.map((after, index) =>
          tier(`t${index}`, { after: after?.filter((other) => other !== index).map((other) => `t${other}`) ?? null }),
        )
        const stages = recoveryStages(tiers)
        const stageOf = (key: string): number => stages.findIndex((stage) => stage.includes(key))
        const ordered = stages.flat()
        expect(new Set(ordered).size).toBe(ordered.length)
        for (const [index, { key }] of tiers.entries()) {
          if (!ordered.includes(key)) continue
          for (const before of tiersBefore(tiers, index)) {
            expect(stageOf(before)).toBeGreaterThanOrEqual(0)
            expect(stageOf(before)).toBeLessThan(stageOf(key))
          }
        }
        expect(problems(...tiers).some((one) => one.includes('wait for each other'))).toBe(
          ordered.length < tiers.length,
        )
      }),
    )
  })
})

describe('a definition', () => {
  it.each([
    ['no tier', [], 'there is no tier'],
    [
      'one key twice',
      [tier('a'), tier('a', { members: [{ vmId: 'other', hypervisorId: null, name: null }] })],
      'two tiers have the key a',
    ],
    ['a VM twice', [tier('a'), tier('b', { members: tier('a').members })], 'vm-a is in the tier a already'],
    ['an unknown tier', [tier('a', { after: ['b'] })], 'there is no tier b'],
    ['itself', [tier('a', { after: ['a'] })], 'the tier a would wait for itself'],
    ['a circle', [tier('a', { after: ['b'] }), tier('b')], 'these tiers wait for each other: a, b'],
    ['nothing to do', [tier('a', { members: [] })], 'nothing happens in the tier a: it has no VM and no step'],
  ])('is refused for %s', (_what, tiers, message) => {
    expect(problems(...tiers)).toEqual([message])
  })

  it('may have a tier in which only people act, and maps a network once', () => {
    const people = tier('people', { members: [], before: [{ title: 'Switch the name servers', detail: '' }] })
    expect(problems(people)).toEqual([])
    const networks = [
      { from: 'lan', to: 'dr' },
      { from: 'lan', to: null },
    ]
    expect(recoveryProblems({ tiers: [people], networks })).toEqual([
      { at: 'networks.1', message: 'the network lan is mapped twice' },
    ])
  })

  it('has bounds', () => {
    const many = Array.from({ length: 21 }, (_, n) => tier(`t${n}`))
    expect(problems(...many)).toEqual(['there are 21 tiers; 20 are the most'])
    const members = Array.from({ length: 101 }, (_, n) => ({ vmId: `v${n}`, hypervisorId: null, name: null }))
    expect(problems(tier('a', { members }))).toEqual(['there are 101 VMs; 100 are the most'])
  })
})

it('a VM is back when it is what its tier waits for', () => {
  const seen = (verdict: 'passed' | 'failed' | 'inconclusive', guest: 'up' | 'silent' | 'absent' | 'untried') =>
    (['checks', 'answer', 'start'] as const).filter((needs) => isBack(needs, { verdict, guest }))
  expect(seen('passed', 'up')).toEqual(['checks', 'answer', 'start'])
  expect(seen('failed', 'up')).toEqual(['answer', 'start'])
  expect(seen('failed', 'silent')).toEqual(['start'])
  expect(seen('inconclusive', 'absent')).toEqual(['start'])
  expect(seen('inconclusive', 'untried')).toEqual([])
})

it('a rehearsal is due one interval after the last that passed, or after the plan was made', () => {
  expect(rehearsalDueMs({ everyMs: null, passedMs: 5, definedMs: 1 })).toBeNull()
  expect(rehearsalDueMs({ everyMs: 10, passedMs: 5, definedMs: 1 })).toBe(15)
  expect(rehearsalDueMs({ everyMs: 10, passedMs: null, definedMs: 1 })).toBe(11)
})

it('waits that overlap are waited for once', () => {
  const wait = (sinceMs: number, endedMs: number) => ({ sinceMs, endedMs })
  expect(unitedMs([])).toBe(0)
  expect(unitedMs([wait(10, 20), wait(0, 5), wait(12, 15), wait(18, 30), wait(40, 41)])).toBe(5 + 20 + 1)
})
