import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  allDisks,
  backupSettings,
  brokenRules,
  categoryProblems,
  chooseDisks,
  defaultCategories,
  effectivePolicy,
  isFullDue,
  isSelected,
  keepFor,
  leftOut,
  manualQuotaProblem,
  matchesPattern,
  mostByHand,
  nearest,
  overrideProblems,
  planDefaults,
  planProblems,
  retention,
  simulateRetention,
  type Category,
  type DiskSelection,
  type Known,
  type PlanSpec,
  type SelectableVm,
  type SelectorRule,
} from './index.ts'

const hour = 3_600_000
const day = 24 * hour
const start = Date.UTC(2026, 10, 21)
const web: SelectableVm = {
  name: 'web-01',
  tags: ['prod', 'Linux'],
  category: 'important',
  power: 'running',
  hypervisor: 'lab',
  site: 'lyon',
  excludedReason: null,
}

describe('patterns', () => {
  test.each([
    ['web-*', 'WEB-01', true],
    ['web-??', 'web-01', true],
    ['web-?', 'web-01', false],
    ['*db*', 'crm-db-02', true],
    ['a.c', 'abc', false],
    ['', '', true],
    ['*', '', true],
    ['?', '', false],
  ])('%s and %s: %s', (pattern, text, fits) => expect(matchesPattern(pattern, text)).toBe(fits))

  test('say the same as a regular expression, and end soon for any pattern', () => {
    const part = fc.constantFrom('a', 'b', '*', '?', '.')
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), fc.stringMatching(/^[ab.]{0,10}$/), (pattern, text) => {
        const source = pattern
          .map((one) => (one === '*' ? '.*' : one === '?' ? '.' : one === '.' ? '\\.' : one))
          .join('')
        expect(matchesPattern(pattern.join(''), text)).toBe(new RegExp(`^${source}$`).test(text))
      }),
    )
    const startedMs = performance.now()
    expect(matchesPattern('*a'.repeat(60), 'a'.repeat(59) + 'b'.repeat(2000))).toBe(false)
    expect(performance.now() - startedMs).toBeLessThan(2000)
  })
})

describe('selectors', () => {
  test.each<[string, SelectorRule[], boolean]>([
    ['without a rule every VM is taken', [], true],
    [
      'all rules must hold',
      [
        { field: 'site', is: ['lyon'] },
        { field: 'category', is: ['critical'] },
      ],
      false,
    ],
    ['one of several values is enough', [{ field: 'category', is: ['critical', 'important'] }], true],
    ['letters large and small are the same', [{ field: 'tag', is: ['linux'] }], true],
    ['a VM with a tag that must not be is not taken', [{ field: 'tag', isNot: ['prod'] }], false],
    [
      'two rules for tags want both',
      [
        { field: 'tag', is: ['prod'] },
        { field: 'tag', is: ['windows'] },
      ],
      false,
    ],
    ['is and is not in one rule', [{ field: 'name', is: ['web-*'], isNot: ['web-02'] }], true],
    ['only names are patterns', [{ field: 'site', is: ['ly*'] }], false],
  ])('%s', (_, where, taken) => expect(isSelected(where, web)).toBe(taken))

  test('a VM that is left out on purpose is taken by no plan', () => {
    expect(isSelected([], { ...web, excludedReason: 'rebuilt every night' })).toBe(false)
    expect(brokenRules([], { ...web, excludedReason: 'rebuilt every night' })).toEqual([])
  })

  const word = fc.constantFrom('lyon', 'paris', 'prod', 'important', 'web-01', 'lab', 'nobody')
  const anyRule: fc.Arbitrary<SelectorRule> = fc
    .record({
      field: fc.constantFrom('name', 'tag', 'category', 'hypervisor', 'site'),
      is: fc.option(fc.array(word, { minLength: 1, maxLength: 3 }), { nil: undefined }),
      isNot: fc.option(fc.array(word, { minLength: 1, maxLength: 3 }), { nil: undefined }),
    })
    .filter(({ is, isNot }) => is !== undefined || isNot !== undefined)

  test('a further rule never takes more, a further value of `is` never fewer, and order does not matter', () => {
    fc.assert(
      fc.property(fc.array(anyRule, { maxLength: 4 }), anyRule, word, (where, more, value) => {
        const taken = isSelected(where, web)
        if (!taken) expect(isSelected([...where, more], web)).toBe(false)
        expect(isSelected([...where].reverse(), web)).toBe(taken)
        const wider = where.map((rule) => (rule.is === undefined ? rule : { ...rule, is: [...rule.is, value] }))
        if (taken) expect(isSelected(wider, web)).toBe(true)
        expect(brokenRules(where, web).length === 0).toBe(taken)
      }),
    )
  })
})

describe('disks', () => {
  const disks = [
    { key: 'scsi0', label: 'system', size: 20, role: 'boot', skip: null },
    { key: 'scsi1', label: 'data [nobak]', size: 500, role: 'data', skip: null },
    { key: 'scsi2', label: 'data', size: 100, role: 'data', skip: null },
    { key: 'efi', label: 'firmware', size: 1, role: 'efi', skip: null },
    { key: 'scsi3', label: 'shared', size: 100, role: 'data', skip: 'shared' },
  ]
  const stays = (selection: Partial<DiskSelection>) =>
    chooseDisks({ ...allDisks, ...selection }, disks).flatMap(({ key, skip }) => (skip === null ? [key] : []))

  test('[NOBAK] in a label leaves a disk out, unless the plan does not care', () => {
    expect(stays({})).toEqual(['scsi0', 'scsi2', 'efi'])
    expect(stays({ honourNobak: false })).toEqual(['scsi0', 'scsi1', 'scsi2', 'efi'])
  })

  test('a plan for data leaves out what the system needs', () => expect(stays({ roles: 'data' })).toEqual(['scsi2']))

  test('by label, address and size; leaving out wins', () => {
    expect(stays({ include: [{ key: 'scsi*' }], exclude: [{ minBytes: 100 }] })).toEqual(['scsi0'])
    expect(stays({ include: [{ label: 'DATA*', maxBytes: 100 }] })).toEqual(['scsi2'])
  })

  test('what the platform cannot give keeps the reason of the platform', () => {
    const all = chooseDisks({ ...allDisks, roles: 'data', exclude: [{ key: '*' }] }, disks)
    expect(all.map(({ skip }) => skip)).toEqual([
      'excluded-by-plan',
      'nobak-label',
      'excluded-by-plan',
      'excluded-by-plan',
      'shared',
    ])
  })

  test('the size of a disk decides nothing where no rule names a size, so growing never changes what is in a point', () => {
    const rule = fc.record({ label: fc.constantFrom('data*', 'system', '*') })
    const selection = fc.record({
      roles: fc.constantFrom<'all' | 'data'>('all', 'data'),
      include: fc.array(rule, { maxLength: 2 }),
      exclude: fc.array(rule, { maxLength: 1 }),
      honourNobak: fc.boolean(),
    })
    fc.assert(
      fc.property(selection, fc.constantFrom(...disks), fc.nat(), (one, disk, size) => {
        expect(leftOut(one, { ...disk, size })).toBe(leftOut(one, disk))
      }),
    )
  })
})

const nightly: PlanSpec = {
  ...planDefaults,
  name: 'nightly',
  timeZone: 'Europe/Paris',
  targets: [
    { repository: 'main', copy: 'backup', keep: { daily: 3 } },
    { repository: 'vault', copy: 'mirror', keep: null },
  ],
}
const dump = {
  when: 'before-freeze',
  path: '/usr/local/bin/dump',
  args: [],
  timeoutMs: 60_000,
  onFailure: 'fail',
} as const
const important: Category & { name: string } = { ...defaultCategories.important, name: 'important' }

describe('effective policy', () => {
  test('without a plan the category says what is promised, and nobody says where to', () => {
    const policy = effectivePolicy({ category: important, plan: null, override: {} })
    expect(policy.rpoMs).toEqual({ value: day, origin: { from: 'category', name: 'important' } })
    expect(policy.mode).toEqual({ value: 'incremental', origin: { from: 'default', name: null } })
    expect(policy.targets.map(({ repository }) => repository)).toEqual([null])
    expect(keepFor(policy, 'anywhere').value).toEqual({
      ...important.keep,
      manual: 100,
      publish: 2,
      timeZone: 'UTC',
    })
  })

  test('a plan says how, its targets how long, and a target that says nothing leaves it to the category', () => {
    const policy = effectivePolicy({ category: important, plan: { ...nightly, quiesce: 'none' }, override: {} })
    expect(keepFor(policy, 'main')).toEqual({
      value: { daily: 3, manual: 100, publish: 2, timeZone: 'Europe/Paris' },
      origin: { from: 'plan', name: 'nightly' },
    })
    expect(keepFor(policy, 'vault').origin).toEqual({ from: 'category', name: 'important' })
    expect(policy.quiesce).toEqual({ value: 'none', origin: { from: 'plan', name: 'nightly' } })
    expect(policy.fullEveryMs).toEqual({ value: null, origin: { from: 'default', name: null } })
  })

  test('what is set for the VM wins over both', () => {
    const override = { quiesce: 'required', keep: { last: 1 }, fullEveryMs: day, rpoMs: hour } as const
    const policy = effectivePolicy({ category: important, plan: { ...nightly, quiesce: 'none' }, override })
    const own = { from: 'vm', name: null }
    expect([policy.quiesce.origin, policy.rpoMs.origin, policy.fullEveryMs.origin]).toEqual([own, own, own])
    expect(keepFor(policy, 'main').value).toMatchObject({ last: 1, timeZone: 'Europe/Paris' })
    expect(keepFor(policy, 'main').value.daily).toBeUndefined()
  })

  test.each([
    ['required', 'filesystem', 'fail'],
    ['preferred', 'filesystem', 'degrade'],
    ['none', 'crash', 'degrade'],
  ] as const)('quiesce %s is %s, and a failed freeze is %s', (quiesce, want, onQuiesceFailure) => {
    const policy = effectivePolicy({ category: { ...important, quiesce }, plan: null, override: {} })
    expect(backupSettings(policy)).toMatchObject({ want, onQuiesceFailure, mode: 'auto', disks: allDisks, hooks: [] })
  })

  test.each([
    ['required', 'application', 'fail'],
    ['preferred', 'application', 'degrade'],
    ['none', 'crash', 'degrade'],
  ] as const)('quiesce %s of a plan that wants application consistency is %s', (quiesce, want, onQuiesceFailure) => {
    const plan: PlanSpec = { ...nightly, consistency: 'application', hooks: [dump] }
    const policy = effectivePolicy({ category: important, plan, override: { quiesce } })
    expect(policy.consistency).toEqual({ value: 'application', origin: { from: 'plan', name: 'nightly' } })
    expect(backupSettings(policy)).toMatchObject({ want, onQuiesceFailure, hooks: [dump] })
  })

  test('every value is one of those that were said, and its origin is who said it', () => {
    const quiesce = fc.constantFrom<Category['quiesce']>('required', 'preferred', 'none')
    fc.assert(
      fc.property(
        quiesce,
        fc.option(quiesce),
        fc.option(quiesce, { nil: undefined }),
        fc.boolean(),
        (ofCategory, ofPlan, own, withPlan) => {
          const policy = effectivePolicy({
            category: { ...important, quiesce: ofCategory },
            plan: withPlan ? { ...nightly, quiesce: ofPlan } : null,
            override: { quiesce: own },
          })
          const said = { vm: own, plan: withPlan ? ofPlan : null, category: ofCategory, default: undefined }
          expect(policy.quiesce.value).toBe(said[policy.quiesce.origin.from])
          expect(policy.quiesce.value).toBe(own ?? (withPlan ? ofPlan : null) ?? ofCategory)
        },
      ),
    )
  })
})

describe('a full interval', () => {
  test('is over a little early, because starts are spread, and never without one', () => {
    expect(isFullDue(null, undefined, start)).toBe(false)
    expect(isFullDue(day, start - day, start)).toBe(true)
    expect(isFullDue(day, start - day + 20 * 60_000, start)).toBe(true)
    expect(isFullDue(day, start - 18 * hour, start)).toBe(false)
    expect(isFullDue(hour, start - 50 * 60_000, start)).toBe(false)
    expect(isFullDue(day, undefined, start)).toBe(true)
  })

  test('of a day among runs every six hours makes one full in four, however the starts are spread', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 900_000 }), { minLength: 40, maxLength: 40 }), (late) => {
        let last: number | undefined
        const fulls = late.flatMap((by, n) => {
          const at = start + n * 6 * hour + by
          if (!isFullDue(day, last, at)) return []
          last = at
          return [n]
        })
        expect(fulls).toEqual([0, 4, 8, 12, 16, 20, 24, 28, 32, 36])
      }),
    )
  })
})

describe('points made by hand', () => {
  test('are refused where the policy has no room for another', () => {
    expect(manualQuotaProblem('web-01', 2, { manual: 3 }, mostByHand)).toBeNull()
    expect(manualQuotaProblem('web-01', 3, { manual: 3 }, mostByHand)).toBe(
      'web-01 has 3 points made by hand, and its policy keeps 3',
    )
    expect(manualQuotaProblem('web-01', 99, {}, mostByHand)).toBeNull()
    expect(manualQuotaProblem('web-01', 100, { manual: 5000 }, mostByHand)).toContain('keeps 100')
  })

  test('as long as there is room, no sweep takes one', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 0, max: 12 }), (manual, have) => {
        const points = Array.from(
          { length: have },
          (_, n) => ({ id: `${n}`, timeMs: n, origin: 'manual', guard: null }) as const,
        )
        const gone = retention(points, { last: 1, manual, timeZone: 'UTC' }, day).filter(
          ({ keptBy }) => keptBy.length === 0,
        )
        if (manualQuotaProblem('vm', have - 1, { manual }, mostByHand) === null || have === 0) expect(gone).toEqual([])
      }),
    )
  })
})

describe('validation', () => {
  const known: Known = {
    repositories: ['main', 'vault'],
    categories: ['critical', 'important'],
    hypervisors: ['lab'],
    sites: ['lyon'],
    cannotStop: [],
    plans: [],
  }
  const said = (plan: Partial<PlanSpec>, over: Partial<Known> = {}) =>
    planProblems({ ...nightly, ...plan }, { ...known, ...over }).map(
      ({ path, message, hint }) => `${path.join('.')}: ${message}. ${hint ?? ''}`,
    )

  test('a good plan has no problem', () => expect(said({})).toEqual([]))

  test('every problem is told at once, with what was probably meant', () => {
    expect(
      said({
        timeZone: 'Europe/Pairs',
        where: [
          { field: 'category', is: ['importnat'] },
          { field: 'site', isNot: ['paris'] },
        ],
        targets: [
          { repository: 'mian', copy: 'mirror', keep: {} },
          { repository: 'mian', copy: 'backup', keep: null },
        ],
        disks: { ...allDisks, exclude: [{ minBytes: 2, maxBytes: 1 }] },
        schedule: { kind: 'after', plan: 'nightly' },
      }),
    ).toEqual([
      expect.stringContaining('timeZone: there is no time zone Europe/Pairs'),
      expect.stringContaining('where.0.is.0: there is no category importnat. Did you mean important?'),
      expect.stringContaining('where.1.isNot.0: there is no site paris. There are: lyon.'),
      expect.stringContaining('targets.0.repository: there is no repository mian. Did you mean main?'),
      expect.stringContaining('targets.0.copy: the first target'),
      expect.stringContaining('targets.0.keep: it would keep nothing'),
      expect.stringContaining('targets.1.repository: there is no repository mian'),
      expect.stringContaining('targets.1.repository: mian is a target twice'),
      expect.stringContaining('targets.1.copy: only the first'),
      expect.stringContaining('schedule.plan: nightly after nightly: none of them ever starts'),
      expect.stringContaining('disks.exclude.0'),
    ])
  })

  test('a VM is shut down before its backup only where all that a rule names can do that', () => {
    const images = { hypervisors: ['lab', 'images'], cannotStop: ['images'] }
    const on = (...is: string[]) => said({ stopBefore: true, where: [{ field: 'hypervisor', is }] }, images)
    expect(said({ stopBefore: true }, images)).toEqual([])
    expect(on('lab')).toEqual([])
    expect(on('lab', 'images')).toEqual([])
    expect(on('Images')).toEqual([expect.stringContaining('stopBefore: Images cannot shut a VM down')])
    expect(said({ where: [{ field: 'hypervisor', is: ['images'] }] }, images)).toEqual([])
  })

  test('application consistency is refused where nothing could bring it about', () => {
    const want = (over: Partial<PlanSpec>) => said({ consistency: 'application', hooks: [dump], ...over })
    expect(want({})).toEqual([])
    expect(want({ quiesce: 'preferred' })).toEqual([])
    expect(said({ hooks: [], stopBefore: true, quiesce: 'none' })).toEqual([])
    expect(want({ hooks: [{ ...dump, when: 'after-thaw' }] })).toEqual([
      expect.stringContaining('consistency: no hook runs before the freeze'),
    ])
    expect(want({ quiesce: 'none' })).toEqual([expect.stringContaining('consistency: no guest is asked anything')])
    expect(want({ stopBefore: true })).toEqual([expect.stringContaining('consistency: a VM that is shut down')])
  })

  test('a sequence that comes back to its start is found, one that does not end in a circle is fine', () => {
    const a = { name: 'a', schedule: { kind: 'after', plan: 'b' } } as const
    const b = { name: 'b', schedule: { kind: 'after', plan: 'nightly' } } as const
    const plans = [a, b]
    expect(said({ schedule: { kind: 'after', plan: 'a' } }, { plans })).toEqual([
      expect.stringContaining('nightly after a after b after nightly'),
    ])
    expect(
      said({ schedule: { kind: 'after', plan: 'a' } }, { plans: [{ ...a, schedule: { kind: 'manual' } }] }),
    ).toEqual([])
    expect(said({ schedule: { kind: 'after', plan: 'c' } }, { plans })).toEqual([expect.stringContaining('no plan c')])
  })

  test('categories and overrides', () => {
    expect(categoryProblems(defaultCategories.critical)).toEqual([])
    const odd: Category = {
      ...important,
      keep: {},
      everyMs: 2 * day,
      copies: { repositories: 1, media: 1, offSite: 2, immutable: 0 },
    }
    expect(categoryProblems(odd).map(({ path }) => path.join('.'))).toEqual(['keep', 'copies.offSite', 'everyMs'])
    expect(overrideProblems({ keep: { daily: 0 }, disks: allDisks })).toHaveLength(1)
  })

  test.each([
    ['dialy', ['daily', 'weekly'], 'daily'],
    ['colour', ['daily', 'weekly'], null],
    ['Main', ['main', 'man'], 'main'],
  ])('for %s was probably meant %s', (word, names, meant) => expect(nearest(word, names)).toBe(meant))
})

describe('simulation', () => {
  const daily = Array.from({ length: 366 }, (_, n) => start + n * day)
  const growth = { fullBytes: 1000, changedBytesPerDay: 10 }

  test('a year of nightly points by days, weeks and months', () => {
    const rules = { daily: 14, weekly: 8, monthly: 6, timeZone: 'UTC' }
    const { points, marks } = simulateRetention(daily, rules, growth, [start, start + 365 * day])
    expect(points.filter(({ keptBy }) => keptBy.includes('daily'))).toHaveLength(14)
    expect(points.filter(({ keptBy }) => keptBy.includes('weekly'))).toHaveLength(8)
    expect(points.filter(({ keptBy }) => keptBy.includes('monthly'))).toHaveLength(6)
    expect(marks).toEqual([
      { timeMs: start, points: 1, bytes: 1000 },
      { timeMs: start + 365 * day, points: points.length, bytes: expect.any(Number) as number },
    ])
  })

  test('two points a day apart need a full one and a little less than a day of changes', () => {
    const { marks } = simulateRetention(daily.slice(0, 2), { last: 9, timeZone: 'UTC' }, growth, [start + day])
    expect(marks[0]?.bytes).toBe(1010)
    const all = simulateRetention([start, start + 9999 * day], { last: 9, timeZone: 'UTC' }, growth, [
      start + 9999 * day,
    ])
    expect(all.peakBytes).toBe(2000)
  })

  test('sweeping all along leaves what one sweep at the end would leave', { timeout: 60_000 }, () => {
    const count = fc.integer({ min: 0, max: 6 })
    const rules = fc.record({
      last: fc.integer({ min: 1, max: 5 }),
      hourly: count,
      daily: count,
      weekly: count,
      monthly: count,
    })
    fc.assert(
      fc.property(rules, fc.integer({ min: hour, max: 3 * day }), (keep, every) => {
        const times = Array.from({ length: 150 }, (_, n) => start + n * every)
        const end = times.at(-1) ?? start
        const all = { ...keep, timeZone: 'Europe/Paris' }
        const byPart = simulateRetention(times, all, growth, [start + 40 * every, end]).points
        const points = times.map((timeMs) => ({ id: `${timeMs}`, timeMs, origin: 'scheduled', guard: null }) as const)
        const atOnce = retention(points, all, end).filter(({ keptBy }) => keptBy.length > 0)
        expect(byPart.map(({ timeMs, keptBy }) => ({ id: `${timeMs}`, keptBy }))).toEqual(atOnce)
      }),
      { numRuns: 40 },
    )
  })

  test(
    'of a dense schedule every point that a rule keeps is there, in zones of any offset',
    { timeout: 60_000 },
    () => {
      const count = fc.integer({ min: 0, max: 30 })
      const zone = fc.constantFrom('Europe/Paris', 'Asia/Kathmandu', 'Australia/Lord_Howe')
      const rules = fc.record({ last: count, hourly: count, daily: count, weekly: count, timeZone: zone })
      fc.assert(
        fc.property(rules, fc.integer({ min: 1, max: 40 }), fc.nat({ max: 2 * day }), (keep, minutes, withinMs) => {
          const times = Array.from({ length: 1500 }, (_, n) => start + n * minutes * 60_000)
          const end = times.at(-1) ?? start
          const all = { ...keep, last: keep.last + 1, withinMs }
          const { points } = simulateRetention(times, all, growth, [start + day / 2, end])
          const asked = times.map((timeMs) => ({ id: `${timeMs}`, timeMs, origin: 'scheduled', guard: null }) as const)
          const expected = retention(asked, all, end).filter(({ keptBy }) => keptBy.length > 0)
          expect(points.map(({ timeMs, keptBy }) => ({ id: `${timeMs}`, keptBy }))).toEqual(expected)
        }),
        { numRuns: 30 },
      )
    },
  )

  test('more is never needed for fewer points or fewer changes', { timeout: 60_000 }, () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.nat({ max: 50 }), (last, changed) => {
        const need = (n: number, c: number): number =>
          simulateRetention(
            daily.slice(0, 25),
            { last: n, timeZone: 'UTC' },
            { fullBytes: 1000, changedBytesPerDay: c },
            [start + 25 * day],
          ).peakBytes
        expect(need(last, changed)).toBeLessThanOrEqual(need(last + 1, changed))
        expect(need(last, changed)).toBeLessThanOrEqual(need(last, changed + 1))
      }),
      { numRuns: 15 },
    )
  })
})
