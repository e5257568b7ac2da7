import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { aPoint, aRun, aVm, furnish, testCatalog, testNow, type TestCatalog } from './testing.ts'
import type { CategoryName, RunState } from './types.ts'

let here: TestCatalog
beforeEach(() => void (here = testCatalog()))
afterEach(() => here[Symbol.dispose]())

const hour = 3_600_000

describe('discovery', () => {
  beforeEach(() => furnish(here.catalog, []))

  test('a VM keeps the id of its first discovery when it is renamed', () => {
    const { vms } = here.catalog
    expect(vms.recordDiscovered('lab', 'one', [aVm('Web Server (old)')])).toEqual({ added: 1, changed: 0 })
    vms.recordDiscovered('lab', 'two', [
      aVm('Web Server (old)', { vm: { scope: 'scope-1', id: 'uuid-Web Server (old)', name: 'www' } }),
    ])
    expect(vms.get('web-server-old').name).toBe('www')
    expect(vms.list({ limit: 10 }).total).toBe(1)
  })

  test('names that give the same slug get ids of their own, and ids fit into workflow ids', () => {
    const { vms } = here.catalog
    vms.recordDiscovered(
      'lab',
      'one',
      ['db_1', 'db-1', 'DB 1', '数据库', 'x'.repeat(200)].map((name) => aVm(name)),
    )
    const ids = vms.list({ limit: 10 }).items.map((vm) => vm.id)
    expect(ids.sort()).toEqual(['db-1', 'db-1-2', 'db-1-3', 'unnamed', 'x'.repeat(48)])
    for (const id of ids) expect(id).toMatch(/^[a-z0-9-]{1,64}$/)
  })

  test('repeating a page adds and announces nothing', () => {
    const { vms, events } = here.catalog
    vms.recordDiscovered('lab', 'one', [aVm('a'), aVm('b')])
    const before = events.newest()
    expect(vms.recordDiscovered('lab', 'one', [aVm('a'), aVm('b')])).toEqual({ added: 0, changed: 0 })
    expect(events.newest()).toBe(before)
    expect(vms.recordDiscovered('lab', 'one', [aVm('a', { power: 'stopped' })])).toEqual({ added: 0, changed: 1 })
    expect(events.newest()).toBe(before + 1)
  })

  test('only a listing that came to its end says that something is gone, and what comes back is back', () => {
    const { vms } = here.catalog
    vms.recordDiscovered('lab', 'one', [aVm('a'), aVm('b')])
    vms.closeListing('lab', 'one')
    vms.recordDiscovered('lab', 'two', [aVm('a')])
    expect(vms.get('b').goneMs).toBeNull()
    expect(vms.closeListing('lab', 'two')).toEqual({ gone: 1 })
    expect(vms.get('b').goneMs).toBe(testNow)
    expect(vms.closeListing('lab', 'two')).toEqual({ gone: 0 })
    expect(vms.list({ limit: 10 }).items.map((vm) => vm.id)).toEqual(['a'])
    vms.recordDiscovered('lab', 'three', [aVm('b')])
    expect(vms.get('b').goneMs).toBeNull()
  })

  test('what a person has set on a VM outlives discovery', () => {
    const { vms } = here.catalog
    vms.recordDiscovered('lab', 'one', [aVm('a')])
    vms.change('a', { category: 'critical', excludedReason: 'rebuilt every night' })
    vms.recordDiscovered('lab', 'two', [aVm('a', { tags: ['new'] })])
    expect(vms.get('a')).toMatchObject({ category: 'critical', excludedReason: 'rebuilt every night', tags: ['new'] })
    vms.change('a', { excludedReason: null })
    expect(vms.get('a')).toMatchObject({ category: 'critical', excludedReason: null })
  })

  test('counts its changes, and only these: of two people the second is told', () => {
    const { vms } = here.catalog
    vms.recordDiscovered('lab', 'one', [aVm('a')])
    expect(vms.get('a').revision).toBe(1)
    expect(vms.change('a', { category: 'critical' }, 1).revision).toBe(2)
    vms.recordDiscovered('lab', 'two', [aVm('a', { tags: ['new'] })])
    expect(vms.change('a', { category: 'critical', override: {} }, 2).revision).toBe(2)
    expect(() => vms.change('a', { override: { rpoMs: 1 } }, 1)).toThrow(
      'the VM a is at revision 2; the change was made to revision 1',
    )
    expect(vms.get('a')).toMatchObject({ category: 'critical', override: {}, revision: 2 })
    vms.change('a', { excludedReason: 'moves', excludedUntilMs: here.clock.ms })
    vms.endExclusions()
    expect(vms.get('a').revision).toBe(4)
    expect(vms.change('a', { override: { rpoMs: 1 } }).revision).toBe(5)
  })
})

describe('a VM that is left out on purpose', () => {
  beforeEach(() => void furnish(here.catalog, []))

  test('until a time is protected again by itself then, and not a moment before', () => {
    const { vms, events } = here.catalog
    vms.recordDiscovered('lab', 'one', [aVm('a'), aVm('b')])
    vms.change('a', { excludedReason: 'moves', excludedUntilMs: here.clock.ms + 1000 })
    vms.change('b', { excludedReason: 'built again' })
    here.clock.ms += 999
    expect(vms.endExclusions()).toEqual([])
    here.clock.ms += 1
    const seq = events.newest()
    expect(vms.endExclusions()).toEqual([{ id: 'a', name: 'a' }])
    expect(events.after(seq, 9).map(({ type, subject }) => [type, subject])).toEqual([['vm', 'a']])
    expect(vms.get('a')).toMatchObject({ excludedReason: null, excludedUntilMs: null })
    expect(vms.get('b')).toMatchObject({ excludedReason: 'built again', excludedUntilMs: null })
    expect(vms.endExclusions()).toEqual([])
  })

  test('loses its end with its reason, and has none without one', () => {
    const { vms } = here.catalog
    vms.recordDiscovered('lab', 'one', [aVm('a')])
    expect(() => vms.change('a', { excludedUntilMs: 5 })).toThrow('a is not left out')
    vms.change('a', { excludedReason: 'moves', excludedUntilMs: 5 })
    expect(vms.change('a', { excludedUntilMs: 6 })).toMatchObject({ excludedReason: 'moves', excludedUntilMs: 6 })
    expect(vms.change('a', { category: 'critical' })).toMatchObject({ excludedUntilMs: 6 })
    expect(vms.change('a', { excludedReason: 'other' })).toMatchObject({ excludedUntilMs: null })
    vms.change('a', { excludedUntilMs: 7 })
    expect(vms.change('a', { excludedReason: null })).toMatchObject({ excludedReason: null, excludedUntilMs: null })
  })
})

describe('lists', () => {
  test('filters look at name, tag, hypervisor and site', () => {
    furnish(here.catalog, [])
    here.catalog.endpoints.add({
      name: 'other',
      platform: 'image',
      address: '/i',
      site: 'paris',
      credentialRef: '',
      options: {},
    })
    here.catalog.vms.recordDiscovered('lab', 'l', [
      aVm('web-01', { tags: ['Front', 'erp'] }),
      aVm('db-01', { tags: [] }),
    ])
    here.catalog.vms.recordDiscovered('other', 'l', [aVm('web-02', { tags: ['erp'] })])
    const ids = (filter: Parameters<typeof here.catalog.vms.list>[1]): string[] =>
      here.catalog.vms.list({ limit: 10 }, filter).items.map((vm) => vm.id)
    expect(ids({ q: 'WEB' })).toEqual(['web-01', 'web-02'])
    expect(ids({ q: 'front' })).toEqual(['web-01'])
    expect(ids({ q: "'; DROP TABLE vms; --" })).toEqual([])
    expect(ids({ tag: 'erp' })).toEqual(['web-01', 'web-02'])
    expect(ids({ endpointId: 'other' })).toEqual(['web-02'])
    expect(ids({ site: 'local' })).toEqual(['db-01', 'web-01'])
  })

  test('pages together are the whole list, in order, whatever their size', () => {
    furnish(
      here.catalog,
      Array.from({ length: 23 }, (_, n) => `vm-${String(n).padStart(2, '0')}`),
    )
    here.catalog.points.record(aPoint(1, { vmId: 'vm-07' }))
    const whole = here.catalog.vms.list({ limit: 100 }).items.map((vm) => vm.id)
    expect(whole).toHaveLength(23)
    expect(whole.at(-1)).toBe('vm-07')
    for (const limit of [1, 4, 22, 23]) {
      const seen: string[] = []
      let cursor: string | undefined
      do {
        const page = here.catalog.vms.list({ limit, cursor })
        expect(page.total).toBe(23)
        seen.push(...page.items.map((vm) => vm.id))
        cursor = page.nextCursor ?? undefined
      } while (cursor !== undefined)
      expect(seen).toEqual(whole)
    }
  })

  test.each([0, 201, 1.5, Number.NaN])('a page of %s rows is refused', (limit) => {
    expect(() => here.catalog.vms.list({ limit })).toThrow(expect.objectContaining({ code: 'InvalidRequest' }))
  })

  test.each(['', 'x', Buffer.from('[1]').toString('base64url'), Buffer.from('{"a":1}').toString('base64url')])(
    'the foreign cursor %j is refused',
    (cursor) => {
      expect(() => here.catalog.vms.list({ limit: 5, cursor })).toThrow(
        expect.objectContaining({ code: 'InvalidRequest' }),
      )
    },
  )
})

describe('posture', () => {
  const states: RunState[] = [
    'running',
    'paused',
    'waiting',
    'completed',
    'completed-with-residue',
    'failed',
    'cancelled',
    'terminated',
  ]
  const facts = fc.record({
    category: fc.constantFrom<CategoryName>('critical', 'important', 'standard', 'ephemeral'),
    excluded: fc.boolean(),
    ageMs: fc.option(
      fc.oneof(
        fc.integer({ min: -hour, max: 10 * 24 * hour }),
        fc.constantFrom(...[4, 5, 24, 30, 168].flatMap((hours) => [0, 0.25, 0.5].map((more) => (hours + more) * hour))),
      ),
      { nil: null },
    ),
    isValidated: fc.boolean(),
    /** What became of it in a run of a plan that is open, or over; null: none took it. */
    turn: fc.option(
      fc.record({
        state: fc.constantFrom('waiting' as const, 'running' as const, 'completed' as const),
        isOpen: fc.boolean(),
      }),
      { nil: null },
    ),
    runs: fc.array(
      fc.record({
        state: fc.constantFrom(...states),
        kind: fc.constantFrom('backup' as const, 'drill' as const),
        startedAgoMs: fc.integer({ min: 0, max: 40 * hour }),
        tookMs: fc.integer({ min: 0, max: 3 * hour }),
      }),
      { maxLength: 14 },
    ),
  })

  test('the rule in SQL that sorts and filters lists says the same as the rule in policy', { timeout: 120_000 }, () => {
    fc.assert(
      fc.property(fc.array(facts, { minLength: 1, maxLength: 6 }), (all) => {
        using fresh = testCatalog()
        const { catalog, clock } = fresh
        furnish(
          catalog,
          all.map((_, n) => `vm-${n}`),
        )
        all.forEach((one, n) => {
          const vmId = `vm-${n}`
          catalog.vms.change(vmId, { category: one.category, excludedReason: one.excluded ? 'on purpose' : null })
          if (one.ageMs !== null) {
            catalog.points.record(
              aPoint(n + 1, { vmId, createdMs: clock.ms - one.ageMs, validatedMs: one.isValidated ? clock.ms : null }),
            )
          }
          if (one.turn !== null) {
            const id = `plan/nightly/${n}`
            const run = { runId: `plan-${n}`, workflowId: id, kind: 'plan', vmId: null, repositoryId: null } as const
            catalog.runs.started(aRun(0, run))
            if (!one.turn.isOpen) catalog.runs.observe(run.runId, { state: 'completed', endedMs: clock.ms })
            const of = { id, runId: run.runId, plan: 'nightly', trigger: 'schedule', again: null } as const
            catalog.planRuns.open(of, [{ id: vmId, name: vmId }])
            if (one.turn.state !== 'waiting') catalog.planRuns.take(id, '0', 0, { retries: 0, retryAfterMs: 0 })
            const end = { position: 0, attempt: 1, runId: null, detail: '', mayRetry: false } as const
            if (one.turn.state === 'completed') catalog.planRuns.end(id, { ...end, state: 'completed' })
          }
          one.runs.forEach((run, m) => {
            const runId = `${n}-${m}`
            const startedMs = clock.ms - run.startedAgoMs
            const isOpen = run.state === 'running' || run.state === 'paused' || run.state === 'waiting'
            catalog.runs.started(aRun(0, { runId, vmId, kind: run.kind, startedMs }))
            catalog.runs.observe(runId, { state: run.state, endedMs: isOpen ? null : startedMs + run.tookMs })
          })
        })
        const listed = catalog.vms.list({ limit: 50 }).items
        const counts = catalog.statistics.postureCounts()
        for (const state of ['protected', 'late', 'overdue', 'failed', 'unprotected', 'excluded'] as const) {
          const bySql = catalog.vms
            .list({ limit: 50 }, { state })
            .items.map((vm) => vm.id)
            .sort()
          const byPolicy = listed
            .filter((vm) => vm.posture.state === state)
            .map((vm) => vm.id)
            .sort()
          expect(bySql).toEqual(byPolicy)
          expect(counts.by[state]).toBe(byPolicy.length)
        }
        expect(counts.total).toBe(all.length)
        const outside = catalog.vms.list({ limit: 3 }, { state: 'outside-rpo' }).items.map(({ id }) => id)
        expect(catalog.statistics.posturesWithOutside(3)).toEqual({ ...counts, outside })
      }),
      { numRuns: 60 },
    )
  })

  test('a point that is dated ahead proves nothing, and hides none that does', () => {
    furnish(here.catalog, ['ahead', 'both'])
    const { catalog } = here
    const createdMs = testNow + 40 * 24 * hour
    catalog.points.record(aPoint(1, { vmId: 'ahead', createdMs }))
    catalog.points.record(aPoint(2, { vmId: 'both', createdMs }))
    catalog.points.record(aPoint(3, { vmId: 'both' }))
    expect(catalog.vms.list({ limit: 10 }).items.map((vm) => [vm.id, vm.posture.state])).toEqual([
      ['ahead', 'overdue'],
      ['both', 'protected'],
    ])
    expect(catalog.statistics.postureCounts().by).toMatchObject({ overdue: 1, protected: 1 })
  })

  test('the list opens with what needs a person', () => {
    furnish(here.catalog, ['fine', 'never', 'tried', 'idle', 'slow', 'left'])
    const old = testNow - 30 * hour
    const { catalog } = here
    catalog.points.record(aPoint(1, { vmId: 'fine' }))
    for (const [n, vmId] of ['tried', 'idle', 'slow'].entries())
      catalog.points.record(aPoint(n + 2, { vmId, createdMs: old }))
    catalog.runs.started(aRun(1, { vmId: 'tried' }))
    catalog.runs.observe('run-1', { state: 'failed', endedMs: testNow })
    catalog.runs.started(aRun(2, { vmId: 'slow' }))
    catalog.vms.change('left', { excludedReason: 'scratch' })
    expect(catalog.vms.list({ limit: 10 }).items.map((vm) => [vm.id, vm.posture.state])).toEqual([
      ['tried', 'failed'],
      ['idle', 'overdue'],
      ['slow', 'late'],
      ['never', 'unprotected'],
      ['fine', 'protected'],
      ['left', 'excluded'],
    ])
    expect(catalog.vms.list({ limit: 10 }, { state: 'outside-rpo' }).total).toBe(4)
    expect(catalog.vms.list({ limit: 10 }, { state: 'running' }).items.map((vm) => vm.id)).toEqual(['slow'])
  })
})
