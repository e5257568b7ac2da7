import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { HoldfastError, codes, isErrorCode, millis } from '../../base/index.ts'
import type { ChangeRef } from '../../drivers/index.ts'
import { parseRef, storeRef } from '../backup/change-ref.ts'
import { chooseChunks } from '../backup/audit.ts'
import { requestFor } from '../backup/preflight.ts'
import { judgeCheck } from '../drill/judge.ts'
import { toFailure } from './failures.ts'
import { Pool } from './pool.ts'
import { RateMeter } from './rate.ts'
import { Slots } from './slots.ts'

describe('what Temporal learns of an error', () => {
  it('is retried exactly if its class says so, for every code', () => {
    for (const code of Object.keys(codes)) {
      if (!isErrorCode(code)) throw new Error(code)
      const failure = toFailure(new HoldfastError(code, 'm'), 1)
      expect(failure.type).toBe(code)
      expect(!failure.nonRetryable, code).toBe(['transient', 'after'].includes(codes[code].retry))
      expect(failure.details?.[0]).toMatchObject({ code, hint: codes[code].hint })
    }
  })
  it('waits as long as the other side asked for', () => {
    expect(toFailure(new HoldfastError('Throttled', 'm', { retryAfter: 7000 }), 1).nextRetryDelay).toBe(7000)
  })
  it('gives a bug up after five attempts', () => {
    expect([1, 4, 5, 9].map((attempt) => toFailure(new TypeError('x is undefined'), attempt).nonRetryable)).toEqual([
      false,
      false,
      true,
      true,
    ])
  })
  it('stays below what Temporal keeps, however long the message', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 5000 }), fc.string({ maxLength: 5000 }), (message, text) => {
        const error = new HoldfastError('StoreFull', message, {
          native: { code: 'E', text },
          data: { text },
          cause: new Error(text),
        })
        return JSON.stringify(toFailure(error, 1).details).length < 16_000
      }),
    )
  })
})

describe('a pool', () => {
  class Thing implements AsyncDisposable {
    closed = 0
    async [Symbol.asyncDispose](): Promise<void> {
      this.closed += 1
    }
  }
  it('opens once, keeps what works, and opens anew what was evicted once nobody uses it', async () => {
    const opened: Thing[] = []
    const open = async (): Promise<Thing> => {
      const thing = new Thing()
      opened.push(thing)
      return thing
    }
    const stale = new HoldfastError('RepositoryMissing', 'gone')
    const pool = new Pool<Thing>((error) => error === stale)
    await Promise.all([pool.use('k', open, async () => 1), pool.use('k', open, async () => 2)])
    expect(opened).toHaveLength(1)
    await expect(pool.use('k', open, async () => Promise.reject(stale))).rejects.toBe(stale)
    expect(opened[0]?.closed).toBe(1)
    await pool.use('k', open, async () => 3)
    expect(opened).toHaveLength(2)
    await pool[Symbol.asyncDispose]()
    expect(opened.map(({ closed }) => closed)).toEqual([1, 1])
  })
  it('does not keep an opening that failed', async () => {
    let tries = 0
    const pool = new Pool<Thing>(() => false)
    const open = async (): Promise<Thing> => {
      tries += 1
      if (tries === 1) throw new HoldfastError('NetworkFailure', 'down')
      return new Thing()
    }
    await expect(pool.use('k', open, async () => 1)).rejects.toThrow('down')
    await expect(pool.use('k', open, async () => 2)).resolves.toBe(2)
  })
})

describe('slots', () => {
  it('are given in order, come back, and are not lost when somebody stops waiting', async () => {
    const slots = new Slots(1)
    const never = new AbortController().signal
    const first = await slots.take(never)
    const impatient = new AbortController()
    const second = slots.take(impatient.signal)
    const third = slots.take(never)
    impatient.abort(new HoldfastError('Cancelled', 'stopped'))
    await expect(second).rejects.toThrow('stopped')
    first[Symbol.dispose]()
    first[Symbol.dispose]()
    const held = await third
    const order: string[] = []
    const fourth = slots.take(never).then((slot) => (order.push('fourth'), slot))
    held[Symbol.dispose]()
    await fourth
    expect(order).toEqual(['fourth'])
  })

  it('come to restores first, and one more is for them alone', async () => {
    const slots = new Slots(2)
    const never = new AbortController().signal
    const order: string[] = []
    const take = async (name: string, isRestore: boolean): Promise<Disposable> => {
      const slot = await slots.take(never, { isRestore })
      order.push(name)
      return slot
    }
    const slow = [await take('backup 1', false), await take('backup 2', false)]
    const third = take('backup 3', false)
    // All slots are held for as long as the backups take: it begins nevertheless.
    const restore = await take('restore 1', true)
    const second = take('restore 2', true)
    slow[0]?.[Symbol.dispose]()
    const later = await second
    expect(order).toEqual(['backup 1', 'backup 2', 'restore 1', 'restore 2'])
    restore[Symbol.dispose]()
    await Promise.resolve()
    expect(order).toHaveLength(4)
    later[Symbol.dispose]()
    await third
    expect(order.at(-1)).toBe('backup 3')
  })
})

describe('a change reference in the manifest', () => {
  const ref = fc.record({
    kind: fc.constantFrom('qemu-bitmap' as const, 'azure-snapshot' as const),
    point: fc.string({ maxLength: 32 }),
    tracker: fc.string({ maxLength: 32 }),
    token: fc.string({ maxLength: 60 }),
    epoch: fc.string({ maxLength: 20 }),
    volume: fc.string({ maxLength: 40 }),
    size: fc.nat(),
  }) as unknown as fc.Arbitrary<ChangeRef>
  it('comes back as it was', () => {
    fc.assert(
      fc.property(ref, (it) => {
        expect(parseRef(storeRef(it))).toEqual(it)
      }),
    )
  })
  it('is null for whatever else somebody finds there', () => {
    fc.assert(
      fc.property(
        fc.record({ kind: fc.string(), id: fc.oneof(fc.string(), fc.json()) }),
        (stored) => parseRef(stored) === null || stored.kind.includes('-'),
      ),
    )
  })
  it('counts only for the point and the tracker that it names', () => {
    const since = {
      kind: 'qemu-bitmap',
      point: 'p',
      tracker: 't',
      token: '',
      epoch: '',
      volume: 'v',
      size: 1,
    } as unknown as ChangeRef
    const parent = (snap: string) => ({
      snap,
      disks: [
        {
          id: 'd',
          label: '',
          bytes: 1,
          sectorSize: 512,
          mode: 'full' as const,
          why: '',
          readBytes: 0,
          newBytes: 0,
          imageRoot: '',
          changeRef: storeRef(since),
        },
      ],
    })
    const ask = (...args: unknown[]) => requestFor('d' as never, ...(args as [never, never, never])).full
    expect(ask('auto', 't', parent('p'))).toBeNull()
    expect(ask('auto', 't', parent('q'))).toBe('reference-of-another-point')
    expect(ask('auto', 'u', parent('p'))).toBe('reference-of-another-point')
    expect(ask('auto', 't', null)).toBe('no-parent')
    expect(ask('full', 't', parent('p'))).toBe('asked-by-operator')
  })
})

it('the audit picks only unchanged chunks, as many as asked for, the same for the same point', () => {
  fc.assert(
    fc.property(
      fc.array(fc.boolean(), { minLength: 1, maxLength: 500 }),
      fc.integer({ min: 1, max: 200 }),
      fc.nat(),
      (changed, count, ordinal) => {
        const touched = Uint8Array.from(changed, Number)
        const chosen = chooseChunks(touched, count, 'seed', ordinal)
        const unchanged = changed.filter((it) => !it).length
        expect(chosen).toHaveLength(Math.min(count, unchanged))
        expect(new Set(chosen).size).toBe(chosen.length)
        expect(chosen.every((index) => touched[index] === 0)).toBe(true)
        expect(chooseChunks(touched, count, 'seed', ordinal)).toEqual(chosen)
      },
    ),
  )
})

it('the audit walks the whole disk over successive points, wherever the series stands', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 600 }),
      fc.integer({ min: 8, max: 100 }),
      fc.nat(100_000),
      fc.nat(),
      (chunks, count, first, salt) => {
        const seen = new Set<number>()
        const rounds = Math.ceil(chunks / Math.ceil(count / 2))
        for (let n = 0; n < rounds; n += 1) {
          // Some chunks have changed: those are copied anyway.
          const touched = Uint8Array.from({ length: chunks }, (_, i) => Number((i * 31 + n * 17 + salt) % 7 === 0))
          for (const index of chooseChunks(touched, count, `${salt}:${n}`, first + n)) seen.add(index)
          touched.forEach((it, index) => it === 1 && seen.add(index))
        }
        expect(seen.size).toBe(chunks)
      },
    ),
    { numRuns: 30 },
  )
})

it('an audit that its deadline cuts short still looks everywhere, and walks on', () => {
  const chunks = 4096
  const seen = new Set<number>()
  for (let n = 0; n < chunks / 32; n += 1) {
    const part = chooseChunks(new Uint8Array(chunks), 64, `point ${n}`, n).slice(0, 16)
    for (const index of part) seen.add(index)
    const quarters = new Set(part.map((index) => Math.floor((index * 4) / chunks)))
    expect(quarters.size).toBeGreaterThan(1)
  }
  const of = (quarter: number): number => [...seen].filter((i) => Math.floor((i * 4) / chunks) === quarter).length
  const counts = [0, 1, 2, 3].map(of)
  expect(Math.min(...counts)).toBeGreaterThan(0.8 * Math.max(...counts))
})

it('a rate is bytes over time, and unknown before the second look', () => {
  const meter = new RateMeter()
  expect([meter.sample(0, 0), meter.sample(1000, 500), meter.sample(2000, 1500)]).toEqual([null, 500, 750])
})

it('a check is judged by its exit first, then by its count within the tolerance', () => {
  const check = {
    title: 't',
    path: '/x',
    args: [],
    timeoutMs: millis(1),
    expectExit: 0,
    count: { expected: 1000, tolerance: 0.005 },
  }
  const judge = (exit: number, out: string) => judgeCheck(check, { exit, out, err: 'boom' })
  expect(judge(0, '995 rows').passed).toBe(true)
  expect(judge(0, '994 rows')).toMatchObject({ passed: false, count: 994 })
  expect(judge(0, 'none').passed).toBe(false)
  expect(judge(3, '1000')).toMatchObject({ passed: false, detail: 'exit 3, expected 0: boom' })
  expect(judge(0, '99999999999999999999').passed).toBe(false)
  const first = judgeCheck({ ...check, count: { expected: null, tolerance: 0 } }, { exit: 0, out: '7', err: '' })
  expect(first).toMatchObject({ passed: true, count: 7, detail: expect.stringContaining('no earlier drill') as string })
  const matched = (out: string) => judgeCheck({ ...check, pattern: '^ok$' }, { exit: 0, out, err: '' })
  expect(matched('1000\nok').passed).toBe(true)
  expect(matched('1000\nnot ok')).toMatchObject({ passed: false, detail: 'the output does not match ^ok$' })
})
