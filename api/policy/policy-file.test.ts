import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { isHoldfastError } from '../../base/index.ts'
import { planSpecOf } from '../../catalog/index.ts'
import { furnish, testCatalog, testNow, type TestCatalog } from '../../catalog/testing.ts'
import { allDisks, defaultCategories, linkName, planDefaults } from '../../policy/index.ts'
import { policyDocument, type PolicyDocument } from '../schemas/policy-file.ts'
import { parsePolicyFile } from './file.ts'
import { applyPolicy, currentPolicy, differenceTo, readPolicy, writePolicyFile } from './index.ts'
import { policySchemaText } from './schema.ts'
import { unlimited } from './state.ts'

let here: TestCatalog
let catalog: TestCatalog['catalog']
beforeEach(() => {
  here = testCatalog()
  ;({ catalog } = here)
  furnish(catalog, ['web-01', 'db-01'])
})
afterEach(() => here[Symbol.dispose]())

const example = readFileSync(new URL('../../docs/policy.example.yaml', import.meta.url), 'utf8')

function problemsOf(act: () => unknown): string[] {
  try {
    act()
  } catch (error) {
    if (isHoldfastError(error) && error.code === 'PolicyInvalid') return error.message.split('\n')
    throw error
  }
  return []
}

describe('reading', () => {
  test('durations and sizes carry their unit, and what is not said has its default', () => {
    const { document } = parsePolicyFile(`version: 1
plans:
  nightly:
    where: [{ field: site, is: [local] }]
    timeZone: Europe/Paris
    schedule: { kind: every, every: 4h }
    targets: [{ repository: main, keep: { daily: 7, within: 2d } }]
    fullEvery: 90d
    disks: { exclude: [{ minSize: 2TiB }] }
    bandwidth: [{ rate: 200MiB, start: '08:00', end: '19:00' }]
`)
    expect(document.plans?.['nightly']).toEqual({
      ...planDefaults,
      where: [{ field: 'site', is: ['local'] }],
      timeZone: 'Europe/Paris',
      schedule: { kind: 'every', everyMs: 14_400_000 },
      targets: [{ repository: 'main', copy: 'backup', keep: { daily: 7, withinMs: 172_800_000 } }],
      fullEveryMs: 7_776_000_000,
      disks: { ...allDisks, exclude: [{ minBytes: 2 ** 41 }] },
      bandwidth: [{ bytesPerSecond: 200 * 2 ** 20, start: '08:00', end: '19:00' }],
    })
  })

  test('what drills ask of the VMs of a category is in the file, and comes out of it as it went in', () => {
    const text = `version: 1
categories:
  critical:
    rpo: 4h
    keep: { daily: 30 }
    quiesce: required
    drill:
      bootTimeout: 10m
      checks:
        - { title: Orders, path: /usr/bin/count, count: { expected: previous, tolerance: 0.005 }, within: 2m }
        - { kind: port, title: Database, port: 5432, timeout: 5s }
`
    const { document } = parsePolicyFile(text)
    expect(document.categories?.['critical']?.drill).toMatchObject({
      bootTimeoutMs: 600_000,
      checks: [
        { kind: 'command', title: 'Orders', withinMs: 120_000, args: [] },
        { kind: 'port', timeoutMs: 5_000, withinMs: 0 },
      ],
    })
    applyPolicy(catalog, text, false, testNow)
    expect(differenceTo(catalog, document, false).changes).toEqual([])
    const written = writePolicyFile(currentPolicy(catalog))
    expect(parsePolicyFile(written).document.categories?.['critical']).toEqual(document.categories?.['critical'])
    expect(written).not.toContain('expectExit')
  })

  test('a check that is none says what is wrong with it, and what was probably meant', () => {
    const drill = (check: string): string =>
      `version: 1\ncategories: { a: { rpo: 4h, keep: { daily: 3 }, quiesce: none, drill: { checks: [${check}] } } }\n`
    expect(problemsOf(() => parsePolicyFile(drill('{ title: x, path: /x, patern: y }'))).join()).toContain(
      'patern is not known here',
    )
    expect(problemsOf(() => parsePolicyFile(drill('{ kind: port, title: x, port: 0 }')))).toEqual([
      '2:106: Too small: expected number to be >=1',
    ])
  })

  test('every problem is told at once, with line, column and what was probably meant', () => {
    const text = `version: 1
plans:
  nightly:
    where: []
    tragets: []
    targets:
      - repository: main
        keep: { dialy: 7, within: 2x }
    schedule: { kind: calendar, at: ['02:30'], zone: UTC }
    fullEveryMs: 5
    disks: { exclude: [{ minSize: 5 }] }
`
    expect(problemsOf(() => parsePolicyFile(text))).toEqual([
      '5:5: tragets is not known here. Did you mean targets?',
      '8:17: dialy is not known here. Did you mean daily?',
      expect.stringContaining('8:27: "2x" is not a duration'),
      expect.stringContaining('9:48: zone is not known here'),
      '10:5: fullEveryMs is not known here. Did you mean fullEvery?',
      expect.stringContaining('11:26: 5 is not a size'),
    ])
  })

  test.each([
    [
      'what is missing is told at what it belongs to',
      'version: 1\nplans:\n  a: { where: [] }\n',
      '3:3: targets is missing',
    ],
    ['a name said twice', 'version: 1\nplans:\n  a: {}\n  a: {}\n', '4:3: Map keys must be unique'],
    ['broken YAML', 'version: 1\nplans: [\n', '3:1:'],
    ['no YAML mapping at all', '- 1\n', '1:1:'],
    ['an empty file', '', '1:1: version is missing'],
    ['a name that is none', 'version: 1\nplans:\n  Nightly Run: {}\n', '3:3: Nightly Run is not a name'],
    [
      'a link that is named by half',
      "version: 1\nlinks:\n  main: { backup: [{ rate: 1MiB, start: '08:00', end: '09:00' }] }\n",
      "3:3: main is not a name. Write hypervisor/repository; '*' for one of them means all together",
    ],
    ['a name with * and without quotes', 'version: 1\nlinks:\n  */main: { backup: [] }\n', ':'],
    [
      'a repository of sweeps that is none',
      'version: 1\nsweeps:\n  Main: { grace: 1d }\n',
      "Write a repository, or '*'",
    ],
    ['a share that is none', 'version: 1\nsweeps:\n  main: { share: 0.5 }\n', '3:11: 0.5 is not a share. Write 50%.'],
    ['a share of more than all', 'version: 1\nsweeps: { main: { share: 120% } }\n', '2:19: a share is 1% to 100%'],
    [
      'a member of sweeps',
      'version: 1\nsweeps: { main: { grce: 1d } }\n',
      'grce is not known here. Did you mean grace?',
    ],
    ['a member of a channel', 'version: 1\nchannels: { a: { kind: slack, rout: {} } }\n', 'Did you mean route?'],
    [
      'a member of a route of a channel',
      'version: 1\nchannels: { a: { kind: slack, route: { severty: critical } } }\n',
      '2:40: severty is not known here. Did you mean severity?',
    ],
    ['aliases, which multiply', 'version: 1\nplans: { a: &x { where: [] }, b: *x }\n', '1:1: anchors and aliases'],
  ])('%s', (_, text, says) => {
    expect(problemsOf(() => parsePolicyFile(text)).join('\n')).toContain(says)
  })

  test('what the content refers to must exist; what the file brings itself does', () => {
    const text = `version: 1
categories:
  payroll: { rpo: 2h, keep: { daily: 7 }, quiesce: required }
plans:
  nightly:
    where: [{ field: category, is: [payroll, critcal] }]
    targets: [{ repository: mian }]
vms:
  web-02: { category: payroll }
  db-01: { category: payrol, keep: {} }
`
    expect(problemsOf(() => readPolicy(catalog, text, testNow))).toEqual([
      '6:46: there is no category critcal. Did you mean critical?',
      '7:17: there is no repository mian. Did you mean main?',
      expect.stringContaining('9:3: there is no VM web-02'),
      expect.stringContaining('10:12: there is no category payrol'),
      expect.stringContaining('10:30: it would keep nothing'),
    ])
  })
})

describe('recovery plans', () => {
  const shop = `version: 1
recoveryPlans:
  The shop:
    rehearseEvery: 30d
    tiers:
      - { key: databases, rto: 10m, members: [{ vmId: db-01 }] }
      - { key: web, needs: answer, delay: 1m, before: [{ title: Call }], members: [{ vmId: web-01 }] }
`
  test('are made, changed by their name, exported as they were written, and removed where nobody names them', () => {
    expect(applyPolicy(catalog, shop, false, testNow).changes).toMatchObject([
      { kind: 'recovery-plan', name: 'The shop', action: 'create' },
    ])
    const made = catalog.recoveryPlans.get('The shop')
    expect(made).toMatchObject({
      ...{ id: 'the-shop', rehearseEveryMs: 30 * 86_400_000, atOnce: 2 },
      tiers: [
        { name: 'databases', rtoMs: 600_000 },
        { delayMs: 60_000, needs: 'answer', before: [{ title: 'Call' }] },
      ],
    })
    expect(applyPolicy(catalog, shop, false, testNow).changes).toEqual([])
    const written = writePolicyFile({ version: 1, recoveryPlans: currentPolicy(catalog).recoveryPlans })
    expect(written).toContain('- key: databases\n        rto: 10m\n        members:\n          - vmId: db-01\n')
    expect(differenceTo(catalog, readPolicy(catalog, written, testNow), true).changes).toEqual([])
    const changed = shop.replace('delay: 1m', 'delay: 2m')
    expect(applyPolicy(catalog, changed, false, testNow).changes).toMatchObject([
      { action: 'change', members: [{ path: 'tiers.1.delay', before: '1m', after: '2m' }] },
    ])
    expect(catalog.recoveryPlans.get('The shop')).toMatchObject({ id: 'the-shop', revision: 2 })
    const none = 'version: 1\nrecoveryPlans: {}\n'
    expect(applyPolicy(catalog, none, false, testNow)).toMatchObject({ changes: [], unlisted: [{ name: 'The shop' }] })
    const spec = planSpecOf(made)
    const run = { runId: 'r1', workflowId: 'recovery/the-shop/1', planId: 'the-shop', planName: 'The shop', spec }
    const open = { mode: 'rehearse', untilMs: null, withoutPeople: false, requestedUser: 'ann', startedMs: 1 } as const
    catalog.recoveryRuns.open({ ...run, ...open, vmNames: new Map() })
    expect(() => applyPolicy(catalog, none, true, testNow)).toThrow('The shop is under way')
    catalog.recoveryRuns.close('r1', { state: 'passed', why: '', endedMs: 2 })
    expect(applyPolicy(catalog, none, true, testNow).changes).toMatchObject([{ action: 'remove' }])
    expect(catalog.recoveryPlans.list()).toEqual([])
  })

  test('that cannot be carried out are told with their line', () => {
    const broken = shop.replace('vmId: db-01', 'vmId: nobody').replace('delay: 1m', 'after: [mail], dellay: 1m')
    expect(problemsOf(() => readPolicy(catalog, broken, testNow))).toEqual([
      expect.stringMatching(/^7:.*dellay is not known here. Did you mean delay/),
    ])
    expect(problemsOf(() => readPolicy(catalog, broken.replace(', dellay: 1m', ''), testNow))).toEqual([
      expect.stringMatching(/^6:.*there is no VM nobody/),
      expect.stringMatching(/^7:.*there is no tier mail/),
    ])
  })
})

describe('links', () => {
  const file = `version: 1
links:
  '*/main':
    timeZone: Europe/Paris
    backup: [{ rate: 20MiB, start: '08:00', end: '18:00', days: [mon, tue] }]
  lab/main: { restore: [{ rate: 200MiB, start: '00:00', end: '00:00' }] }
`

  test('are limited by the file, changed, and limited no longer when they are pruned', () => {
    const lab = { hypervisorId: 'lab', repositoryId: 'main' }
    catalog.links.put({ hypervisorId: null, repositoryId: null, ...unlimited, restore: [always(2 ** 30)] })
    const first = applyPolicy(catalog, file, false, testNow)
    expect(first.changes.map(({ kind, name, action }) => [kind, name, action])).toEqual([
      ['link', '*/main', 'create'],
      ['link', 'lab/main', 'create'],
    ])
    expect(first.unlisted).toEqual([{ kind: 'link', name: '*/*' }])
    expect(catalog.links.find(lab)).toEqual({ ...lab, ...unlimited, restore: [always(200 * 2 ** 20)] })
    const faster = file.replace('20MiB', '30MiB').replace('[mon, tue]', '[sat]')
    expect(differenceTo(catalog, readPolicy(catalog, faster, testNow), false).changes).toEqual([
      {
        kind: 'link',
        name: '*/main',
        action: 'change',
        members: [
          { path: 'backup.0.rate', before: '20MiB', after: '30MiB' },
          { path: 'backup.0.days', before: 'mon, tue', after: 'sat' },
        ],
      },
    ])
    applyPolicy(catalog, file.replace(/ {2}lab.*\n/, ''), true, testNow)
    expect(catalog.links.list().map(linkName)).toEqual(['*/main'])
    applyPolicy(catalog, 'version: 1\nplans: {}\n', true, testNow)
    expect(catalog.links.list()).toHaveLength(1)
  })

  test('what is exported is applied elsewhere as it was, and changes nothing here', () => {
    applyPolicy(catalog, file, false, testNow)
    const exported = writePolicyFile(currentPolicy(catalog))
    expect(exported).toContain('*/main')
    expect(differenceTo(catalog, readPolicy(catalog, exported, testNow), true)).toEqual({ changes: [], unlisted: [] })
    using other = testCatalog()
    furnish(other.catalog)
    applyPolicy(other.catalog, exported, true, testNow)
    expect(other.catalog.links.list()).toEqual(catalog.links.list())
  })

  test('ends that do not exist, hours of no zone and links without a limit are told with their line', () => {
    const wrong = `version: 1
links:
  labb/main: { backup: [{ rate: 1MiB, start: '08:00', end: '18:00' }] }
  lab/mian: { backup: [{ rate: 1MiB, start: '8', end: '18:00' }], timeZone: Mars/Base }
  lab/main: { backup: [] }
`
    expect(problemsOf(() => readPolicy(catalog, wrong.replace("'8'", "'08:00'"), testNow))).toEqual([
      '3:3: there is no hypervisor labb. Did you mean lab?',
      '4:3: there is no repository mian. Did you mean main?',
      expect.stringContaining('4:71: there is no time zone Mars/Base'),
      expect.stringContaining('5:3: lab/main limits nothing'),
    ])
    expect(problemsOf(() => readPolicy(catalog, wrong, testNow))[0]).toMatch(/^4:\d+: /)
  })
})

function always(bytesPerSecond: number): { bytesPerSecond: number; start: string; end: string } {
  return { bytesPerSecond, start: '00:00', end: '00:00' }
}

describe('difference and apply', () => {
  const file = `version: 1
categories:
  payroll: { rpo: 2h, keep: { daily: 7 }, quiesce: required }
plans:
  nightly:
    where: [{ field: category, is: [payroll] }]
    targets: [{ repository: main, keep: { daily: 14 } }]
vms:
  web-01: { category: payroll, excluded: null, quiesce: none }
`

  test('the difference is told without changing anything; applied, there is none, and applying again changes nothing', () => {
    const first = differenceTo(catalog, readPolicy(catalog, file, testNow), false)
    expect(first.changes.map(({ kind, name, action }) => [kind, name, action])).toEqual([
      ['category', 'payroll', 'create'],
      ['plan', 'nightly', 'create'],
      ['vm', 'web-01', 'change'],
    ])
    expect(first.changes[2]?.members).toEqual([
      { path: 'category', before: 'standard', after: 'payroll' },
      { path: 'quiesce', before: null, after: 'none' },
    ])
    expect(catalog.plans.all()).toEqual([])
    expect(applyPolicy(catalog, file, false, testNow)).toEqual(first)
    expect(catalog.vms.get('web-01')).toMatchObject({ category: 'payroll', override: { quiesce: 'none' } })
    const announced = catalog.events.newest()
    expect(applyPolicy(catalog, file, true, testNow)).toEqual({ changes: [], unlisted: [] })
    expect(catalog.events.newest()).toBe(announced)
  })

  test('a changed value is shown as it was and as it will be', () => {
    applyPolicy(catalog, file, false, testNow)
    const changed = file.replace('daily: 14', 'daily: 14, within: 36h').replace('rpo: 2h', 'rpo: 3h')
    expect(differenceTo(catalog, readPolicy(catalog, changed, testNow), false).changes).toEqual([
      { kind: 'category', name: 'payroll', action: 'change', members: [{ path: 'rpo', before: '2h', after: '3h' }] },
      {
        kind: 'plan',
        name: 'nightly',
        action: 'change',
        members: [{ path: 'targets.0.keep.within', before: null, after: '1d12h' }],
      },
    ])
  })

  test('what is not in the file stays unless pruning was asked for, and only of the sections that are there', () => {
    applyPolicy(catalog, file, false, testNow)
    const empty = 'version: 1\nplans: {}\nvms: {}\ncategories: {}\n'
    expect(differenceTo(catalog, readPolicy(catalog, empty, testNow), false)).toEqual({
      changes: [],
      unlisted: [
        { kind: 'category', name: 'payroll' },
        { kind: 'plan', name: 'nightly' },
        { kind: 'vm', name: 'web-01' },
      ],
    })
    expect(differenceTo(catalog, readPolicy(catalog, 'version: 1\n', testNow), true).changes).toEqual([])
    applyPolicy(catalog, empty, true, testNow)
    expect(catalog.plans.all()).toEqual([])
    expect(catalog.categories.list().map(({ name }) => name)).toEqual([
      'critical',
      'important',
      'standard',
      'ephemeral',
    ])
    expect(catalog.vms.get('web-01')).toMatchObject({ category: 'standard', override: {} })
  })

  test('is all or nothing', () => {
    applyPolicy(catalog, file, false, testNow)
    // The category goes, the VM that has it is not in the file: refused at the last step.
    const half = 'version: 1\nplans: {}\ncategories: {}\n'
    expect(() => applyPolicy(catalog, half, true, testNow)).toThrow(expect.objectContaining({ code: 'InUse' }))
    expect(catalog.plans.all().map(({ name }) => name)).toEqual(['nightly'])
  })

  test('refuses to prune a plan that others start after, and names them; without prune it stays', () => {
    const target = 'where: [], targets: [{ repository: main }]'
    applyPolicy(catalog, `version: 1\nplans:\n  first: { ${target} }\n`, false, testNow)
    const follow = (name: string) => `  ${name}: { schedule: { kind: after, plan: first }, ${target} }\n`
    const followers = `version: 1\nplans:\n${follow('second')}${follow('third')}`
    const refusal: unknown = expect.objectContaining({ code: 'InUse', message: 'second, third start after first' })
    expect(() => differenceTo(catalog, readPolicy(catalog, followers, testNow), true)).toThrow(refusal)
    expect(() => applyPolicy(catalog, followers, true, testNow)).toThrow(refusal)
    expect(catalog.plans.all().map(({ name }) => name)).toEqual(['first'])
    applyPolicy(catalog, followers, false, testNow)
    expect(catalog.plans.all().map(({ name }) => name)).toEqual(['first', 'second', 'third'])
    // All of a sequence may go together.
    applyPolicy(catalog, 'version: 1\nplans: {}\n', true, testNow)
    expect(catalog.plans.all()).toEqual([])
  })
})

describe('writing', () => {
  const period = fc.integer({ min: 1, max: 2000 }).map((n) => n * 60_000)
  const keep = fc.record(
    { daily: fc.integer({ min: 1, max: 100 }), withinMs: period, manual: fc.integer({ min: 1, max: 100 }) },
    { requiredKeys: ['daily'] },
  )
  const text = fc.string({
    minLength: 1,
    maxLength: 20,
    unit: fc.constantFrom('a', 'Z', '0', ':', '#', '"', "'", ' ', '-', 'ü', '*'),
  })
  const name = fc.stringMatching(/^[a-z][a-z0-9]{0,5}(-[a-z0-9]{1,4})?$/)
  const disks = fc.record({
    roles: fc.constantFrom('all' as const, 'data' as const),
    include: fc.array(fc.record({ label: text, minBytes: fc.nat() }, { requiredKeys: ['label'] }), { maxLength: 2 }),
    exclude: fc.constant([]),
    honourNobak: fc.boolean(),
  })
  const schedule = fc.oneof(
    period.map((everyMs) => ({ kind: 'every' as const, everyMs })),
    fc.constant({ kind: 'calendar' as const, at: ['02:30', '14:00'], days: ['mon' as const] }),
    fc.constant({ kind: 'cron' as const, cron: '30 2 * * 1-5' }),
    fc.constant({ kind: 'manual' as const }),
  )
  const plan = fc.record({
    description: text,
    paused: fc.boolean(),
    where: fc.array(
      fc.record({ field: fc.constant('name' as const), is: fc.array(text, { minLength: 1, maxLength: 2 }) }),
      { maxLength: 2 },
    ),
    timeZone: fc.constantFrom('UTC', 'Europe/Paris'),
    schedule,
    window: fc.option(fc.constant({ start: '22:00', end: '06:00', atEnd: 'fail' as const })),
    targets: fc.tuple(
      fc.record({ repository: fc.constant('main'), copy: fc.constant('backup' as const), keep: fc.option(keep) }),
    ),
    mode: fc.constantFrom('incremental' as const, 'full' as const),
    fullEveryMs: fc.option(period),
    quiesce: fc.option(fc.constantFrom('required' as const, 'none' as const)),
    disks,
    concurrency: fc.integer({ min: 1, max: 100 }),
    bandwidth: fc.array(fc.constant({ bytesPerSecond: 1_000_003, start: '08:00', end: '19:00' }), { maxLength: 1 }),
  })
  const link = fc.record({
    timeZone: fc.constantFrom('UTC', 'Europe/Paris'),
    restore: fc.array(fc.constant({ bytesPerSecond: 1_000_003, start: '08:00', end: '19:00', days: ['sun' as const] })),
  })
  const vm = fc.record(
    { category: fc.constant('critical'), excluded: fc.option(text), rpoMs: period, keep, disks },
    { requiredKeys: [] },
  )
  const document = fc.record({
    version: fc.constant(1 as const),
    categories: fc.dictionary(
      name,
      fc.record({ keep, rpoMs: period, quiesce: fc.constant('none' as const), everyMs: fc.option(period) }),
      { maxKeys: 2 },
    ),
    plans: fc.dictionary(name, plan, { maxKeys: 2 }),
    vms: fc.dictionary(fc.constantFrom('web-01', 'db-01'), vm, { maxKeys: 2 }),
    links: fc.dictionary(fc.constantFrom('lab/main', '*/main', '*/*'), link, { maxKeys: 2 }),
  })

  test('what is written is read as the same document', { timeout: 120_000 }, () => {
    fc.assert(
      fc.property(document, (drawn) => {
        const wanted: PolicyDocument = policyDocument.parse(drawn)
        expect(parsePolicyFile(writePolicyFile(wanted)).document).toEqual(wanted)
      }),
    )
  })

  test('what was applied is exported, and the export applied elsewhere is the same there', () => {
    applyPolicy(
      catalog,
      example.replaceAll('repository: vault', 'repository: main-2').replace('*/vault', '*/main-2'),
      false,
      testNow,
    )
    const file = writePolicyFile(currentPolicy(catalog))
    using other = testCatalog()
    furnish(other.catalog, ['web-01', 'db-01'])
    addSecond(other.catalog)
    applyPolicy(other.catalog, file, true, testNow)
    expect(currentPolicy(other.catalog)).toEqual(currentPolicy(catalog))
    expect(writePolicyFile(currentPolicy(other.catalog))).toBe(file)
  })

  const rest = `version: 1
sweeps:
  '*': { grace: 2d, share: 25% }
  main: { approval: required, approveWithin: 3d, share: 7% }
scrubs:
  main: { budget: 20GiB }
slots:
  host/lab: { slots: 2 }
  repository/main: { slots: 1 }
  datastore/nas-1: { slots: 3 }
records:
  runs: { months: 36 }
channels:
  on-call: { kind: slack, credentialRef: file:/etc/holdfast/slack, route: { severity: critical } }
  ops:
    kind: mail
    url: smtp://mail.example.org:587
    mail: { from: holdfast@example.org, to: [ops@example.org], user: holdfast }
    credentialRef: file:/etc/holdfast/mail
    route: { tags: [payroll], quiet: { start: '22:00', end: '07:00' }, digestAt: '08:00', timeZone: Europe/Paris }
`

  test('what is beside the policies goes there and back too, and a second time changes nothing', () => {
    const { changes } = applyPolicy(catalog, rest, false, testNow)
    expect(changes.map(({ kind, name, action }) => `${action} ${kind} ${name}`)).toEqual([
      'change sweep *',
      'change sweep main',
      'change scrub main',
      'change slot host/lab',
      'change slot repository/main',
      'change slot datastore/nas-1',
      'change record runs',
      'create channel on-call',
      'create channel ops',
    ])
    expect(changes[0]?.members).toEqual([
      { path: 'grace', before: 'null', after: '2d' },
      { path: 'share', before: 'null', after: '25%' },
    ])
    expect(catalog.sweepSettings.of('main')).toEqual({
      ...{ graceMs: 2 * 86_400_000, approval: 'required', approveWithinMs: 3 * 86_400_000, maxShare: 0.07 },
    })
    expect(catalog.slots.limitOf('host/lab')).toBe(2)
    expect(catalog.scrubs.find('main')).toMatchObject({ level: 'data', budgetBytes: 20 * 2 ** 30 })
    expect(catalog.alerts.channel('ops')).toMatchObject({ enabled: true, mail: { tls: 'required', user: 'holdfast' } })
    const file = writePolicyFile(currentPolicy(catalog))
    expect(applyPolicy(catalog, file, true, testNow).changes).toEqual([])
    using other = testCatalog()
    furnish(other.catalog, ['web-01', 'db-01'])
    addSecond(other.catalog)
    applyPolicy(other.catalog, file, false, testNow)
    expect(writePolicyFile(currentPolicy(other.catalog))).toBe(file)
  })

  test('a written file says which secret is to be brought again, and what no file brings', () => {
    applyPolicy(catalog, rest, false, testNow)
    const file = writePolicyFile(currentPolicy(catalog))
    expect(file).toContain('# its address is not here: it stands in /etc/holdfast/slack on the server\n  on-call:')
    expect(file).toContain('# its password is not here: it stands in /etc/holdfast/mail on the server\n  ops:')
    expect(file).toContain('# Not in this file')
    expect(file.split('\n')[1]).toBe('# yaml-language-server: $schema=policy.schema.json')
  })

  test('a url with a user and a password is refused, and one of before is written without them', () => {
    const secret = `version: 1\nchannels: { hook: { kind: webhook, url: 'https://ada:hush@hook.example/x' } }\n`
    expect(problemsOf(() => applyPolicy(catalog, secret, false, testNow))).toEqual([
      '2:13: a url carries no user and no password: give a token as the secret',
    ])
    const { route } = parsePolicyFile('version: 1\nchannels: { a: { kind: ntfy } }\n').document.channels?.['a'] ?? {}
    const row = {
      name: 'hook',
      kind: 'webhook',
      url: 'https://ada:hush@hook.example/x',
      chat: null,
      mail: null,
    } as const
    if (route) catalog.alerts.putChannel({ ...row, credentialRef: '', allowPrivate: false, enabled: true, route })
    const file = writePolicyFile(currentPolicy(catalog))
    expect(file).toContain('https://hook.example/x')
    expect(file).not.toContain('hush')
  })

  test('what a file leaves out of these sections is as by default again, with prune only', () => {
    applyPolicy(catalog, rest, false, testNow)
    const bare = 'version: 1\nsweeps: {}\nscrubs: {}\nslots: { host/lab: { slots: 2 } }\nrecords: {}\nchannels: {}\n'
    const before = currentPolicy(catalog)
    expect(applyPolicy(catalog, bare, false, testNow).unlisted).toHaveLength(8)
    expect(currentPolicy(catalog)).toEqual(before)
    applyPolicy(catalog, bare, true, testNow)
    const { sweeps, scrubs, slots, records, channels } = currentPolicy(catalog)
    expect({ sweeps, scrubs, slots, records, channels }).toEqual({
      ...{ sweeps: {}, scrubs: {}, slots: { 'host/lab': { slots: 2 } }, records: {}, channels: {} },
    })
  })

  test('names that stand for nothing are told with line and what was meant', () => {
    const text = `version: 1
sweeps:
  mian: { grace: 1d }
scrubs:
  mian: { budget: 1GiB }
slots:
  hots/lab: { slots: 2 }
  host/lba: { slots: 2 }
records:
  run: { months: 3 }
channels:
  a: { kind: slack }
`
    expect(problemsOf(() => readPolicy(catalog, text, testNow))).toEqual([
      '3:3: there is no repository mian. Did you mean main?',
      '5:3: there is no repository mian. Did you mean main?',
      expect.stringContaining('7:3: hots/lab is no resource. Did you mean host/lab?'),
      '8:3: there is no hypervisor lba. Did you mean lab?',
      '10:3: there is no kind of records run. Did you mean runs?',
      '12:3: a channel of kind slack needs a secret',
    ])
  })

  test('until when a VM is left out goes with its reason, there and back, and is over when it is', () => {
    const day = 86_400_000
    const until = new Date(testNow + 3 * day).toISOString().slice(0, 10)
    const file = (text: string) => `version: 1\nvms:\n  web-01: { ${text} }\n`
    applyPolicy(catalog, file(`excluded: moves, excludedUntil: ${until}`), false, testNow)
    expect(catalog.vms.get('web-01')).toMatchObject({ excludedReason: 'moves', excludedUntilMs: Date.parse(until) })
    const written = writePolicyFile(currentPolicy(catalog))
    expect(written).toContain(`excludedUntil: ${until}`)
    const same = [written, file(`excluded: moves, excludedUntil: "${until}T02:00:00+02:00"`)]
    for (const text of same)
      expect(differenceTo(catalog, readPolicy(catalog, text, testNow), false).changes).toEqual([])
    const later = readPolicy(catalog, written, testNow + 4 * day)
    expect(later.vms?.['web-01']).toMatchObject({ excluded: null, excludedUntil: null })
    expect(problemsOf(() => readPolicy(catalog, file(`excludedUntil: ${until}`), testNow))).toEqual([
      expect.stringContaining('it is not left out'),
    ])
    expect(problemsOf(() => readPolicy(catalog, file('excluded: x, excludedUntil: soon'), testNow))).toEqual([
      expect.stringContaining('a day is 2026-12-01'),
      expect.stringContaining('there is no such day'),
    ])
  })

  beforeEach(() => addSecond(catalog))
})

function addSecond(into: TestCatalog['catalog']): void {
  into.repositories.add({
    name: 'main-2',
    site: 'local',
    location: { kind: 'posix', path: '/srv/two' },
    credentialRef: 'file:/p',
  })
}

describe('documentation', () => {
  test('docs/policy.schema.json is what the shapes say (node api/policy/write-schema.ts brings it up to date)', () => {
    expect(readFileSync(new URL('../../docs/policy.schema.json', import.meta.url), 'utf8')).toBe(policySchemaText())
  })

  test('the schema has durations as text and no member of requests', () => {
    const text = policySchemaText()
    expect(text).toContain('"fullEvery"')
    expect(text).not.toMatch(/"\w+Ms"|"minBytes"/)
  })

  test('the categories of the start are those of the table in docs/policy.md', () => {
    const table = readFileSync(new URL('../../docs/policy.md', import.meta.url), 'utf8')
    for (const [name, { keep, rpoMs }] of Object.entries(defaultCategories)) {
      const row = table.split('\n').find((line) => line.startsWith(`| \`${name}\``))
      expect(row).toContain(`${rpoMs / 3_600_000} h`)
      for (const [rule, count] of Object.entries(keep)) expect(row).toContain(`${count} ${rule}`)
    }
  })
})
