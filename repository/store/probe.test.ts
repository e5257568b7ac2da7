import { describe, expect, it, vi } from 'vitest'
import { MemoryBucket } from '../testing/index.ts'
import { FaultyStore, type FaultPlan } from './faulty.ts'
import { probeStore, SMALL_PROBE } from './probe.ts'
import { traitsOf } from './traits.ts'

vi.setConfig({ testTimeout: 30_000 })

async function probe(plan: FaultPlan = () => undefined, clock: () => number = Date.now) {
  const bucket = new MemoryBucket()
  const report = await probeStore(
    [new FaultyStore(bucket.connect(), plan), new FaultyStore(bucket.connect(), plan)],
    SMALL_PROBE,
    clock,
  )
  return { report, failed: report.checks.filter(({ passed }) => !passed).map(({ name }) => name), bucket }
}

describe('the litmus probe', () => {
  it('passes a store that keeps its promises, measures it, and leaves nothing behind', async () => {
    const { report, failed, bucket } = await probe()
    expect(failed).toEqual([])
    expect(report).toMatchObject({ passed: true, staleMs: 0 })
    expect(report.checks.map(({ name }) => name)).toEqual([
      'read after write',
      'two writers see each other',
      'listing of many objects',
      'put if absent',
      'ranges and large objects',
      'delete',
      'clock',
      'staleness of listings',
    ])
    expect(report.writeRate).toBeGreaterThan(0)
    expect(report.readRate).toBeGreaterThan(0)
    expect(bucket.names()).toEqual([])
  })

  it('refuses a store that reads other bytes than were put', async () => {
    const { failed } = await probe(({ op }) => (op === 'get' ? { kind: 'flip', bit: 9 } : undefined))
    expect(failed).toContain('read after write')
    expect(failed).toContain('ranges and large objects')
  })

  it('refuses a store whose listings lag', async () => {
    const listings = new Map<string, number>()
    const { report, failed } = await probe(({ op, name }) => {
      const times = (listings.get(name) ?? 0) + 1
      if (op === 'list') listings.set(name, times)
      return op === 'list' && name.includes('/raw') && times < 3 ? { kind: 'stale', hides: () => true } : undefined
    })
    expect(report).toMatchObject({ passed: false })
    expect(report.staleMs).toBeGreaterThan(0)
    expect(failed).toEqual(['staleness of listings'])
  })

  it('refuses a store in which two writers miss each other', async () => {
    const { failed } = await probe(({ op, name }) =>
      op === 'list' && name.includes('/dekker') ? { kind: 'stale', hides: () => true } : undefined,
    )
    expect(failed).toContain('two writers see each other')
  })

  it('refuses a store whose listing leaves something out', async () => {
    const { failed } = await probe(({ op, name }) =>
      op === 'list' && name.endsWith('/list-') ? { kind: 'stale', hides: (each) => each.endsWith('7') } : undefined,
    )
    expect(failed).toEqual(['listing of many objects'])
  })

  it('refuses a store that shows what was deleted', async () => {
    const bucket = new MemoryBucket()
    const store = bucket.connect()
    store.delete = async () => undefined
    const report = await probeStore([store, bucket.connect()], SMALL_PROBE)
    expect(report.checks.filter(({ passed }) => !passed).map(({ name }) => name)).toEqual(['delete'])
  })

  it('says of a store that lets a second put win that if-absent is emulated, and takes it', async () => {
    const bucket = new MemoryBucket()
    const store = bucket.connect()
    store.putIfAbsent = async (name, body) => {
      bucket.set(name, body)
      return 'created'
    }
    const report = await probeStore([store, store], SMALL_PROBE)
    expect(report.checks.filter(({ passed }) => !passed).map(({ name }) => name)).toEqual(['put if absent'])
    expect(report.passed).toBe(true)
    expect(traitsOf([report])).toEqual({ putIfAbsent: 'emulated' })
  })

  it('says that a clock is off without refusing the store', async () => {
    const { report, failed } = await probe(undefined, () => Date.now() - 3_600_000)
    expect(failed).toEqual(['clock'])
    expect(report.passed).toBe(true)
    expect(report.skewMs).toBeGreaterThan(3_000_000)
  })

  it('throws where the store is denied or full: nothing can be said about it', async () => {
    for (const code of ['StoreDenied', 'StoreFull'] as const) {
      await expect(probe(({ op }) => (op === 'put' ? { kind: 'fail', code } : undefined))).rejects.toMatchObject({
        code,
      })
    }
  })
})
