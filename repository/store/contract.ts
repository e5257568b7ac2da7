import { createHash, randomBytes } from 'node:crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import { MiB } from '../../base/index.ts'
import { inParallel } from './posix-files.ts'
import { listAll, type ObjectStore } from './store.ts'

/** A store under test: an empty place, and as many connections to it as a test wants. */
export interface StoreUnderTest {
  readonly connect: () => ObjectStore
  /** Objects in one page of its listings. */
  readonly page: number
}

const signal = new AbortController().signal
const sha256 = (body: Uint8Array) => createHash('sha256').update(body).digest()
const put = (store: ObjectStore, name: string, body: Uint8Array, defer = false) =>
  store.putIfAbsent(name, body, { sha256: sha256(body), defer, signal })
const bytes = (text: string) => new TextEncoder().encode(text)

/** What any store must keep (§14.1, §14.3), seen over two connections. */
export function storeContract(kind: string, make: () => Promise<StoreUnderTest>): void {
  describe(`${kind}: a store`, () => {
    let a: ObjectStore
    let b: ObjectStore
    let page: number
    beforeEach(async () => {
      const { connect, ...place } = await make()
      page = place.page
      a = connect()
      b = connect()
    })

    it('shows an object that was put to every other connection at once, whole', async () => {
      const body = randomBytes(100_000)
      expect(await put(a, 'snap/x/y.m', body)).toBe('created')
      expect(Buffer.compare(await b.get('snap/x/y.m', MiB, signal), body)).toBe(0)
      expect(await b.head('snap/x/y.m')).toMatchObject({ name: 'snap/x/y.m', size: body.length })
      const listed = await listAll(b, 'snap/')
      expect(listed.map(({ name, size }) => [name, size])).toEqual([['snap/x/y.m', body.length]])
    })

    it('keeps the first object of a name', async () => {
      expect(await put(a, 'fmt', bytes('one'))).toBe('created')
      expect(await put(b, 'fmt', bytes('two'))).toBe('exists')
      expect(await put(a, 'fmt', bytes('one'))).toBe('exists')
      expect(Buffer.from(await b.get('fmt', MiB, signal)).toString()).toBe('one')
    })

    it('lets exactly one of many writers at once create an object', async () => {
      const outcomes = await Promise.all(
        Array.from({ length: 12 }, (_, index) => put(index % 2 ? a : b, 'fmt', bytes(String(index).padStart(2, '0')))),
      )
      const winner = outcomes.indexOf('created')
      expect(outcomes.filter((outcome) => outcome === 'created')).toHaveLength(1)
      expect(Buffer.from(await a.get('fmt', MiB, signal)).toString()).toBe(String(winner).padStart(2, '0'))
    })

    it('makes deferred puts durable and visible at flush, each put of this connection', async () => {
      const names = Array.from({ length: 20 }, (_, index) => `pack/${String(index).padStart(2, '0')}/x${index}`)
      await inParallel(names, 4, async (name) => void (await put(a, name, bytes(name), true)))
      await a.flush()
      expect((await listAll(b, 'pack/')).map(({ name }) => name)).toEqual([...names].sort())
      for (const name of names) expect(Buffer.from(await b.get(name, MiB, signal)).toString()).toBe(name)
      await a.flush()
    })

    it('flushes for everyone who asks at the same time', async () => {
      await put(a, 'pack/aa/1', bytes('1'), true)
      await put(a, 'pack/bb/2', bytes('2'), true)
      await Promise.all([a.flush(), a.flush(), a.flush()])
      expect(await listAll(b, 'pack/')).toHaveLength(2)
    })

    it('gives exact ranges and refuses what lies beyond the end', async () => {
      const body = randomBytes(10_000)
      await put(a, 'keys/x', body)
      for (const [offset, length] of [
        [0, 1],
        [0, 10_000],
        [9_999, 1],
        [1234, 777],
        [10_000, 0],
      ] as const) {
        const got = await b.getRange('keys/x', offset, length, signal)
        expect(Buffer.compare(got, body.subarray(offset, offset + length))).toBe(0)
      }
      await expect(b.getRange('keys/x', 9_999, 2, signal)).rejects.toMatchObject({ name: 'HoldfastError' })
      await expect(b.getRange('keys/x', 20_000, 1, signal)).rejects.toMatchObject({ name: 'HoldfastError' })
    })

    it('gives a whole object of at most so many bytes, and refuses a larger one', async () => {
      const body = randomBytes(10_000)
      await put(a, 'keys/x', body)
      expect(Buffer.compare(await b.get('keys/x', 10_000, signal), body)).toBe(0)
      await expect(b.get('keys/x', 9_999, signal)).rejects.toMatchObject({ code: 'FormatError' })
      await put(a, 'keys/empty', new Uint8Array(0))
      expect(await b.get('keys/empty', 0, signal)).toHaveLength(0)
    })

    it('forgets deferred puts that are discarded, keeps what is durable, and goes on', async () => {
      await put(a, 'pack/aa/1', bytes('1'), true)
      await a.flush()
      await put(a, 'pack/aa/2', bytes('2'), true)
      await a.discard()
      await a.discard()
      await put(a, 'pack/aa/3', bytes('3'), true)
      await a.flush()
      // A store that defers nothing has it durable when the put is acknowledged: no harm, nothing refers to it.
      const kept = a.capabilities.defer ? ['pack/aa/1', 'pack/aa/3'] : ['pack/aa/1', 'pack/aa/2', 'pack/aa/3']
      expect((await listAll(b, 'pack/')).map(({ name }) => name)).toEqual(kept)
    })

    it('tells what is proved absent from everything else', async () => {
      await expect(a.get('keys/none', MiB, signal)).rejects.toMatchObject({ code: 'ObjectAbsent' })
      expect(await a.head('keys/none')).toBeUndefined()
      expect(await a.head('keys/none/deeper')).toBeUndefined()
      expect(await listAll(a, 'keys/')).toEqual([])
      expect(await listAll(a, 'nothing/here/')).toEqual([])
    })

    it('deletes at once and again without complaint', async () => {
      await put(a, 'gc/x', bytes('x'))
      await a.delete('gc/x')
      await a.delete('gc/x')
      expect(await b.head('gc/x')).toBeUndefined()
      expect(await listAll(b, 'gc/')).toEqual([])
      await expect(b.get('gc/x', MiB, signal)).rejects.toMatchObject({ code: 'ObjectAbsent' })
    })

    it('lists by prefix in ascending byte order, folders among files', async () => {
      const names = ['a', 'a-b', 'a.b', 'a0', 'b/1', 'b/1-x', 'b/1.m', 'b/2/z', 'b/10', 'b-1', 'c/d/e/f']
      for (const name of names.slice(1)) await put(a, name, bytes(name))
      const all = (await listAll(b, '')).map(({ name }) => name)
      expect(all).toEqual(names.slice(1).sort())
      for (const prefix of ['b/', 'b/1', 'b', 'b/1.', 'c/d/', 'zz', 'b/2/']) {
        const wanted = names
          .slice(1)
          .filter((name) => name.startsWith(prefix))
          .sort()
        expect((await listAll(b, prefix)).map(({ name }) => name)).toEqual(wanted)
      }
      for (const cursor of all) {
        const { objects } = await b.list('', cursor)
        expect(objects.map(({ name }) => name)).toEqual(all.filter((name) => name > cursor))
      }
      expect((await b.list('', 'b/1-')).objects[0]?.name).toBe('b/1-x')
    })

    it('lists over several pages without losing or repeating a name', async () => {
      const names = Array.from({ length: 2 * page + 7 }, (_, index) => `sess/${index.toString(16).padStart(4, '0')}`)
      await inParallel(names, 16, async (name) => void (await put(a, name, bytes('x'), true)))
      await a.flush()
      expect((await listAll(b, 'sess/')).map(({ name }) => name)).toEqual(names)
    })

    it('stores bodies from shared memory and bodies that are empty', async () => {
      const shared = new Uint8Array(new SharedArrayBuffer(MiB)).subarray(5, 70_000)
      shared.set(randomBytes(shared.length))
      await put(a, 'pack/aa/shared', shared)
      expect(Buffer.compare(await b.get('pack/aa/shared', MiB, signal), shared)).toBe(0)
      await put(a, 'empty', new Uint8Array(0))
      expect(await b.head('empty')).toMatchObject({ size: 0 })
    })

    it('has a clock', async () => {
      const before = Date.now()
      const now = await a.now()
      expect(Math.abs(now - before)).toBeLessThan(60_000)
    })

    it('refuses names that no object can have, and what was cancelled', async () => {
      for (const name of ['', '/x', '../x', 'a//b', 'A', '.x', 'a/../b']) {
        await expect(put(a, name, bytes('x'))).rejects.toThrow()
      }
      const cancelled = AbortSignal.abort()
      await expect(
        a.putIfAbsent('x', bytes('x'), { sha256: sha256(bytes('x')), signal: cancelled }),
      ).rejects.toMatchObject({
        code: 'Cancelled',
      })
      expect(await b.head('x')).toBeUndefined()
    })
  })
}
