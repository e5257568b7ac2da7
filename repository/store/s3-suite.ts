import { createHash, randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { MiB } from '../../base/index.ts'
import { storeContract } from './contract.ts'
import { connectTo, foreignEntries, layOut } from './location.ts'
import { parseLocation } from './location-url.ts'
import { inParallel } from './posix-files.ts'
import { FULL_PROBE, probeStore } from './probe.ts'
import { listAll, type Connect, type ObjectStore } from './store.ts'

/** What this suite needs of a service that runs: structurally lab/stores' S3Lab, which only tests may know. */
export interface S3UnderTest {
  bucket(options?: {
    readonly prefix?: string
    readonly query?: string
  }): Promise<{ readonly bucket: string; readonly url: string }>
  readonly process: { kill(): Promise<void>; start(): Promise<void> }
}

const { signal } = new AbortController()
const sha256 = (body: Uint8Array) => createHash('sha256').update(body).digest()
const put = (store: ObjectStore, name: string, body: Uint8Array) =>
  store.putIfAbsent(name, body, { sha256: sha256(body), signal })

/** What Holdfast relies on, from a real service. */
export function s3Suite(kind: string, lab: () => S3UnderTest): void {
  /** The probe lists more than a page of the size that is used; what else is about pages needs no thousands of objects. */
  const page = 100
  const place = async (query = ''): Promise<Connect> => connectTo(parseLocation((await lab().bucket({ query })).url))

  // Each test has a prefix of its own in one bucket: a bucket costs SeaweedFS volumes, of which it has a few dozen.
  let shared: Promise<{ readonly url: string }> | undefined
  storeContract(kind, async () => {
    const { url } = await (shared ??= lab().bucket())
    return {
      connect: connectTo(parseLocation(url.replace('/?', `/vms/${randomBytes(8).toString('hex')}?`)), {}, page),
      page,
    }
  })

  describe(`${kind} as an S3 store`, () => {
    it('passes the litmus probe', async () => {
      const connect = await place()
      const report = await probeStore([connect(), connect()], { ...FULL_PROBE, objects: 30, rounds: 50, listed: 1_100 })
      expect(report.checks.filter(({ passed }) => !passed)).toEqual([])
      expect(report.passed).toBe(true)
      expect(await listAll(connect(), '')).toEqual([])
    })

    it('lets exactly one of two writers create each of many objects', async () => {
      const connect = await place()
      const [a, b] = [connect(), connect()]
      for (let round = 0; round < 20; round++) {
        const bodies = [randomBytes(MiB), randomBytes(MiB)] as const
        const outcomes = await Promise.all([put(a, `gc/${round}`, bodies[0]), put(b, `gc/${round}`, bodies[1])])
        expect(outcomes.toSorted()).toEqual(['created', 'exists'])
        const winner = bodies[outcomes.indexOf('created')] ?? Buffer.alloc(0)
        expect(winner.equals(await a.get(`gc/${round}`, MiB, signal))).toBe(true)
      }
    })

    it('sees what other programs keep in the bucket, and lists only what is an object', async () => {
      const { url } = await lab().bucket()
      const location = parseLocation(url)
      await layOut(location)
      expect(await foreignEntries(location)).toEqual([])
      const store = connectTo(location)()
      await put(store, 'fmt', randomBytes(10))
      await put(store, 'probe-tmp/00/x', randomBytes(10))
      await put(store, 'probe/0', randomBytes(10))
      expect(await foreignEntries(location)).toEqual([])
      // Byte order has the hyphen before the slash; a service that keeps folders does not.
      expect((await listAll(store, '')).map(({ name }) => name)).toEqual(['fmt', 'probe-tmp/00/x', 'probe/0'])
      await put(store, 'photos/2026', randomBytes(10))
      expect(await foreignEntries(location)).toEqual(['photos'])
    })

    it('says which bucket is missing, and takes its absence for no proof', async () => {
      const { bucket, url } = await lab().bucket()
      const connect = connectTo(parseLocation(url.replace(bucket, 'hf-nowhere')))
      const missing = { code: 'RepositoryMissing', hint: expect.stringContaining('hf-nowhere') as string }
      await expect(connect().head('fmt')).rejects.toMatchObject(missing)
      await expect(connect().get('fmt', 10, signal)).rejects.toMatchObject(missing)
      await expect(connect().list('')).rejects.toMatchObject(missing)
      // Not asked of a put: SeaweedFS makes a bucket for the first object that names it.
      await expect(layOut(parseLocation(url.replace(bucket, 'hf-nowhere')))).rejects.toMatchObject(missing)
    })

    it('emulates put if absent where it is told to', async () => {
      const connect = await place('&if-absent=emulated')
      const store = connect()
      expect(await put(store, 'fmt', Buffer.from('one'))).toBe('created')
      expect(await put(connect(), 'fmt', Buffer.from('two'))).toBe('exists')
      expect(Buffer.from(await store.get('fmt', 10, signal)).toString()).toBe('one')
      expect(store.capabilities.putIfAbsent).toBe('emulated')
    })

    it('refuses bytes that are not what the hash says', async () => {
      const connect = await place()
      const body = randomBytes(MiB)
      const wrong = connect().putIfAbsent('pack/x', body, { sha256: sha256(randomBytes(1)), signal })
      await expect(wrong).rejects.toMatchObject({ name: 'HoldfastError' })
      expect(await connect().head('pack/x')).toBeUndefined()
    })

    it('has every object that it acknowledged after kill -9, and none in part', async () => {
      const connect = await place()
      const store = connect()
      const acknowledged = new Map<string, Buffer>()
      for (let round = 0; round < 3; round++) {
        const dying = inParallel(
          Array.from({ length: 24 }, (_, index) => index),
          6,
          async (index) => {
            const body = randomBytes(2 * MiB)
            const name = `pack/0${round}/${sha256(body).toString('hex')}`
            if (index === 9) void lab().process.kill()
            // A request that dies with the store is tried again until the store is back.
            await put(store, name, body)
            acknowledged.set(name, body)
          },
        )
        await new Promise((resolve) => setTimeout(resolve, 800))
        await lab().process.kill()
        await lab().process.start()
        await dying
      }
      const listed = await listAll(connect(), 'pack/')
      expect(listed.map(({ name }) => name)).toEqual([...acknowledged.keys()].sort())
      await inParallel(acknowledged, 4, async ([name, body]) => {
        expect(body.equals(await connect().get(name, 2 * MiB, signal))).toBe(true)
      })
    })
  })
}
