import { afterEach, beforeEach, expect, it } from 'vitest'
import { aPoint, pointIdOf, testNow } from '../catalog/testing.ts'
import { ran } from '../cli/testing.ts'
import { planDefaults } from '../policy/index.ts'
import { bench, type Bench } from './testing/bench.ts'

const day = 86_400_000
const id = pointIdOf(1)
const pair = { sourceId: 'main', targetId: 'offsite' } as const
let here: Bench
let out = ''
beforeEach(() => {
  here = bench()
  const location = { kind: 's3', url: 's3://offsite/holdfast' } as const
  here.catalog.repositories.add({ name: 'offsite', site: 'local', location, credentialRef: 'file:/secrets/offsite' })
  here.catalog.points.record(aPoint(1))
  here.catalog.vms.change('web-01', { category: 'critical' })
})
afterEach(() => here[Symbol.dispose]())

const codes = async (): Promise<string[]> =>
  (await here.get<{ weaknesses: { code: string }[] }>('/api/v1/vms/web-01')).weaknesses
    .map(({ code }) => code)
    .filter((code) => /^(too-few|not-)/.test(code))
const needs = async () =>
  (await here.get<{ needsYou: { kind: string; title: string; detail: string }[] }>('/api/v1/overview')).needsYou.filter(
    ({ kind }) => kind === 'copies-short',
  )
const found = (over: object = {}): void =>
  here.catalog.copies.found({
    ...{ pointId: id, repositoryId: 'offsite', stem: aPoint(1).stem, sourceId: 'main', validatedMs: testNow },
    ...{ lockUntilMs: null, ...over },
  })
async function holdfast(...argv: readonly string[]): Promise<number> {
  const { code, ...said } = await ran(here, argv)
  out = said.out + said.err
  return code
}

it('a critical VM with one copy is told as such, until its category has what it promises', async () => {
  expect(await codes()).toEqual(['too-few-copies', 'not-off-site', 'not-immutable'])
  expect(await needs()).toMatchObject([
    {
      title: '1 VM of the category critical has fewer copies than promised',
      detail:
        '1 in fewer repositories, 1 with fewer copies off site, 1 with fewer immutable copies: web-01. The page of each says what helps.',
    },
  ])
  // On its way: that it is late or has failed is told by itself.
  here.catalog.mirrors.want(pair, id, false)
  expect(await codes()).toEqual(['not-off-site', 'not-immutable'])
  expect(await holdfast('repository', 'set', 'offsite', '--stands-at', 'paris')).toBe(0)
  expect(out).toContain('offsite is on an object store and stands at paris.')
  expect(await codes()).toEqual(['not-immutable'])
  found({ lockUntilMs: here.clock.ms + 30 * day })
  expect([await codes(), await needs()]).toEqual([[], []])
  expect(await holdfast('vms', 'web-01')).toBe(0)
  expect(out).not.toContain('immutable')
})

it('a lock that has run out, a copy that vanished and a repository that came home count no more', async () => {
  here.catalog.repositories.describe('offsite', { standsAt: 'paris' })
  found({ lockUntilMs: here.clock.ms + 2 * day })
  expect(await codes()).toEqual([])
  here.clock.ms += 3 * day
  expect(await codes()).toEqual(['not-immutable'])
  expect(await needs()).toHaveLength(1)
  expect(await holdfast('repository', 'set', 'offsite', '--stands-at', 'local')).toBe(0)
  expect(here.catalog.repositories.get('offsite').standsAt).toBeNull()
  expect(await codes()).toEqual(['not-off-site', 'not-immutable'])
  here.catalog.points.recordGone(id, here.clock.ms, 'offsite')
  expect(await codes()).toEqual(['too-few-copies', 'not-off-site', 'not-immutable'])
  expect(await holdfast('vms', 'web-01')).toBe(0)
  expect(out).toContain('! Fewer of its copies are immutable than its category promises.')
})

it('a repository that another site reaches from now on stands where it stood, is to be tested again, and is read from there', async () => {
  here.catalog.repositories.recordTest('offsite', {
    ...{ passed: true, testedMs: here.clock.ms, repositoryUuid: null, checks: [], error: null, security: null },
  } as never)
  expect(await holdfast('repository', 'set', 'offsite', '--stands-at', 'paris')).toBe(0)
  expect(await holdfast('repository', 'set', 'offsite', '--site', 'rome', '--credential', 'file:/srv/rome')).toBe(0)
  expect(out).toContain('offsite is on an object store and stands at paris.\nWorkers of rome reach it from now on.')
  expect(here.catalog.repositories.get('offsite')).toMatchObject({
    ...{ site: 'rome', standsAt: 'paris', credentialRef: 'file:/srv/rome', test: null },
  })
  expect(here.catalog.sites.find('rome')).toBeDefined()
  // Where it stood was not said, and is the site that it leaves.
  expect(await holdfast('repository', 'set', 'main', '--site', 'rome')).toBe(0)
  expect(here.catalog.repositories.get('main')).toMatchObject({ site: 'rome', standsAt: 'local' })
  expect(await holdfast('repository', 'set', 'main', '--site', 'local')).toBe(0)
  expect(here.catalog.repositories.get('main')).toMatchObject({ site: 'local', standsAt: null })
})

it('what is not yet there counts as locked only where a test has seen that its repository locks', async () => {
  here.catalog.repositories.describe('offsite', { standsAt: 'paris' })
  here.catalog.mirrors.want(pair, id, false)
  expect(await codes()).toEqual(['not-immutable'])
  const security = { kekGen: 1, isComplete: true, damaged: 0, slots: [], lock: { mode: 'compliance', days: 30 } }
  const test = { passed: true, testedMs: here.clock.ms, repositoryUuid: null, checks: [], error: null, security }
  here.catalog.repositories.recordTest('offsite', test as never)
  expect(await codes()).toEqual([])
})

it('kinds of media are told apart, and left out or without a point no VM is told', async () => {
  here.catalog.repositories.describe('offsite', { standsAt: 'paris', media: 'disk' })
  found({ lockUntilMs: here.clock.ms + 30 * day })
  const critical = here.catalog.categories.get('critical')
  here.catalog.categories.put('critical', { ...critical, copies: { ...critical.copies, media: 2 } }, null)
  expect(await codes()).toEqual(['too-few-media'])
  expect(await holdfast('repository', 'set', 'offsite', '--media', 'object')).toBe(0)
  expect(await codes()).toEqual([])
  expect((await here.call('PATCH', '/api/v1/repositories/offsite', { media: 'paper' })).status).toBe(400)
  expect(await holdfast('repository', 'set', 'offsite')).not.toBe(0)
  here.catalog.repositories.describe('offsite', { media: 'disk' })
  here.catalog.vms.change('web-01', { excludedReason: 'for this test' })
  expect([await codes(), await needs()]).toEqual([[], []])
})

it('a plan says before it is saved what its targets do not give', async () => {
  const targets = [{ repository: 'main', copy: 'backup', keep: null }] as const
  const plan = { ...planDefaults, name: 'nightly', targets }
  const remarks = async () =>
    ((await (await here.call('POST', '/api/v1/plans/preview', { plan })).json()) as { remarks: string[] }).remarks
  expect(await remarks()).toEqual(
    expect.arrayContaining([
      '1 VM of the category critical want 2 copies; this plan makes 1.',
      '1 VM of the category critical want 1 off site; of the targets 0 stand elsewhere.',
      '1 VM of the category critical want 1 immutable; 0 of the targets lock their points.',
    ]),
  )
})
