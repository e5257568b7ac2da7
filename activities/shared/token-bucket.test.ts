import fc from 'fast-check'
import { expect, it } from 'vitest'
import { TokenBucket } from './token-bucket.ts'

/** A clock that only waiting moves. */
function world(rate: number | null) {
  let nowMs = 0
  let waits = 0
  const wait = async (ms: number): Promise<void> => {
    nowMs += ms
    waits += 1
  }
  const bucket = new TokenBucket(rate, { now: () => nowMs, wait })
  return { bucket, now: () => nowMs, waits: () => waits, pass: (ms: number) => (nowMs += ms) }
}
const { signal } = new AbortController()

it('over any time no more goes than the rate, a second of it saved up, and one piece', async () => {
  const pieces = fc.array(fc.integer({ min: 1, max: 4_000_000 }), { minLength: 1, maxLength: 60 })
  const pauses = fc.array(fc.integer({ min: 0, max: 5_000 }), { maxLength: 60 })
  const rates = fc.integer({ min: 65_536, max: 50_000_000 })
  await fc.assert(
    fc.asyncProperty(pieces, pauses, rates, async (sizes, idle, rate) => {
      const { bucket, now, pass } = world(rate)
      const gone: { readonly ms: number; readonly bytes: number }[] = []
      for (const [index, bytes] of sizes.entries()) {
        pass(idle[index] ?? 0)
        await bucket.take(bytes, signal)
        gone.push({ ms: now(), bytes })
      }
      const largest = Math.max(...sizes)
      for (const [from, { ms: since }] of gone.entries())
        for (let to = from, sum = 0; to < gone.length; to += 1) {
          sum += gone[to]?.bytes ?? 0
          const elapsed = ((gone[to]?.ms ?? 0) - since) / 1000
          expect(sum).toBeLessThanOrEqual(rate * (elapsed + 1) + largest + rate / 100)
        }
    }),
  )
})

it('whoever always has something to send gets the whole rate', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 65_536, max: 50_000_000 }),
      fc.integer({ min: 20, max: 200 }),
      async (rate, n) => {
        const { bucket, now } = world(rate)
        const bytes = Math.ceil(rate / 7)
        for (let sent = 0; sent < n; sent += 1) await bucket.take(bytes, signal)
        // What the last piece costs is paid by whoever comes next.
        const expected = (((n - 1) * bytes) / rate) * 1000
        expect(Math.abs(now() - expected)).toBeLessThanOrEqual(expected * 0.02 + n)
      },
    ),
  )
})

it('several share one bucket in the order in which they came', async () => {
  const { bucket } = world(1_000)
  const order: number[] = []
  const takes = [1, 2, 3, 4].map(async (n) => {
    await bucket.take(500, signal)
    order.push(n)
  })
  await Promise.all(takes)
  expect(order).toEqual([1, 2, 3, 4])
})

it('a changed rate counts for who waits already, and a limit that is taken away lets all go', async () => {
  const { bucket, now } = world(1_000)
  await bucket.take(100_000, signal)
  const waits: number[] = []
  const next = bucket.take(1, signal, () => {
    waits.push(now())
    if (waits.length === 2) bucket.setRate(null)
  })
  await next
  expect(now()).toBeLessThanOrEqual(1_000)
})

it('who is told to stop waits no longer, and holds up nobody', async () => {
  const { bucket, now } = world(1_000)
  await bucket.take(2_000, signal)
  const stop = new AbortController()
  const stopped = bucket.take(1_000_000, stop.signal, () => stop.abort(new Error('stopped')))
  const next = bucket.take(1, signal)
  await expect(stopped).rejects.toThrow('stopped')
  await next
  expect(now()).toBeLessThanOrEqual(2_100)
})

it('whoever stands in the queue is told again and again that he waits, and leaves it at once when he is stopped', async () => {
  const { bucket, now } = world(1_000)
  await bucket.take(100_000, signal)
  const first = bucket.take(1, signal)
  const stop = new AbortController()
  let beats = 0
  const second = bucket.take(1, stop.signal, () => {
    beats += 1
    if (beats === 4) stop.abort(new Error('stopped'))
  })
  const third = bucket.take(1, signal)
  await expect(second).rejects.toThrow('stopped')
  // Long before it was the turn of the first one.
  expect(now()).toBeLessThan(10_000)
  await Promise.all([first, third])
  expect(now()).toBeGreaterThanOrEqual(100_000)
  await expect(bucket.take(1, stop.signal)).rejects.toThrow('stopped')
})
