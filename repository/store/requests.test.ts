import { describe, expect, it } from 'vitest'
import { HoldfastError } from '../../base/index.ts'
import { RateLimiter } from './rate-limiter.ts'
import { RequestFailed, Requests, type Failure } from './requests.ts'

/** A clock that only waiting moves. */
function scene(most?: number) {
  const waits: number[] = []
  let now = 1_000_000
  const wait = async (ms: number): Promise<void> => {
    waits.push(ms)
    now += ms
  }
  const clock = (): number => now
  const limiter = new RateLimiter({ clock, wait, ...(most !== undefined && { most }) })
  const requests = new Requests({ clock, wait, limiter, random: () => 1 })
  return { requests, limiter, waits, clock, pass: (ms: number) => (now += ms) }
}

const failing = (kind: Failure['kind'], afterMs?: number): Failure => ({
  kind,
  error: new HoldfastError('StoreUnavailable', kind),
  ...(afterMs !== undefined && { afterMs }),
})

class Thrown extends Error {
  readonly failure: Failure
  constructor(failure: Failure) {
    super(failure.kind)
    this.failure = failure
  }
}

/** Runs one request that fails as `kinds` say and then succeeds. */
async function run(requests: Requests, kinds: readonly Failure[], signal = new AbortController().signal) {
  let calls = 0
  const done = await requests.run(
    { bytes: 0, signal },
    async () => {
      const failure = kinds[calls++]
      if (failure !== undefined) throw new Thrown(failure)
      return 'done'
    },
    (error) => (error as Thrown).failure,
  )
  return { done, calls }
}

const thrown = async (work: Promise<unknown>): Promise<RequestFailed> => {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(RequestFailed)
  return error as RequestFailed
}

describe('requests to a store', () => {
  it('are repeated with growing pauses while the store cannot answer', async () => {
    const { requests, waits } = scene()
    expect(await run(requests, [failing('transient'), failing('transient'), failing('conflict')])).toMatchObject({
      calls: 4,
    })
    expect(waits).toEqual([200, 400, 800])
  })

  it('end after six repetitions with what the store said last', async () => {
    const { requests, waits } = scene()
    const { failure, isAmbiguous } = await thrown(
      run(
        requests,
        Array.from({ length: 9 }, () => failing('transient')),
      ),
    )
    expect(failure.kind).toBe('transient')
    expect(isAmbiguous).toBe(true)
    expect(waits).toEqual([200, 400, 800, 1600, 3200, 6400])
  })

  it.each(['absent', 'exists', 'refused', 'range', 'final'] as const)('are not repeated after %s', async (kind) => {
    const { requests, waits } = scene()
    const { failure, isAmbiguous } = await thrown(run(requests, [failing(kind)]))
    expect([failure.kind, isAmbiguous, waits]).toEqual([kind, false, []])
  })

  it('wait as long as the store asks, and slow down for all connections', async () => {
    const { requests, limiter, waits } = scene()
    await run(requests, [failing('rate', 7_000)])
    expect(waits[0]).toBe(7_000)
    expect(limiter.rate).toBeLessThan(Infinity)
  })

  it('take a 403 that follows a success for a rate limit, and no other', async () => {
    const first = scene()
    expect((await thrown(run(first.requests, [failing('denied')]))).failure.kind).toBe('denied')
    expect(first.waits).toEqual([])

    const second = scene()
    await run(second.requests, [])
    expect(await run(second.requests, [failing('denied'), failing('denied')])).toMatchObject({ done: 'done' })
    expect(second.limiter.rate).toBeLessThan(Infinity)
    second.pass(120_000)
    expect((await thrown(run(second.requests, [failing('denied')]))).failure.kind).toBe('denied')

    const third = scene()
    await run(third.requests, [])
    const { failure } = await thrown(
      run(
        third.requests,
        Array.from({ length: 9 }, () => failing('denied')),
      ),
    )
    expect(failure.kind).toBe('denied')
  })

  it('end at once when they are cancelled, also while they wait', async () => {
    const { requests } = scene()
    const stop = new AbortController()
    const work = run(requests, [failing('transient')], stop.signal)
    stop.abort()
    await expect(work).rejects.toMatchObject({ code: 'Cancelled' })
    await expect(run(requests, [], stop.signal)).rejects.toMatchObject({ code: 'Cancelled' })
  })
})

describe('a limiter', () => {
  it('spaces requests evenly at the rate that the place names', async () => {
    const { limiter, waits } = scene(10)
    const { signal } = new AbortController()
    for (let n = 0; n < 4; n++) await limiter.take(signal)
    expect(waits).toEqual([100, 100, 100])
  })

  it('halves what it measured when the store refused, once per second, and recovers slowly', async () => {
    const { limiter, pass } = scene()
    const { signal } = new AbortController()
    for (let n = 0; n < 100; n++) {
      await limiter.take(signal)
      pass(10)
    }
    limiter.limited()
    expect(limiter.rate).toBeCloseTo(50, -1)
    const limited = limiter.rate
    limiter.limited()
    expect(limiter.rate).toBe(limited)
    pass(5_000)
    limiter.succeeded()
    expect(limiter.rate).toBe(limited)
    pass(6_000)
    limiter.succeeded()
    expect(limiter.rate).toBeCloseTo(limited * 1.25)
  })
})
