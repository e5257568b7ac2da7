import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { MemoryBucket } from '../testing/index.ts'
import { BAD_DAY, BROKEN_STORE, seededFaults } from './fault-plan.ts'
import { FaultClock, FaultyStore, type Fault } from './faulty.ts'
import { listAll } from './store.ts'

const { signal } = new AbortController()
const bytes = (text: string) => new TextEncoder().encode(text)

/** A store whose call number `n` has `fault`, and all others have none. */
function scene(n: number, fault: Fault) {
  const bucket = new MemoryBucket()
  const clock = new FaultClock()
  const waits: number[] = []
  const wait = async (ms: number) => waits.push(ms)
  const store = new FaultyStore(bucket.connect(), (call) => (call.n === n ? fault : undefined), clock, wait)
  const put = (name: string, text = 'body', defer = false) => {
    const body = bytes(text)
    return store.putIfAbsent(name, body, { sha256: createHash('sha256').update(body).digest(), defer, signal })
  }
  return { bucket, clock, store, put, waits }
}

describe('a faulty store', () => {
  it('carries out a write that was given up, later', async () => {
    const { bucket, store, put } = scene(1, { kind: 'late-write', calls: 2 })
    await expect(put('gc/x')).rejects.toMatchObject({ code: 'StoreUnavailable' })
    expect(await store.head('gc/x')).toBeUndefined()
    await store.now()
    expect(bucket.names()).toEqual(['gc/x'])
  })

  it('repeats a write, so that what was deleted is back', async () => {
    const { bucket, clock, store, put } = scene(1, { kind: 'duplicate', calls: 5 })
    await put('gc/x')
    await store.delete('gc/x')
    expect(bucket.names()).toEqual([])
    await clock.catchUp(true)
    expect(bucket.names()).toEqual(['gc/x'])
  })

  it('ends a listing early and says that it is complete', async () => {
    const { store, put } = scene(5, { kind: 'truncated', share: 0.5 })
    for (const name of ['gc/1', 'gc/2', 'gc/3', 'gc/4']) await put(name)
    expect((await listAll(store, 'gc/')).map(({ name }) => name)).toEqual(['gc/1', 'gc/2'])
    expect(await listAll(store, 'gc/')).toHaveLength(4)
  })

  it('tears a write, flips a bit, hides, loses an answer, is late, and is full', async () => {
    const torn = scene(1, { kind: 'torn' })
    await expect(torn.put('gc/x', 'abcdef')).rejects.toMatchObject({ code: 'StoreUnavailable' })
    expect(Buffer.from(torn.bucket.body('gc/x')).toString()).toBe('abc')

    const flip = scene(2, { kind: 'flip', bit: 9 })
    await flip.put('gc/x', 'ab')
    expect(Buffer.from(await flip.store.get('gc/x', 10, signal)).toString()).toBe('a`')
    expect(Buffer.from(await flip.store.get('gc/x', 10, signal)).toString()).toBe('ab')

    const stale = scene(2, { kind: 'stale', hides: () => true })
    await stale.put('gc/x')
    expect(await stale.store.head('gc/x')).toBeUndefined()
    expect(await stale.store.head('gc/x')).toBeDefined()

    const lost = scene(1, { kind: 'lost-answer' })
    await expect(lost.put('gc/x')).rejects.toMatchObject({ code: 'StoreUnavailable' })
    expect(lost.bucket.names()).toEqual(['gc/x'])

    const late = scene(1, { kind: 'late', ms: 7 })
    await late.put('gc/x')
    expect(late.waits).toEqual([7])

    const full = scene(1, { kind: 'fail', code: 'StoreFull' })
    await expect(full.put('gc/x')).rejects.toMatchObject({ code: 'StoreFull' })
    expect(full.bucket.names()).toEqual([])
  })
})

describe('faults from a seed', () => {
  const calls = Array.from({ length: 5_000 }, (_, index) => {
    const op = (['put', 'get', 'list', 'head', 'delete', 'flush'] as const)[index % 6] ?? 'put'
    return { n: index + 1, op, name: `gc/${index}` }
  })
  const kinds = (seed: string, mix = BROKEN_STORE) => calls.map((call) => seededFaults(seed, mix)(call)?.kind)

  it('are the same for the same seed, and others for another', () => {
    expect(kinds('a')).toEqual(kinds('a'))
    expect(kinds('a')).not.toEqual(kinds('b'))
    const plan = seededFaults('a', BROKEN_STORE)
    const stale = calls.map(plan).find((fault) => fault?.kind === 'stale')
    if (stale?.kind !== 'stale') throw new Error('no call met a stale answer')
    const hidden = calls.filter(({ name }) => stale.hides(name))
    expect(hidden.length).toBeGreaterThan(calls.length / 5)
    expect(hidden.length).toBeLessThan(calls.length / 2)
    expect(calls.filter(({ name }) => stale.hides(name))).toEqual(hidden)
  })

  it('come as often as the mix says, and only where they can', () => {
    const found = kinds('often')
    const share = (kind: Fault['kind']) => found.filter((each) => each === kind).length / calls.length
    expect(share('fail')).toBeCloseTo(0.02, 2)
    expect(share('torn')).toBeCloseTo(0.02 / 6, 2)
    expect(calls.filter(({ op }, index) => found[index] === 'truncated' && op !== 'list')).toEqual([])
    expect(new Set(kinds('bad', BAD_DAY))).toEqual(new Set([undefined, ...Object.keys(BAD_DAY)]))
    expect(kinds('none', {}).every((kind) => kind === undefined)).toBe(true)
  })
})
