import { createHash, randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { bytes, HoldfastError, millis, type ErrorCode } from '../../base/index.ts'
import { NetworkStore } from './network-store.ts'
import { RateLimiter } from './rate-limiter.ts'
import { Requests, type Failure } from './requests.ts'
import { objectAbsent } from './store.ts'
import type { Action, Wire, WireHead, WirePut } from './wire.ts'

/** What a wire throws here: its meaning, ready-made. */
class Refusal extends Error {
  readonly kind: Failure['kind']
  readonly code: ErrorCode
  constructor(kind: Failure['kind'], code: ErrorCode = 'StoreUnavailable') {
    super(kind)
    this.kind = kind
    this.code = code
  }
}

interface Stored {
  body: Uint8Array
  version?: string
  retainUntil?: number
  isHeld?: boolean
}

/** A service in memory whose faults are those that stores behind HTTP have; nothing else is asked of it. */
class FakeWire implements Wire {
  readonly objects = new Map<string, Stored[]>()
  readonly calls: string[] = []
  /** Called before each request; throws, or does something behind the caller's back. */
  before: (action: Action, name: string) => void = () => undefined
  after: (action: Action, name: string) => void = () => undefined
  versions = false
  checked = true
  ifAbsent: 'right' | 'ignored' | 'inverted' = 'right'
  bucket = true
  #next = 0

  async put(name: string, body: Uint8Array, { ifAbsent, retainUntil }: WirePut, _signal: AbortSignal) {
    return await this.#call('put', name, () => {
      const taken = this.objects.has(name)
      if (ifAbsent && this.ifAbsent === 'right' && taken) throw new Refusal('exists')
      if (ifAbsent && this.ifAbsent === 'inverted' && !taken) throw new Refusal('exists')
      const stored: Stored = { body, ...(retainUntil !== undefined && { retainUntil }) }
      if (this.versions) stored.version = `v${this.#next++}`
      this.objects.set(name, [stored, ...(this.versions ? (this.objects.get(name) ?? []) : [])])
      return { isChecked: this.checked, ...(stored.version !== undefined && { version: stored.version }) }
    })
  }

  async get(name: string, range?: readonly [number, number]) {
    return await this.#call('get', name, () => {
      const { body } = this.#newest(name)
      if (range !== undefined && range[0] >= body.length) throw new Refusal('range', 'FormatError')
      const part = range === undefined ? body : body.subarray(range[0], range[0] + range[1])
      const stream = (async function* () {
        yield part.subarray(0, 3)
        yield part.subarray(3)
      })()
      return { size: body.length, length: part.length, body: stream, close: () => this.calls.push('close') }
    })
  }

  async head(name: string): Promise<WireHead> {
    return await this.#call('head', name, () => {
      const { body, version, retainUntil, isHeld } = this.#newest(name)
      return {
        name,
        size: bytes(body.length),
        modified: millis(0),
        ...(version !== undefined && { version }),
        ...(retainUntil !== undefined && { retainUntil: millis(retainUntil) }),
        ...(isHeld === true && { isHeld }),
      }
    })
  }

  async flat(prefix: string) {
    return await this.#call('list', prefix, () => {
      if (!this.bucket) throw new Refusal('final', 'RepositoryMissing')
      const names = [...this.objects.keys()].filter((name) => name.startsWith(prefix)).sort()
      return { objects: names.map((name) => ({ name, size: bytes(0), modified: millis(0) })), folders: [] }
    })
  }

  async level() {
    return { objects: [], folders: [] }
  }

  async delete(name: string, version: string | undefined) {
    return await this.#call('delete', name, () => {
      const all = this.objects.get(name) ?? []
      if (version === undefined && this.versions) return { marker: 'marker' }
      const gone = version === undefined ? all[0] : all.find((each) => each.version === version)
      if (gone?.retainUntil !== undefined || gone?.isHeld === true) throw new Refusal('refused', 'StoreDenied')
      const left = all.filter((each) => each !== gone)
      if (left.length === 0) this.objects.delete(name)
      else this.objects.set(name, left)
      return {}
    })
  }

  async date() {
    return 1
  }

  async extendRetention(name: string, until: number) {
    await this.#call('retention', name, () => {
      this.#newest(name).retainUntil = until
    })
  }

  async setLegalHold(name: string, isHeld: boolean) {
    this.#newest(name).isHeld = isHeld
  }

  failure(error: unknown): Failure {
    if (!(error instanceof Refusal))
      return { kind: 'transient', error: new HoldfastError('StoreUnavailable', String(error)) }
    return {
      kind: error.kind,
      error: error.kind === 'absent' ? objectAbsent('x') : new HoldfastError(error.code, 'refused'),
    }
  }

  #newest(name: string): Stored {
    const [newest] = this.objects.get(name) ?? []
    if (newest === undefined) throw new Refusal('absent')
    return newest
  }

  async #call<T>(action: Action, name: string, work: () => T): Promise<T> {
    this.calls.push(action)
    this.before(action, name)
    const result = work()
    this.after(action, name)
    return result
  }
}

const { signal } = new AbortController()
const sha256 = (body: Uint8Array) => createHash('sha256').update(body).digest()

function scene(putIfAbsent: 'native' | 'emulated' = 'native') {
  const wire = new FakeWire()
  const wait = async () => undefined
  const connect = () =>
    new NetworkStore({
      kind: 's3',
      serverChecksum: 'sha256',
      objectLock: 's3',
      putIfAbsent,
      wire: async () => wire,
      requests: new Requests({ wait, limiter: new RateLimiter({ clock: Date.now, wait }) }),
      clock: () => 1_000,
    })
  const store = connect()
  const put = (name: string, body: Uint8Array) => store.putIfAbsent(name, body, { sha256: sha256(body), signal })
  return { wire, store, put }
}

/** Throws at the first call of an action, and never again. */
const once = (action: Action, error: Error) => {
  let isDone = false
  return (now: Action) => {
    if (now !== action || isDone) return
    isDone = true
    throw error
  }
}

describe('a put', () => {
  const body = randomBytes(100)

  it('whose answer is lost is recognised as its own, and not taken for that of another', async () => {
    const { wire, put } = scene()
    wire.after = once('put', new Error('ECONNRESET'))
    expect(await put('gc/x', body)).toBe('created')
    expect(wire.calls).toEqual(['put', 'put', 'head', 'get', 'close'])

    const other = scene()
    other.wire.before = (action) => {
      if (action !== 'put' || other.wire.objects.size > 0) return
      other.wire.objects.set('gc/x', [{ body: randomBytes(100) }])
      throw new Error('ECONNRESET')
    }
    expect(await other.put('gc/x', body)).toBe('exists')
  })

  it('is not believed to be whole where the answer does not prove it', async () => {
    const { wire, put } = scene()
    wire.checked = false
    expect(await put('gc/x', body)).toBe('created')
    expect(wire.calls).toEqual(['put', 'head'])
    wire.after = (action, name) => {
      if (action === 'put') wire.objects.set(name, [{ body: body.subarray(0, 50) }])
    }
    await expect(put('gc/y', body)).rejects.toMatchObject({ code: 'StoreChecksumMismatch' })
  })

  it('that meets a pack of its name and another size says so', async () => {
    const { wire, put } = scene()
    const pack = `pack/aa/${'a'.repeat(64)}`
    wire.objects.set(pack, [{ body: body.subarray(0, 9) }])
    await expect(put(pack, body)).rejects.toMatchObject({ code: 'StoreChecksumMismatch' })
  })

  it('emulates if-absent where the store has it the wrong way round', async () => {
    const { wire, store, put } = scene()
    wire.ifAbsent = 'inverted'
    expect(await put('gc/x', body)).toBe('created')
    expect(store.capabilities.putIfAbsent).toBe('emulated')
    expect(await put('gc/x', randomBytes(3))).toBe('exists')
    expect(wire.objects.get('gc/x')?.[0]?.body).toBe(body)
  })

  it('looks first where if-absent is emulated: one HEAD for each put', async () => {
    const { wire, put } = scene('emulated')
    expect(await put('gc/x', body)).toBe('created')
    expect(await put('gc/x', randomBytes(3))).toBe('exists')
    expect(wire.calls).toEqual(['head', 'put', 'head'])
  })

  it('is given up by discard, and the connection can be used on', async () => {
    const { wire, store, put } = scene()
    let begun = () => {}
    const started = new Promise<void>((resolve) => (begun = resolve))
    wire.put = async (_name, _body, _options, within) => {
      begun()
      return await new Promise((_, reject) => within.addEventListener('abort', () => reject(new Error('aborted'))))
    }
    const failing = expect(put('gc/x', body)).rejects.toMatchObject({ code: 'Cancelled' })
    await started
    await store.discard()
    await failing
    wire.put = FakeWire.prototype.put.bind(wire)
    expect(await put('gc/y', body)).toBe('created')
  })
})

describe('what is read', () => {
  it('is exact, or an error that says where the object ends', async () => {
    const { wire, store } = scene()
    wire.objects.set('keys/x', [{ body: Buffer.from('0123456789') }])
    expect(Buffer.from(await store.getRange('keys/x', 2, 5, signal)).toString()).toBe('23456')
    for (const [offset, length] of [
      [8, 5],
      [10, 1],
      [30, 2],
      [11, 0],
    ] as const) {
      const refused = store.getRange('keys/x', offset, length, signal)
      await expect(refused).rejects.toMatchObject({
        code: 'FormatError',
        message: expect.stringContaining('10') as string,
      })
    }
    await expect(store.get('keys/x', 9, signal)).rejects.toMatchObject({ code: 'FormatError' })
  })

  it('is read again when the answer breaks off', async () => {
    const { wire, store } = scene()
    wire.objects.set('keys/x', [{ body: Buffer.from('0123456789') }])
    const get = wire.get.bind(wire)
    let cut = true
    wire.get = async (name, range) => {
      const answer = await get(name, range)
      if (!cut) return answer
      cut = false
      return {
        ...answer,
        body: (async function* () {
          yield Buffer.from('012')
        })(),
      }
    }
    expect(Buffer.from(await store.get('keys/x', 10, signal)).toString()).toBe('0123456789')
  })

  it('is absent only if the store still has the place where it would be', async () => {
    const { wire, store } = scene()
    expect(await store.head('fmt')).toBeUndefined()
    wire.bucket = false
    await expect(store.head('fmt')).rejects.toMatchObject({ code: 'RepositoryMissing' })
    wire.bucket = true
    wire.objects.set('fmt', [{ body: randomBytes(3) }])
    wire.before = (action) => {
      if (action === 'head') throw new Refusal('absent')
    }
    await expect(store.head('fmt')).rejects.toMatchObject({ code: 'StoreUnavailable' })
  })
})

describe('a deletion', () => {
  it('takes every version, and no request more where there are none', async () => {
    const { wire, store, put } = scene()
    wire.versions = true
    wire.ifAbsent = 'ignored'
    for (let n = 0; n < 3; n++) await put('gc/x', randomBytes(3))
    await store.delete('gc/x')
    expect(wire.objects.has('gc/x')).toBe(false)

    const plain = scene()
    for (const name of ['gc/a', 'gc/b', 'gc/c']) await plain.put(name, randomBytes(3))
    plain.wire.calls.length = 0
    for (const name of ['gc/a', 'gc/b', 'gc/c']) await plain.store.delete(name)
    expect(plain.wire.calls).toEqual(['head', 'delete', 'delete', 'delete'])
  })

  it('says that an object is locked, whatever status the store refused with', async () => {
    const { wire, store } = scene()
    wire.objects.set('pack/a', [{ body: randomBytes(3), retainUntil: 5_000 }])
    wire.objects.set('pack/b', [{ body: randomBytes(3), isHeld: true }])
    wire.objects.set('pack/c', [{ body: randomBytes(3), retainUntil: 500 }])
    await expect(store.delete('pack/a')).rejects.toMatchObject({ code: 'StoreLocked' })
    await expect(store.delete('pack/b')).rejects.toMatchObject({ code: 'StoreLocked' })
    // Its retention is over: what refuses is a permission.
    await expect(store.delete('pack/c')).rejects.toMatchObject({ code: 'StoreDenied' })
  })
})

describe('retention', () => {
  it('is extended and never shortened, and asks for nothing that is there', async () => {
    const { wire, store } = scene()
    wire.objects.set('pack/a', [{ body: randomBytes(3), retainUntil: 5_000 }])
    await store.extendRetention('pack/a', millis(9_000))
    await store.extendRetention('pack/a', millis(9_000))
    await store.extendRetention('pack/a', millis(7_000))
    expect(wire.objects.get('pack/a')?.[0]?.retainUntil).toBe(9_000)
    expect(wire.calls.filter((call) => call === 'retention')).toHaveLength(1)
    await expect(store.extendRetention('pack/none', millis(1))).rejects.toMatchObject({ code: 'ObjectAbsent' })
  })
})
