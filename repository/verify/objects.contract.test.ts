import { createHash } from 'node:crypto'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import {
  encodeCondemned,
  encodeFinal,
  encodePage,
  encodePackHeader,
  encodePackTail,
  encodeSegment,
  encodeManifestBody,
  imageRoot,
  names,
  rootsOfDisk,
  validatedKind,
  type Page,
  type PageEntry,
  type TocEntry,
} from '../format/index.ts'
import { protectJson, recordSigner, sealManifest, sha256 } from '../keys/index.ts'
import { loadManifest } from '../read/manifest.ts'
import type { OpenedRepository } from '../repository.ts'
import type { ObjectStore } from '../store/index.ts'
import { sealBlob } from '../workers/index.ts'
import { decodeBlobHeader } from '../format/index.ts'
import { scene, sourceOf, storePoint } from '../golden/index.ts'
import { away, Copy, failing, verify } from './testing.ts'

// Each test runs verify many times over; on a busy machine that takes a while.
vi.setConfig({ testTimeout: 120_000 })

const { signal } = new AbortController()
const hex = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
const put = (store: ObjectStore, name: string, bytes: Uint8Array) =>
  store.putIfAbsent(name, bytes, { sha256: createHash('sha256').update(bytes).digest(), signal })

test('a damaged key object is named, and that two slots no longer exist', async () => {
  using copy = new Copy()
  await using repository = await copy.open()
  for (const name of copy.names('keys/')) {
    const sound = copy.read(name)
    copy.flip(name, sound.indexOf('"wrapped":"') + 15)
    const { damages } = await verify(repository, 'quick')
    expect(damages.map(({ object, found }) => [object, found])).toEqual([
      [name, 'keys'],
      ['keys/', 'keys'],
    ])
    copy.write(name, sound)
  }
})

test('a missing or damaged replica of the descriptor is named', async () => {
  using copy = new Copy()
  await using repository = await copy.open()
  copy.remove('fmt.1')
  copy.flip('fmt.2', 50)
  const { damages } = await verify(repository, 'quick')
  expect(damages.map(({ object, proved }) => [object, proved])).toEqual([
    ['fmt.1', true],
    ['fmt.2', true],
  ])
})

test('a damaged index segment is named; no point needs it', async () => {
  using copy = new Copy()
  for (const name of copy.names('idx/')) {
    const sound = copy.read(name)
    copy.flip(name, 130)
    rmSync(join(copy.folder, 'cache'), { recursive: true, force: true })
    await using repository = await copy.open()
    const { damages } = await verify(repository, 'full')
    expect(damages).toMatchObject([{ object: name, found: 'L1', pack: null, affects: [] }])
    copy.write(name, sound)
  }
})

test('an index that says something else than a TOC is named', async () => {
  using copy = new Copy()
  await using repository = await copy.open()
  const pack = copy.names('pack/').find((name) => copy.toc(name).length > 1 && copy.toc(name)[0]?.type === 1)
  if (pack === undefined) throw new Error('no such pack')
  const entries = copy
    .toc(pack)
    .map(({ id, off, clen, type }, slot) => ({ id, off, clen, slot, type, pack: pack.slice(8) }))
  const segment = (of: typeof entries, size = copy.size(pack)) =>
    encodeSegment({
      level: 0,
      prefixBits: 0,
      prefix: 0,
      repo: repository.id,
      stampEpoch: 0,
      createdMs: 1,
      producer: '00'.repeat(16),
      entries: of,
      packs: [{ sha: pack.slice(8), size, lockUntilDay: 0, meta: false }],
      supersedes: [],
    })
  const wrong: [string, Buffer][] = [
    ['does not list slot 0', segment(entries.slice(1))],
    [
      'lists 1 blobs that the pack has not',
      segment([...entries, { ...(entries[0] ?? never()), id: Buffer.alloc(32, 1) }]),
    ],
    [
      'does not list slot 1',
      segment(entries.map((entry) => (entry.slot === 1 ? { ...entry, off: entry.off + 1 } : entry))),
    ],
    [`says ${copy.size(pack) + 56}`, segment(entries, copy.size(pack) + 56)],
  ]
  for (const [why, bytes] of wrong) {
    const name = names.segment(0, 0, hex(bytes))
    await put(repository.engine.store, name, bytes)
    const { damages } = await verify(repository, 'quick')
    expect(damages.map(({ message }) => message).join()).toContain(why)
    expect(damages.every((damage) => damage.pack === pack.slice(8) && damage.affects.length === 0)).toBe(true)
    copy.remove(name)
    await repository.engine.view.refresh(repository.engine.store, signal)
  }
})

function never(): never {
  throw new Error('no entry')
}

test('a damaged manifest or validation is named with its point, and no other point suffers', async () => {
  using copy = new Copy()
  for (const name of copy.names('snap/')) {
    const sound = copy.read(name)
    const stem = name.replace(/\.(m|ok)$/, '')
    // The state of a point that was found to count is not read again: each damage meets a repository opened afresh.
    for (const at of [40, 150, sound.length - 3]) {
      copy.flip(name, at)
      await using repository = await copy.open()
      const { damages } = await verify(repository, 'quick')
      expect(damages).toMatchObject([{ object: name, found: 'manifest', proved: true, affects: [{ stem }] }])
      copy.write(name, sound)
    }
  }
})

test('a point whose manifest is gone is a damage, unless it was removed', async () => {
  using copy = new Copy()
  const [manifest = ''] = copy.names('snap/').filter((name) => name.endsWith('.m'))
  copy.remove(manifest)
  await using repository = await copy.open()
  const { damages, points } = await verify(repository, 'quick')
  expect(damages).toMatchObject([{ object: manifest, message: 'the manifest is gone' }])
  expect(points).toBe(1)
})

test('a point that was never validated is noted and left out', async () => {
  using copy = new Copy()
  const [ok = ''] = copy.names('snap/').filter((name) => name.endsWith('.ok'))
  copy.remove(ok)
  await using repository = await copy.open()
  expect(await verify(repository, 'quick')).toMatchObject({
    points: 1,
    damages: [],
    notes: ['1 points that are not validated were left out'],
  })
})

test('a repository without a floor is reported, and read all the same', async () => {
  using copy = new Copy()
  const [floor = ''] = copy.names('floor/')
  copy.remove(floor)
  await using repository = await copy.open()
  expect(await verify(repository, 'quick')).toMatchObject({ points: 2, damages: [{ object: 'floor/' }] })
})

/** A pack that a session stored and no point needs. */
async function orphan(copy: Copy, repository: OpenedRepository): Promise<string> {
  const before = new Set(copy.names('pack/'))
  const session = '77'.repeat(16)
  const state = { bytes: 1024, allocated: 1024, chunks: new Map([[0, { text: 'nobody needs this' }]]) }
  await repository.openSession(
    {
      session,
      snap: '78'.repeat(16),
      series: repository.series({ platform: 'image', scope: 's', vm: 'v' }),
      createdMs: 1,
      parentStem: null,
      owner: '0f'.repeat(16),
      parts: [{ part: 1, disk: 'd', firstPage: 0, nPages: 1 }],
      point: null,
    },
    signal,
  )
  const source = sourceOf(state)
  await repository.copyPart({
    session,
    part: 1,
    attempt: 1,
    diskBytes: 1024,
    source,
    mode: 'full',
    signal,
    onProgress: () => undefined,
  })
  const made = copy.names('pack/').filter((name) => !before.has(name) && copy.toc(name)[0]?.type === 1)
  return made[0] ?? never()
}

test('a pack that collection deleted is not missed, though an index still names it', async () => {
  using copy = new Copy()
  await using repository = await copy.open()
  const name = await orphan(copy, repository)
  const pack = name.slice(8)
  copy.remove(name)
  // Without a record it is damage; nobody needs it.
  expect((await verify(repository, 'quick')).damages).toMatchObject([{ pack, found: 'L1', affects: [] }])

  const { ring, store } = repository.engine
  const run = { repo: repository.id, epoch: 1, createdMs: 1, nonce: 'ab'.repeat(16) }
  const c = encodeCondemned(
    { ...run, owner: 'cd'.repeat(16), floorSeen: 1, seen: [], packs: [pack] },
    recordSigner(ring),
  )
  await put(store, names.record('condemned', 1, run.nonce), c)
  expect((await verify(repository, 'quick')).damages).toEqual([])
  const f = encodeFinal({ ...run, condemnedSha: hex(c), nPacks: 1, stopped: false, ordinals: [0] }, recordSigner(ring))
  await put(store, names.record('final', 1, run.nonce), f)
  expect((await verify(repository, 'full')).damages).toEqual([])
})

test('a reference whose slot is not that of the TOC is a fault, though the bytes are read', async () => {
  using copy = new Copy()
  await using repository = await copy.open()
  const stem = await forge(copy, repository, (entry) =>
    entry.kind === 'chunk' ? { ...entry, slot: entry.slot + 1 } : entry,
  )
  const { damages } = await verify(repository, 'quick', { stems: [stem] })
  expect(damages.every((damage) => damage.found === 'L1r' && damage.message.startsWith('references name slot'))).toBe(
    true,
  )
  expect(damages.length).toBeGreaterThan(0)
  expect(damages[0]?.affects).toMatchObject([{ stem, disk: 'virtio0' }])
  await using point = await repository.openPoint(stem)
  await point.disk('virtio0').read(0, Buffer.alloc(4096), signal)
})

test('a chunk of another length than its place on the disk is a fault', async () => {
  using copy = new Copy()
  await using repository = await copy.open()
  const short = copy
    .names('pack/')
    .flatMap((name) => copy.toc(name).map((blob, slot) => ({ ...blob, slot, pack: name.slice(8) })))
    .find(({ type, ulen }) => type === 1 && ulen === 512)
  if (short === undefined) return never()
  const { id, pack, slot, off, clen } = short
  const stem = await forge(copy, repository, (entry, index) =>
    index === 0 ? { kind: 'chunk', id, pack, slot, off, clen } : entry,
  )
  const { damages } = await verify(repository, 'quick', { stems: [stem] })
  expect(damages).toMatchObject([{ pack, found: 'L1r', message: `a blob of 512 bytes stands for one of ${2 ** 20}` }])
  expect(damages[0]?.affects).toEqual([{ stem, vm: 'golden', disk: 'virtio0', ranges: [{ start: 0, end: 2 ** 20 }] }])
})

/** A point like the newest one, its first page altered and everything sealed again: what a faulty writer leaves behind. */
async function forge(
  copy: Copy,
  repository: OpenedRepository,
  change: (entry: PageEntry, index: number) => PageEntry,
): Promise<string> {
  const { ring, store, blobs } = repository.engine
  const [like = ''] = copy.names('snap/').filter((name) => name.endsWith('.m'))
  const manifest = await loadManifest(store, ring, like.slice(0, -2), signal)
  const disk = manifest?.body.json.disks[0]
  if (manifest === undefined || disk === undefined) return never()
  const [root] = rootsOfDisk(manifest.body, disk)
  if (root?.kind !== 'page') return never()
  const page = await blobs.page(root, 0, disk.bytes)
  const wrong: Page = { ...page, entries: page.entries.map(change) }
  const content = encodePage(wrong)
  const blob = Buffer.alloc(72 + 48 + content.length)
  const id = ring.identity().pageId(wrong)
  sealBlob(ring, { type: 2, id, innerHash: sha256(content), ulen: content.length, comp: 0, payload: content }, blob)
  const entry: TocEntry = { ...decodeBlobHeader(blob), off: 64 }
  const made = { random: Buffer.alloc(16, 9), createdMs: 1, seriesHash: Buffer.alloc(4) }
  const header = encodePackHeader({ ...made, kind: 1, flags: 0, repo: repository.id })
  const packed = Buffer.concat([header, blob, encodePackTail([entry], repository.id)])
  await put(store, names.pack(hex(packed)), packed)
  const there = { pack: hex(packed), slot: 0, off: 64, clen: blob.length - 72, pageId: id.toString('hex') }
  const roots = manifest.body.roots.map((each) => (each === root ? { ...root, ...there } : each))
  const disks = manifest.body.json.disks.map((each) =>
    each === disk ? { ...each, imageRoot: imageRoot(each.bytes, rootsOfDisk({ roots }, each)) } : each,
  )
  const snap = 'b7'.repeat(16)
  const body = encodeManifestBody({ ...manifest.body.json, disks }, roots)
  const object = sealManifest(ring, { ...manifest.header, snap }, body)
  const stem = names.stem(manifest.header.series, manifest.header.createdMs, snap)
  await put(store, names.snap(stem, 'manifest'), object)
  const facts = { repo: repository.id, snap, mSha256: hex(object), mBytes: object.length, stamp: 0, passes: 1 }
  const ok = protectJson(validatedKind, { ...facts, rescued: 0, validatedMs: 1, attempt: 1 }, ring, 'writer')
  await put(store, names.snap(stem, 'validated'), ok)
  return stem
}

test('a dry run writes nothing; quarantine is written once, and the next backup heals', async () => {
  using copy = new Copy()
  const pack = copy.names('pack/').find((name) => copy.toc(name).length > 2 && copy.toc(name)[0]?.type === 1)
  if (pack === undefined) return never()
  copy.flip(pack, 64 + 72 + 3)
  await using repository = await copy.open()
  expect((await verify(repository, 'full')).quarantined).toBe(0)
  expect(copy.names('bad/')).toEqual([])
  expect((await verify(repository, 'full', { quarantine: true })).quarantined).toBe(1)
  const [bad = ''] = copy.names('bad/')
  expect(JSON.parse(copy.read(bad).toString())).toMatchObject({
    pack: pack.slice(8),
    scope: 'slots',
    found: 'L4',
    slots: [{ slot: 0 }],
  })
  await using again = await copy.open()
  expect(await verify(again, 'full', { quarantine: true })).toMatchObject({
    quarantined: 0,
    damages: [{ found: 'L4' }],
  })
  expect(copy.names('bad/')).toEqual([bad])

  const [newest = ''] = copy.names('snap/').filter((name) => name.endsWith('.m'))
  const changed = { virtio0: [], virtio1: [] }
  const next = {
    ...scene.points[1],
    session: '6a'.repeat(16),
    snap: 'a3'.repeat(16),
    createdMs: 1_700_000_900_000,
    changed,
  }
  await storePoint(again, next, newest.slice(0, -2))
  const { damages } = await verify(again, 'full')
  expect(damages).toMatchObject([{ pack: pack.slice(8), affects: [] }])
})

test('what cannot be read now is not called damaged, and is not quarantined', async () => {
  using copy = new Copy()
  const [pack = ''] = copy.names('pack/').filter((name) => copy.toc(name)[0]?.type === 1)
  for (const level of ['quick', 'full'] as const) {
    await using repository = await copy.open(failing((name) => (name === pack ? away() : undefined)))
    const report = await verify(repository, level, { quarantine: true })
    expect(report.damages.length).toBeGreaterThan(0)
    expect(report.damages.every((damage) => damage.pack === pack.slice(8) && !damage.proved)).toBe(true)
    expect(report.damages.flatMap(({ affects }) => affects).length).toBeGreaterThan(0)
    expect(report.quarantined).toBe(0)
  }
  expect(copy.names('bad/')).toEqual([])
})

test('a reading that fails once and succeeds again is a note', async () => {
  using copy = new Copy()
  const [pack = ''] = copy.names('pack/')
  let failed = false
  await using repository = await copy.open(
    failing((name) => {
      if (name !== pack || failed) return undefined
      failed = true
      return away()
    }),
  )
  const report = await verify(repository, 'full')
  expect(report).toMatchObject({ damages: [] })
  expect(report.notes).toEqual([expect.stringContaining(pack)])
})

test('a store that goes away ends the verify with its error', async () => {
  using copy = new Copy()
  let gone = false
  await using repository = await copy.open(failing(() => (gone ? away() : undefined)))
  gone = true
  await expect(verify(repository, 'full')).rejects.toMatchObject({ code: 'StoreUnavailable' })
})

test('a verify can be cancelled', async () => {
  using copy = new Copy()
  await using repository = await copy.open()
  const cancel = new AbortController()
  const running = repository.verify({
    level: 'full',
    signal: cancel.signal,
    onProgress: () => {
      cancel.abort()
    },
  })
  await expect(running).rejects.toMatchObject({ code: 'Cancelled' })
})

test('other objects that cannot be read now are not called damaged either', async () => {
  using copy = new Copy()
  let opened = false
  const hard = [...copy.names('keys/').slice(0, 1), 'fmt.1', copy.names('idx/')[0] ?? '']
  await using repository = await copy.open(failing((name) => (opened && hard.includes(name) ? away() : undefined)))
  opened = true
  const { damages } = await verify(repository, 'quick')
  expect(damages.filter(({ object }) => hard.includes(object)).map(({ proved }) => proved)).toEqual([
    false,
    false,
    false,
  ])
})

test('bytes that came wrong once and right again are a note, not damage', async () => {
  using copy = new Copy()
  const [pack = ''] = copy.names('pack/')
  let turned = false
  const once = (store: ObjectStore): ObjectStore =>
    new Proxy(store, {
      get(target, property) {
        const value: unknown = Reflect.get(target, property, target)
        if (typeof value !== 'function') return value
        return async (...args: unknown[]): Promise<unknown> => {
          const result = await (value.apply(target, args) as Promise<unknown>)
          if (property !== 'getRange' || args[0] !== pack || turned || !(result instanceof Uint8Array)) return result
          turned = true
          const wrong = Uint8Array.from(result)
          wrong[100] = (wrong[100] ?? 0) ^ 1
          return wrong
        }
      },
    })
  await using repository = await copy.open(once)
  const report = await verify(repository, 'full', { quarantine: true })
  expect(report).toMatchObject({ damages: [], quarantined: 0 })
  expect(report.notes).toEqual([expect.stringContaining('second attempt')])
})
