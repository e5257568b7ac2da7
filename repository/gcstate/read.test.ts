import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { names } from '../format/index.ts'
import { verifyRecord } from '../keys/index.ts'
import type { OpenedRepository } from '../repository.ts'
import { FaultClock, FaultyStore, type FaultPlan } from '../store/index.ts'
import { GcScript, noSignal, RepositoryLab, type MemoryBucket } from '../testing/index.ts'
import { GcStateReader } from './index.ts'

vi.setConfig({ testTimeout: 30_000 })

const [A, B, C] = ['aa', 'bb', 'cc'].map((digits) => digits.repeat(32)) as [string, string, string]
let lab: RepositoryLab
let opened: OpenedRepository
let bucket: MemoryBucket
let gc: GcScript
beforeAll(async () => {
  lab = await RepositoryLab.create()
  opened = await lab.open()
})
beforeEach(() => {
  bucket = lab.bucket.clone()
  gc = new GcScript(bucket, opened.engine.ring)
})
afterAll(async () => {
  await opened[Symbol.asyncDispose]()
  await lab[Symbol.asyncDispose]()
})

const reader = () => new GcStateReader(opened.id, (record) => verifyRecord(record, opened.engine.ring) === 'good')
const read = (plan: FaultPlan = () => undefined) => reader().read(new FaultyStore(bucket.connect(), plan), noSignal)
const flip = (name: string, at: number) => {
  const body = Uint8Array.from(bucket.body(name))
  body[at] = (body[at] ?? 0) ^ 1
  bucket.set(name, body)
}

describe('a reading of garbage collection', () => {
  it('of a new repository has base 0 and floor 1', async () => {
    expect(await read()).toEqual({ base: 0, floor: 1, records: [] })
  })

  it('counts the condemned set until a sound final set is there', async () => {
    const record = gc.condemn(1, [A, B])
    const before = await read()
    expect(before.base).toBe(1)
    expect([A, B, C].map((pack) => before.records[0]?.set.has(pack))).toEqual([true, true, false])
    const name = gc.finish(record, [B])
    const after = await read()
    expect([A, B].map((pack) => after.records[0]?.set.has(pack))).toEqual([false, true])
    // A final set that fails its MAC errs towards keeping (§4.8).
    flip(name, bucket.body(name).length - 1)
    const forged = await read()
    expect([A, B].map((pack) => forged.records[0]?.set.has(pack))).toEqual([true, true])
  })

  it('never gives a base again, even when all records are gone', async () => {
    gc.raiseFloor(7)
    expect(await read()).toMatchObject({ base: 6, floor: 7 })
  })

  it('takes the greatest floor', async () => {
    gc.raiseFloor(3)
    gc.raiseFloor(2)
    expect((await read()).floor).toBe(3)
  })

  it('keeps bodies and floors by name: a second reading lists only', async () => {
    const record = gc.condemn(1, [A])
    gc.finish(record, [A])
    const clock = new FaultClock()
    const store = new FaultyStore(bucket.connect(), () => undefined, clock)
    const kept = reader()
    await kept.read(store, noSignal)
    expect(clock.calls.filter(({ op }) => op === 'get')).toHaveLength(3)
    await kept.read(store, noSignal)
    expect(clock.calls.map(({ op }) => op).slice(-2)).toEqual(['list', 'list'])
  })

  it('reads floor/ after gc/', async () => {
    const clock = new FaultClock()
    await reader().read(new FaultyStore(bucket.connect(), () => undefined, clock), noSignal)
    expect(clock.calls.map(({ op, name }) => `${op} ${name.split('/')[0]}`)).toEqual([
      'list gc',
      'list floor',
      'get floor',
    ])
  })

  it('begins again where a record was retired between listing and reading', async () => {
    const record = gc.condemn(1, [A])
    let retired = false
    const state = await read(({ op, name }) => {
      if (op === 'get' && name === record.name && !retired) {
        retired = true
        gc.raiseFloor(2)
        bucket.objects.delete(record.name)
      }
      return undefined
    })
    expect(state).toEqual({ base: 1, floor: 2, records: [] })
  })
})

describe('a reading is refused', () => {
  it('without any floor', async () => {
    bucket.objects.delete(names.floor(1))
    await expect(read()).rejects.toMatchObject({ code: 'FloorMissing' })
  })

  it('if a listing leaves out a record that another one has seen', async () => {
    const first = gc.condemn(1, [A])
    const { epoch, nonce } = first
    gc.condemn(2, [B], { seen: [{ epoch, nonce }] })
    await expect(read()).resolves.toMatchObject({ base: 2 })
    const hides = (name: string) => name === first.name
    await expect(read(() => ({ kind: 'stale', hides }))).rejects.toMatchObject({ code: 'ListingIncomplete' })
    // Retired, and the floor says so: nothing is missing.
    bucket.objects.delete(first.name)
    await expect(read()).rejects.toMatchObject({ code: 'ListingIncomplete' })
    gc.raiseFloor(2)
    await expect(read()).resolves.toMatchObject({ base: 2, floor: 2 })
  })

  it('if the floor is below one that a record has seen', async () => {
    gc.raiseFloor(4)
    gc.condemn(5, [A], { floorSeen: 4 })
    await expect(read()).resolves.toMatchObject({ floor: 4 })
    const hides = (name: string) => name === names.floor(4)
    await expect(read(() => ({ kind: 'stale', hides }))).rejects.toMatchObject({ code: 'ListingIncomplete' })
  })

  it('if a final set has lost its condemned set, unless the floor has passed it', async () => {
    const record = gc.condemn(3, [A])
    gc.finish(record, [A])
    bucket.objects.delete(record.name)
    await expect(read()).rejects.toMatchObject({ code: 'ListingIncomplete' })
    gc.raiseFloor(4)
    await expect(read()).resolves.toMatchObject({ base: 3, records: [] })
  })

  it('if a record or the floor is forged', async () => {
    const record = gc.condemn(1, [A])
    flip(record.name, bucket.body(record.name).length - 1)
    await expect(read()).rejects.toMatchObject({ code: 'RecordForged' })
    bucket.objects.delete(record.name)
    flip(names.floor(1), 95)
    await expect(read()).rejects.toMatchObject({ code: 'RecordForged' })
  })

  it('if a record dates knowledge into the future', async () => {
    gc.condemn(2 ** 20 + 2, [A])
    await expect(read()).rejects.toMatchObject({ code: 'RecordForged' })
  })

  it('if a record cannot be read now: unreadable is not absent', async () => {
    const record = gc.condemn(1, [A])
    const plan: FaultPlan = ({ op, name }) =>
      op === 'get' && name === record.name ? { kind: 'fail', code: 'StoreUnavailable' } : undefined
    await expect(read(plan)).rejects.toMatchObject({ code: 'StoreUnavailable' })
  })
})
