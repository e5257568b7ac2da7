import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { defaultCategories, planDefaults, type Category, type PlanSpec } from '../policy/index.ts'
import { mostCategories } from './categories.ts'
import { openCatalog } from './open.ts'
import { aPoint, aVm, furnish, testCatalog, testNow, type TestCatalog } from './testing.ts'

let here: TestCatalog
let catalog: TestCatalog['catalog']
beforeEach(() => {
  here = testCatalog()
  ;({ catalog } = here)
  furnish(catalog, ['web-01', 'db-01'])
})
afterEach(() => here[Symbol.dispose]())

const hour = 3_600_000
const day = 24 * hour
const standard: Category = defaultCategories.standard
const nightly: PlanSpec = {
  ...planDefaults,
  name: 'nightly',
  targets: [{ repository: 'main', copy: 'backup', keep: null }],
}
const codeOf = (code: string) => expect.objectContaining({ code }) as Error

describe('categories', () => {
  test('a new catalog has the four of the start, the shortest promise first', () => {
    expect(catalog.categories.list().map(({ name, rpoMs }) => [name, rpoMs])).toEqual([
      ['critical', 4 * hour],
      ['important', day],
      ['standard', day],
      ['ephemeral', 7 * day],
    ])
    expect(catalog.categories.get('standard')).toMatchObject({ ...standard, revision: 1, vms: 2 })
  })

  test('what somebody changed stays changed when the catalog is opened again', () => {
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-catalog-'))
    try {
      const path = join(folder, 'catalog.db')
      {
        using first = openCatalog({ path })
        first.categories.put('standard', { ...standard, rpoMs: 6 * hour }, 1)
      }
      using again = openCatalog({ path })
      expect(again.categories.get('standard')).toMatchObject({ rpoMs: 6 * hour, revision: 2 })
      expect(again.categories.list()).toHaveLength(4)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  test('one of their own gives its VMs its promise, in lists as in pages', () => {
    catalog.categories.put('payroll', { ...standard, rpoMs: 2 * hour, rtoMs: hour }, 0)
    catalog.points.record(aPoint(1, { vmId: 'web-01', createdMs: testNow - 3 * hour }))
    expect(catalog.vms.get('web-01').posture.state).toBe('protected')
    catalog.vms.change('web-01', { category: 'payroll' })
    expect(catalog.vms.get('web-01')).toMatchObject({
      promised: { rpoMs: 2 * hour, rtoMs: hour },
      posture: { state: 'overdue' },
    })
    expect(catalog.vms.list({ limit: 10 }, { state: 'overdue' }).items.map(({ id }) => id)).toEqual(['web-01'])
  })

  test('what is set for one VM alone wins over its category', () => {
    catalog.points.record(aPoint(1, { vmId: 'web-01', createdMs: testNow - 3 * hour }))
    catalog.vms.change('web-01', { override: { rpoMs: hour } })
    expect(catalog.vms.get('web-01').posture.state).toBe('overdue')
    expect(catalog.vms.list({ limit: 10 }, { state: 'overdue' }).total).toBe(1)
    expect(catalog.vms.get('db-01').promised.rpoMs).toBe(day)
  })

  test('a VM cannot be of a category that is not there', () => {
    expect(() => catalog.vms.change('web-01', { category: 'no-such' })).toThrow(codeOf('InvalidRequest'))
  })

  test('one that VMs have, or that is there from the start, cannot be removed', () => {
    catalog.categories.put('payroll', standard, 0)
    catalog.vms.change('web-01', { category: 'payroll' })
    expect(() => catalog.categories.remove('payroll', null)).toThrow('1 VM is of the category payroll')
    expect(() => catalog.categories.remove('critical', null)).toThrow(codeOf('InUse'))
    catalog.vms.change('web-01', { category: 'standard' })
    catalog.categories.remove('payroll', 1)
    expect(catalog.categories.find('payroll')).toBeUndefined()
  })

  test('there is an end to how many there can be', () => {
    const before = catalog.categories.list().length
    for (let n = before; n < mostCategories; n += 1) catalog.categories.put(`c-${n}`, standard, 0)
    expect(() => catalog.categories.put('one-more', standard, 0)).toThrow(codeOf('InvalidRequest'))
    expect(catalog.categories.put('c-9', { ...standard, rpoMs: hour }, 1).revision).toBe(2)
  })
})

describe('plans', () => {
  test('the second of two people who change one plan is told', () => {
    const first = catalog.plans.put(nightly, 0)
    expect(first).toEqual({ ...nightly, revision: 1, createdMs: testNow, changedMs: testNow })
    here.clock.ms += 1000
    catalog.plans.put({ ...nightly, concurrency: 8 }, first.revision)
    expect(() => catalog.plans.put({ ...nightly, concurrency: 2 }, first.revision)).toThrow(codeOf('StaleRevision'))
    expect(() => catalog.plans.put(nightly, 0)).toThrow('is there already')
    expect(() => catalog.plans.remove('nightly', 1)).toThrow(codeOf('StaleRevision'))
    expect(catalog.plans.get('nightly')).toMatchObject({ concurrency: 8, revision: 2, changedMs: testNow + 1000 })
  })

  test('saying the same again changes and announces nothing', () => {
    catalog.plans.put(nightly, 0)
    const before = catalog.events.newest()
    const { where, ...rest } = nightly
    expect(catalog.plans.put({ ...rest, where }, null).revision).toBe(1)
    expect(catalog.events.newest()).toBe(before)
  })

  test('a deleted plan is gone, and what it said last is still known to its points', () => {
    catalog.plans.put(nightly, 0)
    catalog.plans.remove('nightly', 1)
    expect(catalog.plans.find('nightly')).toBeUndefined()
    expect(catalog.plans.list({ limit: 10 })).toEqual({ items: [], nextCursor: null, total: 0 })
    expect(catalog.plans.last('nightly')).toMatchObject({ targets: nightly.targets, deletedMs: testNow })
    expect(catalog.plans.put({ ...nightly, priority: 1 }, 0)).toMatchObject({ priority: 1, revision: 3 })
    expect(catalog.plans.last('nightly')?.deletedMs).toBeNull()
  })

  test('pages go through all of them once', () => {
    for (const name of ['c', 'a', 'b']) catalog.plans.put({ ...nightly, name }, 0)
    const first = catalog.plans.list({ limit: 2 })
    const second = catalog.plans.list({ limit: 2, cursor: first.nextCursor ?? '' })
    expect([...first.items, ...second.items].map(({ name }) => name)).toEqual(['a', 'b', 'c'])
    expect(catalog.plans.all()).toHaveLength(3)
  })

  test('a VM is taken by the plans whose rules it meets, unless it is gone or left out on purpose', () => {
    catalog.plans.put(
      {
        ...nightly,
        where: [
          { field: 'name', is: ['web-*'] },
          { field: 'site', is: ['local'] },
        ],
      },
      0,
    )
    catalog.plans.put({ ...nightly, name: 'all' }, 0)
    const plansOf = (id: string) => catalog.policy.plansOf(catalog.vms.get(id)).map(({ name }) => name)
    expect([plansOf('web-01'), plansOf('db-01')]).toEqual([['all', 'nightly'], ['all']])
    catalog.vms.change('web-01', { excludedReason: 'scratch' })
    expect(plansOf('web-01')).toEqual([])
    catalog.vms.recordDiscovered('lab', 'listing-2', [])
    catalog.vms.closeListing('lab', 'listing-2')
    expect(plansOf('db-01')).toEqual([])
    expect([...catalog.policy.candidates()]).toEqual([])
  })

  test('every listed VM is a candidate once, whatever is read at a time', () => {
    catalog.vms.recordDiscovered(
      'lab',
      'listing-1',
      ['a', 'b', 'c'].map((name) => aVm(name)),
    )
    for (const size of [1, 2, 5, 1000])
      expect([...catalog.policy.candidates(size)].map(({ id }) => id)).toEqual(['a', 'b', 'c', 'db-01', 'web-01'])
  })

  test('the last full read of each disk stays known when its point has gone: retention shortens no interval', () => {
    const [first, second] = aPoint(1).disks
    if (!first || !second) throw new Error('the sample has two disks')
    catalog.points.record(aPoint(1, { createdMs: 100 }))
    catalog.points.record(aPoint(2, { createdMs: 200, disks: [first, { ...second, mode: 'incremental' }] }))
    catalog.points.record(aPoint(3, { createdMs: 300, validatedMs: null }))
    catalog.points.record(aPoint(4, { createdMs: 400, vmId: 'db-01' }))
    expect(catalog.policy.lastFulls('web-01', 'main')).toEqual([
      { disk: 'virtio0', createdMs: 200 },
      { disk: 'virtio1', createdMs: 100 },
    ])
    for (const n of [1, 2])
      catalog.retained.recordRemoved('main', [aPoint(n).stem], { ms: testNow, by: 'sweep', why: '' })
    expect(catalog.points.countOf('web-01')).toBe(1)
    expect(catalog.policy.lastFulls('web-01', 'main')).toEqual([
      { disk: 'virtio0', createdMs: 200 },
      { disk: 'virtio1', createdMs: 100 },
    ])
    expect(catalog.policy.lastFulls('web-01', 'offsite')).toEqual([])
  })

  test('only points made by hand count as such, and what changes a day is measured from incremental ones', () => {
    catalog.points.record(aPoint(1, { createdMs: testNow - 2 * day }))
    catalog.points.record(aPoint(2, { origin: 'scheduled' }))
    expect(catalog.policy.manualPoints('web-01', 'main')).toBe(1)
    // One that is gone takes nobody's place.
    catalog.points.recordGone(aPoint(1).id, testNow)
    expect(catalog.policy.manualPoints('web-01', 'main')).toBe(0)
    expect(catalog.policy.changeRates().size).toBe(0)
    const disks = aPoint(3).disks.map((disk) => ({ ...disk, mode: 'incremental' as const }))
    catalog.points.record(aPoint(3, { disks, createdMs: testNow - 2 * day }))
    expect(catalog.policy.changeRates()).toEqual(new Map([['web-01', { readPerDay: 500, storedShare: 0.35 }]]))
  })

  test('a point says which plan made it', () => {
    catalog.points.record(aPoint(1, { plan: 'nightly' }))
    catalog.points.record(aPoint(2))
    expect(
      catalog.points
        .list({ limit: 5 })
        .items.map(({ plan }) => plan)
        .sort(),
    ).toEqual([null, 'nightly'].sort())
  })
})
