import { randomBytes } from 'node:crypto'
import { describeError, HoldfastError, isHoldfastError, MiB } from '../../base/index.ts'
import { names } from '../format/index.ts'
import type { ProbeReport } from '../types.ts'
import { inParallel } from './posix-files.ts'
import { expect, expectSame, put, putOutcome } from './probe-expect.ts'
import { probeLock, type LockTimes } from './probe-lock.ts'
import { listAll, type ObjectStore } from './store.ts'

/** How much a probe does; tests take less. */
export interface ProbeSize {
  /** Check 1. */
  readonly objects: number
  /** Check 2. */
  readonly rounds: number
  /** Check 3. */
  readonly listed: number
  /** Check 4. */
  readonly racers: number
  /** Check 5. */
  readonly largest: number
  /** Check 9, in ms; default: what a service in the network needs. */
  readonly lock?: LockTimes
}
/** §14.4. */
export const FULL_PROBE: ProbeSize = { objects: 100, rounds: 200, listed: 2_100, racers: 20, largest: 128 * MiB }
/** Name of check 4. If it alone fails, the store is used with if-absent emulated (traits.ts). */
export const IF_ABSENT = 'put if absent'
/** Failures that do not refuse a store: 7 concerns pruning only, 4 is an optimisation. */
export const tolerated: ReadonlySet<string> = new Set(['clock', IF_ABSENT])

/** The same checks on less: for tests, where the store is known. */
export const SMALL_PROBE: ProbeSize = { objects: 8, rounds: 8, listed: 40, racers: 4, largest: 2 * MiB }

/** §9.8: of checks 1 to 3, before each collection: enough for more than one page of a listing. */
export const REPEATED_PROBE: RepeatedSize = { objects: 20, rounds: 20, listed: 1_100 }
/** Of a directory of this host the kernel lists all; pages are made of it here, and every object costs a sync. */
export const REPEATED_LOCALLY: RepeatedSize = { objects: 20, rounds: 20, listed: 100 }
export type RepeatedSize = Pick<ProbeSize, 'objects' | 'rounds' | 'listed'>

const RATE_BYTES = 32 * MiB
const MAX_SKEW_MS = 5 * 60_000
/** How long check 8 waits for a listing that lags. */
const STALE_LIMIT_MS = 60_000

type Check = ProbeReport['checks'][number]

/**
 * The litmus probe of §14.4 over two connections; check 9 where the location says that objects can be locked. Objects lie
 * under `probe-tmp/` and are removed. A failed check is in the report; what the store throws on the way fails its check. A
 * store that cannot be reached at all throws.
 */
export async function probeStore(
  connections: readonly [ObjectStore, ObjectStore],
  size: ProbeSize = FULL_PROBE,
  clock: () => number = Date.now,
): Promise<ProbeReport> {
  const probe = new Probe(connections, size)
  const skewMs = (await connections[0].now()) - clock()
  try {
    const checks = [
      await probe.run('read after write', () => probe.readAfterWrite()),
      await probe.run('two writers see each other', () => probe.dekker()),
      await probe.run('listing of many objects', () => probe.listing()),
      await probe.run(IF_ABSENT, () => probe.ifAbsent()),
      await probe.run('ranges and large objects', () => probe.ranges()),
      await probe.run('delete', () => probe.deletion()),
      {
        name: 'clock',
        passed: Math.abs(skewMs) <= MAX_SKEW_MS,
        detail: `the store's clock differs by ${skewMs} ms; more than 5 min: nothing is pruned`,
      },
      {
        name: 'staleness of listings',
        passed: probe.staleMs === 0,
        detail: probe.staleMs === 0 ? 'none seen' : `a listing lagged by ${probe.staleMs} ms`,
      },
    ]
    if (connections[0].capabilities.objectLock !== 'none') {
      checks.push(await probe.run('object lock', () => probe.lock()))
    }
    const rates = await probe.rates()
    const passed = !probe.isMixedUp && checks.every((check) => check.passed || tolerated.has(check.name))
    return { passed, checks, staleMs: probe.staleMs, skewMs, ...rates }
  } finally {
    await probe.cleanUp()
  }
}

/** Checks 1 to 3 of §14.4 alone: what a collection relies on (§9.8). As probeStore. */
export async function repeatProbe(
  connections: readonly [ObjectStore, ObjectStore],
  size: RepeatedSize,
): Promise<Pick<ProbeReport, 'checks' | 'staleMs'>> {
  const probe = new Probe(connections, { ...size, racers: 0, largest: 0 })
  try {
    const checks = [
      await probe.run('read after write', () => probe.readAfterWrite()),
      await probe.run('two writers see each other', () => probe.dekker()),
      await probe.run('listing of many objects', () => probe.listing()),
    ]
    return { checks, staleMs: probe.staleMs }
  } finally {
    await probe.cleanUp()
  }
}

class Probe {
  readonly #a: ObjectStore
  readonly #b: ObjectStore
  readonly #size: ProbeSize
  readonly #run = randomBytes(16).toString('hex')
  readonly #signal = new AbortController().signal
  staleMs = 0
  /** Concurrent puts left something that none of them has put: no precondition of §14.3 can be trusted. */
  isMixedUp = false

  constructor([a, b]: readonly [ObjectStore, ObjectStore], size: ProbeSize) {
    this.#a = a
    this.#b = b
    this.#size = size
  }

  async run(name: string, work: () => Promise<string>): Promise<Check> {
    try {
      return { name, passed: true, detail: await work() }
    } catch (error) {
      // Not reached at all: nothing can be said about the store.
      if (isHoldfastError(error) && ['StoreDenied', 'StoreFull', 'RepositoryMissing'].includes(error.code)) throw error
      return { name, passed: false, detail: describeError(error) }
    }
  }

  async readAfterWrite(): Promise<string> {
    const items = this.#items('raw', this.#size.objects)
    await inParallel(items, 8, async ({ name, body }) => {
      await put(this.#a, name, body)
      expectSame(await this.#b.get(name, body.length, this.#signal), body, name)
      const info = await this.#b.head(name)
      expect(info?.size === body.length, `HEAD of ${name} does not show what was put`)
      await this.#expectListed(this.#b, name)
    })
    return `${items.length} objects were read, found and listed by another connection at once`
  }

  async dekker(): Promise<string> {
    for (let round = 0; round < this.#size.rounds; round++) {
      const prefix = this.#name(`dekker-${round}-`)
      const [x, y] = [`${prefix}x`, `${prefix}y`]
      const body = randomBytes(16)
      const turn = async (store: ObjectStore, mine: string, theirs: string) => {
        await put(store, mine, body)
        return (await listAll(store, prefix)).some(({ name }) => name === theirs)
      }
      const [aSees, bSees] = await Promise.all([turn(this.#a, x, y), turn(this.#b, y, x)])
      expect(aSees || bSees, `in round ${round} two writers both missed the other's object`)
    }
    return `${this.#size.rounds} rounds`
  }

  async listing(): Promise<string> {
    const items = this.#items('list', this.#size.listed)
    await inParallel(items, 16, async ({ name, body }) => {
      await putOutcome(this.#a, name, body, { defer: true })
    })
    await this.#a.flush()
    const prefix = this.#name('list-')
    const wanted = items.map(({ name }) => name).sort()
    const listed = (await listAll(this.#b, prefix)).map(({ name }) => name)
    expect(listed.length === wanted.length, `${listed.length} of ${wanted.length} objects were listed`)
    expect(
      listed.every((name, index) => name === wanted[index]),
      'the listing is out of order or has duplicates',
    )
    const middle = wanted[Math.floor(wanted.length / 2)] ?? ''
    const after: string[] = []
    for (let cursor: string | undefined = middle; cursor !== undefined;) {
      const page: Awaited<ReturnType<ObjectStore['list']>> = await this.#b.list(prefix, cursor)
      after.push(...page.objects.map(({ name }) => name))
      cursor = page.next
    }
    expect(after.length === wanted.filter((name) => name > middle).length, 'a cursor does not begin where it should')
    return `${listed.length} objects, complete and in order`
  }

  async ifAbsent(): Promise<string> {
    const name = this.#name('race')
    const bodies = Array.from({ length: this.#size.racers }, () => randomBytes(4096))
    const outcomes = await Promise.all(
      bodies.map((body, index) => putOutcome(index % 2 === 0 ? this.#a : this.#b, name, body)),
    )
    const created = outcomes.filter((outcome) => outcome === 'created').length
    const { putIfAbsent } = this.#a.capabilities
    const content = await this.#b.get(name, 4096, this.#signal)
    this.isMixedUp = !bodies.some((body) => body.equals(content))
    expect(!this.isMixedUp, 'the object is none of those put')
    expect(created >= 1, 'nobody created the object')
    if (putIfAbsent === 'emulated')
      return `emulated; ${created} of ${bodies.length} thought they had created the object`
    expect(created === 1, `${created} of ${bodies.length} concurrent puts created the object; it is emulated`)
    const winner = bodies[outcomes.indexOf('created')]
    expect(winner?.equals(content) === true, "the object is not the winner's")
    expect((await putOutcome(this.#a, name, randomBytes(16))) === 'exists', 'a second put was not refused')
    expectSame(await this.#b.get(name, 4096, this.#signal), content, name)
    return `${bodies.length} at once: exactly one created the object`
  }

  async ranges(): Promise<string> {
    const body = randomBytes(this.#size.largest)
    const name = this.#name('large')
    await put(this.#a, name, body)
    const { length } = body
    const ranges: [number, number][] = [
      [0, 1],
      [0, 4096],
      [(length >>> 1) - 7, 4099],
      [length - 1, 1],
    ]
    // All of it, in pieces: twice an object of this size need not fit in memory.
    for (let at = 0; at < length; at += 4 * MiB) ranges.push([at, Math.min(4 * MiB, length - at)])
    for (const [offset, size] of ranges) {
      const got = await this.#b.getRange(name, offset, size, this.#signal)
      expectSame(got, body.subarray(offset, offset + size), `${name} from byte ${offset}`)
    }
    let beyond: 'refused' | 'given' = 'given'
    try {
      await this.#b.getRange(name, length - 10, 20, this.#signal)
    } catch (error) {
      if (!isHoldfastError(error)) throw error
      beyond = 'refused'
    }
    expect(beyond === 'refused', 'a range beyond the end was answered')
    const checksum = await this.#checksum()
    return `an object of ${length / MiB} MiB, read whole and in parts${checksum}`
  }

  /** Only a store that is sent the hash can refuse other bytes. */
  async #checksum(): Promise<string> {
    if (this.#a.capabilities.serverChecksum !== 'sha256') return ''
    const name = this.#name('wrong')
    try {
      await this.#a.putIfAbsent(name, randomBytes(64), { sha256: randomBytes(32), signal: this.#signal })
    } catch (error) {
      if (!isHoldfastError(error)) throw error
      expect((await this.#b.head(name)) === undefined, 'bytes that are not what their hash says are there all the same')
      return '; bytes that are not what their hash says are refused'
    }
    throw new HoldfastError('StoreUnfit', 'bytes that are not what their hash says were taken')
  }

  async deletion(): Promise<string> {
    const name = this.#name('gone')
    await put(this.#a, name, randomBytes(100))
    await this.#a.delete(name)
    expect((await this.#b.head(name)) === undefined, 'HEAD shows an object that was deleted')
    expect((await listAll(this.#b, name)).length === 0, 'a listing shows an object that was deleted')
    let read: 'absent' | 'given' = 'given'
    try {
      await this.#b.get(name, 100, this.#signal)
    } catch (error) {
      if (!isHoldfastError(error) || error.code !== 'ObjectAbsent') throw error
      read = 'absent'
    }
    expect(read === 'absent', 'an object that was deleted is still read')
    await this.#a.delete(name)
    const versions = this.#a.capabilities.versioned ? '; the store keeps versions, and each of them is removed' : ''
    return `gone at once; deleting again is no error${versions}`
  }

  async lock(): Promise<string> {
    return await probeLock(this.#a, this.#name('locked'), this.#size.lock)
  }

  /** Bytes per second of objects as large as a pack. */
  async rates(): Promise<{ readonly writeRate: number; readonly readRate: number }> {
    const bytes = Math.min(RATE_BYTES, this.#size.largest)
    const body = randomBytes(bytes)
    const name = this.#name('rate')
    const began = performance.now()
    await put(this.#a, name, body)
    const got = performance.now()
    await this.#b.get(name, bytes, this.#signal)
    const end = performance.now()
    const rate = (ms: number) => Math.round((bytes / Math.max(ms, 0.01)) * 1000)
    return { writeRate: rate(got - began), readRate: rate(end - got) }
  }

  async cleanUp(): Promise<void> {
    const left = await listAll(this.#a, this.#name(''))
    await inParallel(left, 16, ({ name }) => this.#a.delete(name))
  }

  /** Check 8: how long a listing takes to show an object that was acknowledged. */
  async #expectListed(store: ObjectStore, name: string): Promise<void> {
    const began = performance.now()
    for (let first = true; ; first = false) {
      const listed = (await listAll(store, name)).some((object) => object.name === name)
      const waited = Math.round(performance.now() - began)
      if (listed) {
        if (!first) this.staleMs = Math.max(this.staleMs, Math.max(1, waited))
        return
      }
      expect(waited < STALE_LIMIT_MS, `${name} was put and is not listed after ${waited} ms`)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }

  #items(kind: string, count: number): { readonly name: string; readonly body: Buffer }[] {
    return Array.from({ length: count }, (_, index) => ({
      name: this.#name(`${kind}-${index.toString(16).padStart(6, '0')}`),
      body: randomBytes(64),
    }))
  }

  #name(rest: string): string {
    return rest === '' || rest.endsWith('-') ? `probe-tmp/${this.#run}/${rest}` : names.probeTmp(this.#run, rest)
  }
}
