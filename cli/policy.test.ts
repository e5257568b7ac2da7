import { aPoint, testNow } from '../catalog/testing.ts'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { bench, type Bench } from '../api/testing/bench.ts'
import { exit } from './exit-codes.ts'
import { ran, type Ran } from './testing.ts'

let here: Bench
let folder: string
beforeEach(() => {
  here = bench({ vms: ['web-01', 'db-01'] })
  folder = mkdtempSync(join(tmpdir(), 'holdfast-policy-'))
})
afterEach(() => {
  here[Symbol.dispose]()
  rmSync(folder, { recursive: true, force: true })
})

const holdfast = (...argv: string[]): Promise<Ran> => ran(here, argv)

function fileOf(text: string): string {
  const path = join(folder, 'policy.yaml')
  writeFileSync(path, text)
  return path
}
const nightly = `version: 1
plans:
  nightly:
    where: [{ field: name, is: ['web-*'] }]
    timeZone: Europe/Paris
    schedule: { kind: calendar, at: ['02:30'] }
    targets: [{ repository: main, keep: { daily: 14 } }]
`

test('the difference is shown with an exit code of its own, applied once, and then there is none', async () => {
  const file = fileOf(nightly)
  const before = await holdfast('plan', '-f', file)
  expect(before.code).toBe(exit.differs)
  expect(before.out).toContain('+ plan nightly would be created')
  expect(before.out).toContain('    targets.0.keep.daily: (nothing) → 14')
  expect(here.catalog.plans.all()).toEqual([])
  const applied = await holdfast('apply', '-f', file)
  expect([applied.code, applied.out]).toEqual([exit.ok, expect.stringContaining('+ plan nightly was created')])
  const after = await holdfast('plan', '-f', file)
  expect([after.code, after.out]).toEqual([exit.ok, 'Nothing to change: everything is as the file says.\n'])
  const changed = await holdfast('plan', '-f', fileOf(nightly.replace('daily: 14', 'daily: 7')))
  expect([changed.code, changed.out]).toEqual([
    exit.differs,
    '~ plan nightly would be changed\n    targets.0.keep.daily: 14 → 7\n' +
      '  plan nightly: the next sweep of main would let no point go that it keeps today\n',
  ])
  for (let n = 1; n <= 9; n++)
    here.catalog.points.record(aPoint(n, { createdMs: testNow - n * 86_400_000, plan: 'nightly', origin: 'scheduled' }))
  const fewer = await holdfast('plan', '-f', fileOf(nightly.replace('daily: 14', 'daily: 7')))
  expect(fewer.out).toContain('would let 2 points of 1 VM go')
})

test('what is exported changes nothing when it is applied', async () => {
  await holdfast('apply', '-f', fileOf(nightly))
  here.catalog.vms.change('db-01', { category: 'critical', override: { quiesce: 'none' } })
  const { out } = await holdfast('config', 'export')
  expect(out).toContain('nightly:')
  expect(out).toContain('quiesce: none')
  expect((await holdfast('plan', '--prune', '-f', fileOf(out))).code).toBe(exit.ok)
  const { out: one } = await holdfast('config', 'export', '--plan', 'nightly')
  expect(one).not.toContain('critical')
})

test('what is not in the file stays and is listed; pruning removes it', async () => {
  await holdfast('apply', '-f', fileOf(nightly))
  const empty = fileOf('version: 1\nplans: {}\n')
  const kept = await holdfast('apply', '-f', empty)
  expect([kept.code, kept.out]).toEqual([0, expect.stringContaining('plan nightly is not in the file and stays')])
  expect(here.catalog.plans.all()).toHaveLength(1)
  expect((await holdfast('apply', '--prune', '-f', empty)).out).toContain('- plan nightly was removed')
  expect(here.catalog.plans.all()).toEqual([])
})

test('a mistake is told with line and column and the usage exit code, a missing file by its name', async () => {
  const wrong = await holdfast('apply', '-f', fileOf(nightly.replace('daily', 'dialy')))
  expect([wrong.code, wrong.err]).toEqual([
    exit.usage,
    expect.stringContaining('7:43: dialy is not known here. Did you mean daily?'),
  ])
  const missing = await holdfast('plan', '-f', join(folder, 'nothing.yaml'))
  expect([missing.code, missing.err]).toEqual([exit.usage, expect.stringContaining('nothing.yaml')])
  expect((await holdfast('plan')).code).toBe(exit.usage)
})

test('plans and categories are listed, and one plan is shown with its times and what it needs', async () => {
  expect((await holdfast('plans')).out).toContain('There is no plan yet')
  await holdfast('apply', '-f', fileOf(nightly))
  expect((await holdfast('plans')).out).toMatch(/nightly +every day at 02:30 \(Europe\/Paris\) +.* 1 +1 +main/)
  const { out } = await holdfast('plan', 'show', 'nightly')
  expect(out).toContain('2026-11-22T02:30:00+01:00')
  expect(out).toContain('main: 14 points of each VM')
  expect((await holdfast('plan', 'show', 'nothing')).code).toBe(exit.notFound)
  expect(out).not.toContain('Last 7 days')
  here.catalog.points.record(aPoint(1, { plan: 'nightly', origin: 'scheduled', consistency: 'crash' }))
  expect((await holdfast('plan', 'show', 'nightly')).out).toMatch(
    /Last 7 days:\n +0 runs, 0 failed\n +1 points, \d with a disk read in full\n[^]* 1 are less consistent than wanted/,
  )
  const started = await holdfast('plans', 'run', 'nightly', '--reason', 'before the move')
  expect([started.code, started.out]).toEqual([exit.ok, expect.stringMatching(/^Started plan\/nightly\//)])
  expect((await holdfast('plans', 'run', 'nightly')).code).toBe(exit.conflict)
  expect((await holdfast('runs', '--plan', 'nightly')).out).toContain('plan/nightly/')
  expect((await holdfast('plans')).out).toMatch(/nightly .* in 18 h 53 min/)
  here.clock.ms += 12 * 3_600_000
  expect((await holdfast('status')).out).toMatch(/Next 12 hours:\n +in 6 h 53 min · nightly/)
  expect((await holdfast('categories')).out).toMatch(/critical +0 +4 h +2 h +required +30 daily, 12 weekly, 12 monthly/)
})

test('a plan takes a VM that is named to it, after it was said what that changes', async () => {
  await holdfast('apply', '-f', fileOf(nightly))
  const { plans, vms } = here.catalog
  const [first, second] = vms.list({ limit: 9 }).items
  plans.put({ ...plans.get('nightly'), where: [{ field: 'name', is: [first?.name ?? ''] }] }, null)
  const dry = await holdfast('plans', 'join', 'nightly', first?.id ?? '', second?.id ?? '', '--dry-run')
  expect([dry.code, dry.out]).toEqual([
    exit.ok,
    expect.stringMatching(/taken already[^]*would join +its name is added/),
  ])
  expect((await holdfast('plans', 'join', 'nightly', second?.id ?? '')).out).toContain('joined')
  expect(plans.get('nightly').where).toEqual([{ field: 'name', is: [first?.name, second?.name] }])
  plans.put({ ...plans.get('nightly'), where: [{ field: 'site', isNot: ['local'] }] }, null)
  const refused = await holdfast('plans', 'join', 'nightly', first?.id ?? '')
  expect([refused.code, refused.out]).toEqual([exit.partial, expect.stringContaining('site is not local')])
})

test('a plan is paused and resumed, and removed only by its name, after it was said what follows', async () => {
  await holdfast('apply', '-f', fileOf(nightly))
  const paused = await holdfast('plan', 'pause', 'nightly')
  expect([paused.code, paused.out]).toEqual([exit.ok, expect.stringContaining('holdfast plan resume nightly')])
  expect(here.catalog.plans.get('nightly').paused).toBe(true)
  expect((await holdfast('plan', 'resume', 'nightly')).out).toBe(
    'nightly starts every day at 02:30 (Europe/Paris), next in 18 h 53 min.\n',
  )
  const asked = await holdfast('plan', 'rm', 'nightly')
  expect([asked.code, asked.err]).toEqual([exit.usage, expect.stringContaining('No other plan takes web-01')])
  expect(asked.err).toContain('--confirm nightly')
  expect((await holdfast('plan', 'rm', 'nightly', '--confirm', 'nightli')).code).toBe(exit.usage)
  expect(here.catalog.plans.all()).toHaveLength(1)
  const removed = await holdfast('plan', 'rm', 'nightly', '--confirm', 'nightly')
  expect([removed.code, removed.out]).toEqual([
    exit.ok,
    expect.stringMatching(/^nightly is removed\.\nIts points stay/),
  ])
  expect(here.catalog.plans.all()).toEqual([])
  expect((await holdfast('plan', 'rm', 'nightly', '--confirm', 'nightly')).code).toBe(exit.notFound)
})

test('what holds for one VM is set, taken back, and shown with where it comes from', async () => {
  const set = await holdfast(
    ...['vm', 'set', 'web-01', '--rpo', '1h', '--keep', 'daily=30,within=2d', '--category', 'critical'],
    ...['--disks', 'data', '--without-disk', 'scratch*', 'swap'],
  )
  expect([set.code, set.out]).toEqual([exit.ok, expect.stringMatching(/RPO +1 h +set on this VM/)])
  const kept = { keep: { daily: 30, withinMs: 172_800_000 } }
  const disks = { roles: 'data', exclude: [{ label: 'scratch*' }, { label: 'swap' }], include: [], honourNobak: true }
  expect(here.catalog.vms.get('web-01')).toMatchObject({
    category: 'critical',
    override: { rpoMs: 3_600_000, ...kept, disks },
  })
  await holdfast('vm', 'set', 'web-01', '--unset', 'rpo', 'disks', '--quiesce', 'none')
  expect(here.catalog.vms.get('web-01').override).toEqual({ ...kept, quiesce: 'none' })
  expect((await holdfast('vm', 'show', 'web-01')).out).toMatch(/RPO +4 h +category critical/)
  for (const wrong of [['--rpo', 'soon'], ['--keep', 'dayly=3'], ['--keep', 'daily'], ['--keep', 'daily=0'], []])
    expect((await holdfast('vm', 'set', 'web-01', ...wrong)).code).toBe(exit.usage)
  expect(here.catalog.vms.get('web-01').override).toEqual({ ...kept, quiesce: 'none' })
})

test('a VM is left out with a reason, until a day, and protected again', async () => {
  expect((await holdfast('vm', 'exclude', 'web-01')).code).toBe(exit.usage)
  const out = await holdfast('vm', 'exclude', 'web-01', '--reason', 'moves', '--until', '2026-12-01')
  expect([out.code, out.out]).toEqual([
    exit.ok,
    expect.stringContaining('web-01 is left out on purpose, until 2026-12-01'),
  ])
  expect(here.catalog.vms.get('web-01').excludedUntilMs).toBe(Date.parse('2026-12-01'))
  expect((await holdfast('vms', 'web-01')).out).toContain('Left out on purpose: moves, until 2026-12-01.')
  const past = await holdfast('vm', 'exclude', 'web-01', '--reason', 'moves', '--until', '2020-01-01')
  expect([past.code, past.err]).toEqual([exit.usage, expect.stringContaining('a time that is over')])
  const back = await holdfast('vm', 'include', 'web-01')
  expect([back.code, back.out]).toEqual([exit.ok, expect.not.stringContaining('left out')])
  expect(here.catalog.vms.get('web-01')).toMatchObject({ excludedReason: null, excludedUntilMs: null })
})

test('schedules tell when plans start in both times, what did not come, and whether Temporal has them as they say', async () => {
  expect((await holdfast('schedules')).out).toContain('There is no plan yet')
  await holdfast('apply', '-f', fileOf(nightly))
  here.schedules.state = {
    ...here.schedules.state,
    lookedMs: testNow,
    unknown: ['old'],
    putRight: [{ plan: 'nightly', what: 'deleted', atMs: testNow }],
  }
  here.clock.ms += 60_000
  here.catalog.planStarts.record('nightly', testNow, [{ dueMs: testNow - 3_600_000, kind: 'skipped' }])
  const { code, out } = await holdfast('schedules')
  expect([code, out]).toEqual([exit.ok, expect.stringContaining('2026-11-22T02:30:00+01:00  2026-11-22T01:30')])
  expect(out).toMatch(/never +1 +not compared since it was changed; had been deleted, put right 1 min ago/)
  expect(out).toContain('Temporal has schedules of plans that nobody knows: old.')
  expect(out).toContain('Compared with Temporal 1 min ago.')
})

test('a category is made, changed member by member, and removed while no VM has it', async () => {
  expect((await holdfast('category', 'set', 'payroll', '--rpo', '2h')).code).toBe(exit.usage)
  const made = await holdfast('category', 'set', 'payroll', '--rpo', '2h', '--keep', 'daily=31,within=2d')
  expect([made.code, made.out]).toEqual([exit.ok, expect.stringMatching(/Keeps +31 daily, everything of 2d/)])
  await holdfast(
    'category',
    'set',
    'payroll',
    '--copies',
    'repositories=2,offSite=1',
    '--rto',
    '1h',
    '--drill-every',
    '31d',
  )
  await holdfast('category', 'set', 'payroll', '--rto', 'none', '--boot-timeout', '10m', '--quiesce', 'required')
  const { vms: _v, createdMs: _c, changedMs: _m, ...payroll } = here.catalog.categories.get('payroll')
  expect(payroll).toEqual({
    ...{ name: 'payroll', revision: 3, description: '', everyMs: null, quiesce: 'required' },
    ...{ rpoMs: 7_200_000, rtoMs: null, keep: { daily: 31, withinMs: 172_800_000 } },
    ...{ copies: { repositories: 2, media: 1, offSite: 1, immutable: 0 }, drillEveryMs: 31 * 86_400_000 },
    ...{ exerciseEveryMs: null, drill: { bootTimeoutMs: 600_000 } },
  })
  expect((await holdfast('category', 'show', 'payroll')).out).toMatch(/Copies +2, on 1 kinds of media, 1 off site/)
  expect((await holdfast('category', 'set', 'payroll', '--copies', 'immutable=3')).code).toBe(exit.usage)
  expect((await holdfast('category', 'set', 'payroll', '--copies', 'colour=3')).code).toBe(exit.usage)
  here.catalog.vms.change('web-01', { category: 'payroll' })
  expect((await holdfast('category', 'rm', 'payroll')).code).toBe(exit.conflict)
  here.catalog.vms.change('web-01', { category: 'standard' })
  expect((await holdfast('category', 'rm', 'payroll')).out).toBe('payroll is removed.\n')
  expect((await holdfast('category', 'rm', 'critical')).code).toBe(exit.conflict)
  expect((await holdfast('category', 'show', 'payroll')).code).toBe(exit.notFound)
})

test.each([
  { what: 'a category that would keep less', set: ['category', 'set', 'standard'] },
  { what: 'what is set for one VM', set: ['vm', 'set', 'web-01'] },
])('$what says what would go, and with --dry-run changes nothing', async ({ set }) => {
  for (let n = 1; n <= 9; n++)
    here.catalog.points.record(aPoint(n, { createdMs: testNow - n * 86_400_000, plan: null, origin: 'scheduled' }))
  const saved = () => [here.catalog.categories.get('standard'), here.catalog.vms.get('web-01')]
  const before = saved()
  const dry = await holdfast(...set, '--keep', 'daily=4', '--dry-run')
  expect([dry.code, dry.out]).toEqual([
    exit.ok,
    'The next sweep of main would let 5 points of 1 VM go that it keeps today.\n',
  ])
  expect((await holdfast(...set, '--rto', '1h', '--dry-run')).out).toContain('lets no point go')
  expect((await holdfast(...set, '--keep', 'manual=4', '--dry-run')).out).toContain('keep nothing')
  expect(saved()).toEqual(before)
  await holdfast(...set, '--keep', 'daily=4')
  expect((await holdfast(...set, '--keep', 'daily=3', '--dry-run')).out).toContain('let 1 point of 1 VM')
})
