import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { MiB } from '../../base/index.ts'
import { createKeyRing, createKeys, argon2id, sha256, type KeyRing } from '../keys/index.ts'
import { BufferBudget, compressAndSeal, identify, openBlob, WorkerPool } from './index.ts'

let ring: KeyRing
let pool: WorkerPool
beforeAll(async () => {
  const keys = await createKeys({
    repo: '00'.repeat(16),
    domain: '11'.repeat(16),
    passphrase: 'x',
    ms: 1,
    argon2: { m: 19_456, t: 1, p: 1 },
    derive: async (text, cost) => argon2id(text, cost),
  })
  ring = createKeyRing(keys.content)
  pool = new WorkerPool(2)
})
afterAll(() => pool[Symbol.asyncDispose]())

const signal = new AbortController().signal
const shared = (bytes: Uint8Array, room = bytes.length) => {
  const memory = new Uint8Array(new SharedArrayBuffer(room))
  memory.set(bytes)
  return memory
}

describe('the worker threads', () => {
  it('do what the main thread would do, on shared memory', async () => {
    const content = Buffer.concat([Buffer.alloc(MiB / 2, 'compressible '), randomBytes(MiB / 2)])
    const memory = shared(content, MiB + 4096)
    const found = await pool.run<'identify'>(ring, { kind: 'identify', content: memory.subarray(0, MiB), type: 1 })
    const same = identify(ring, 1, content)
    expect(found).toMatchObject({ zero: false })
    if (found.zero || same.zero) throw new Error('not zero')
    expect(Buffer.compare(found.id, same.id)).toBe(0)
    const { id, innerHash } = found
    const { length } = await pool.run<'seal'>(ring, {
      kind: 'seal',
      memory,
      length: MiB,
      type: 1,
      id,
      innerHash,
      level: 1,
    })
    expect(length).toBeLessThan(0.6 * MiB)
    const blob = Uint8Array.from(memory.subarray(0, length))
    expect(Buffer.compare(openBlob(ring, blob, { type: 1, id, clen: length - 72, ulen: MiB }), content)).toBe(0)
    const range = Buffer.concat([Buffer.alloc(100), blob])
    const [opened] = await pool.run<'open'>(ring, {
      kind: 'open',
      range,
      blobs: [{ at: 100, type: 1, id, clen: length - 72, ulen: MiB }],
    })
    expect(opened && 'content' in opened && Buffer.compare(opened.content, content)).toBe(0)
    const { sha256: hash } = await pool.run<'hash'>(ring, { kind: 'hash', content: blob })
    expect(Buffer.compare(hash, sha256(blob))).toBe(0)
  })

  it('find zeroes, at any length', async () => {
    for (const length of [1, 511, 4096, MiB]) {
      const zero = new Uint8Array(new SharedArrayBuffer(length))
      expect(await pool.run<'identify'>(ring, { kind: 'identify', content: zero, type: 1 })).toEqual({ zero: true })
      zero[length - 1] = 1
      expect(await pool.run<'identify'>(ring, { kind: 'identify', content: zero, type: 1 })).toMatchObject({
        zero: false,
      })
    }
  })

  it('do not compress what does not get smaller by 1/32', () => {
    const content = randomBytes(100_000)
    const found = identify(ring, 1, content)
    if (found.zero) throw new Error('not zero')
    const into = Buffer.alloc(200_000)
    const length = compressAndSeal(ring, { type: 1, content, ...found, level: 1 }, into)
    expect(length).toBe(100_000 + 72 + 48)
  })

  it('refuse to seal memory that changed since it was hashed', async () => {
    for (const bytes of [randomBytes(MiB), Buffer.alloc(MiB, 'text ')]) {
      const memory = shared(bytes, MiB + 4096)
      const found = identify(ring, 1, memory.subarray(0, MiB))
      if (found.zero) throw new Error('not zero')
      memory[777] = (memory[777] ?? 0) ^ 4
      const { id, innerHash } = found
      const sealing = pool.run<'seal'>(ring, { kind: 'seal', memory, length: MiB, type: 1, id, innerHash, level: 1 })
      await expect(sealing).rejects.toMatchObject({
        code: 'Internal',
        message: expect.stringContaining('changed in memory') as string,
      })
    }
  })

  it('say which blob of a range is damaged, and give the others', async () => {
    const make = (content: Uint8Array) => {
      const found = identify(ring, 1, content)
      if (found.zero) throw new Error('not zero')
      const into = Buffer.alloc(content.length + 200)
      const length = compressAndSeal(ring, { type: 1, content, ...found, level: 1 }, into)
      return { blob: into.subarray(0, length), id: found.id }
    }
    const [a, b, c] = [1, 2, 3].map(() => make(randomBytes(200_000)))
    if (!a || !b || !c) throw new Error('three blobs')
    b.blob[5000] = (b.blob[5000] ?? 0) ^ 1
    const range = Buffer.concat([a.blob, b.blob, c.blob])
    let at = 0
    const blobs = [a, b, c].map(({ blob, id }) => {
      const wanted = { at, type: 1 as const, id, clen: blob.length - 72, ulen: 200_000 }
      at += blob.length
      return wanted
    })
    const opened = await pool.run<'open'>(ring, { kind: 'open', range, blobs })
    expect(opened.map((one) => ('error' in one ? one.error.code : 'fine'))).toEqual(['fine', 'FormatError', 'fine'])
  })

  it('fail what waits in line when they are closed, and never leave a caller waiting', async () => {
    const own = new WorkerPool(1)
    const hash = () => own.run<'hash'>(ring, { kind: 'hash', content: new Uint8Array(4096) })
    const tasks = Promise.allSettled(Array.from({ length: 20 }, hash))
    await own[Symbol.asyncDispose]()
    expect((await tasks).at(-1)).toMatchObject({
      status: 'rejected',
      reason: { code: 'Internal', message: 'the repository was closed meanwhile' },
    })
    await expect(hash()).rejects.toMatchObject({ code: 'Internal' })
  })

  it('are replaced when one dies; its tasks fail, the others’ do not', { timeout: 30_000 }, async () => {
    await using own = new WorkerPool(1)
    const hash = () => own.run<'hash'>(ring, { kind: 'hash', content: shared(Buffer.from('x')) })
    await hash()
    // More than a worker's heap can hold: the thread dies, the process does not.
    const blob = { at: 0, type: 1, id: new Uint8Array(1), clen: 1 } as const
    const blobs = Array.from({ length: 600_000 }, (_, at) => ({ ...blob, at }))
    const bomb = own.run<'open'>(ring, { kind: 'open', range: new Uint8Array(1), blobs })
    await expect(bomb).rejects.toMatchObject({ code: 'Internal', message: expect.stringContaining('ended') as string })
    expect((await hash()).sha256).toHaveLength(32)
  })

  it('refuse work once they are closed', async () => {
    const own = new WorkerPool(1)
    await own[Symbol.asyncDispose]()
    await expect(own.run<'hash'>(ring, { kind: 'hash', content: new Uint8Array(1) })).rejects.toMatchObject({
      code: 'Internal',
    })
  })
})

describe('the buffer budget', () => {
  it('never grants more than its limit, first come, first served', async () => {
    const budget = new BufferBudget(100)
    const a = await budget.acquire(60, signal)
    const order: string[] = []
    const b = budget.acquire(60, signal).then((grant) => (order.push('b'), grant))
    const c = budget.acquire(10, signal).then((grant) => (order.push('c'), grant))
    // Small enough for what is left, but not before those who wait.
    expect(budget.tryAcquire(10)).toBeUndefined()
    expect(budget.used).toBe(60)
    a.release()
    a.release()
    const grants = [await b, await c]
    expect(order).toEqual(['b', 'c'])
    expect(budget.used).toBe(70)
    for (const grant of grants) grant.release()
    expect(budget.used).toBe(0)
  })

  it('lets go of whoever is cancelled, and serves the next', async () => {
    const budget = new BufferBudget(100)
    const held = await budget.acquire(90, signal)
    const controller = new AbortController()
    const waiting = budget.acquire(50, controller.signal)
    const small = budget.acquire(10, signal)
    controller.abort()
    await expect(waiting).rejects.toMatchObject({ code: 'Cancelled' })
    ;(await small).release()
    held.release()
    expect(budget.used).toBe(0)
  })

  it('serves restores before whoever waits longer, and has a reserve for them alone', async () => {
    const budget = new BufferBudget(100, 20)
    const slow = await budget.acquire(100, signal)
    const order: string[] = []
    const told: boolean[] = []
    const onWaiting = (isWaiting: boolean) => told.push(isWaiting)
    const backup = budget.acquire(60, signal, { onWaiting }).then((grant) => (order.push('backup'), grant))
    const isRestore = true
    const first = await budget.acquire(12, signal, { isRestore })
    expect(budget.used).toBe(112)
    expect(budget.tryAcquire(12, { isRestore })).toBeUndefined()
    const second = budget.acquire(12, signal, { isRestore }).then((grant) => (order.push('restore'), grant))
    expect(budget.tryAcquire(1, { isRestore })).toBeUndefined()
    first.release()
    const held = await second
    expect([order, told]).toEqual([['restore'], [true]])
    slow.release()
    const last = await backup
    expect([order, told]).toEqual([
      ['restore', 'backup'],
      [true, false],
    ])
    // Beside the reserve a restore takes what is left to all.
    const beside = await budget.acquire(40, signal, { isRestore })
    expect([budget.used, budget.tryAcquire(1)]).toEqual([112, undefined])
    for (const grant of [held, last, beside]) grant.release()
    expect(budget.used).toBe(0)
  })

  it('refuses what could never be granted', async () => {
    await expect(new BufferBudget(10).acquire(11, signal)).rejects.toMatchObject({ code: 'ConfigInvalid' })
  })

  it('lends memory again instead of making new', () => {
    const budget = new BufferBudget(100)
    const first = budget.lend(40)
    budget.giveBack(first)
    expect(budget.lend(40)).toBe(first)
    expect(budget.lend(40)).not.toBe(first)
  })
})
