import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  DeleteObjectCommand,
  ListObjectVersionsCommand,
  PutObjectRetentionCommand,
  type ListObjectVersionsCommandOutput,
} from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { millis } from '../../base/index.ts'
import { S3Lab } from '../../lab/stores/index.ts'
import { createRepositoryWith } from '../create.ts'
import { collectNow, twoChunks } from '../gc/testing.ts'
import { parseStem } from '../format/index.ts'
import { openRepositoryWith } from '../repository.ts'
import { connectTo, listAll, parseLocation, SMALL_PROBE, type ObjectStore } from '../store/index.ts'
import { backUp, expectIdentical, noSignal, smallDisk } from '../testing/index.ts'
import { DAY_MS } from './index.ts'

const passphrase = 'correct horse'
const secret = { kind: 'passphrase', passphrase } as const
const argon2 = { m: 19_456, t: 2, p: 1 }

/** What somebody does who has stolen the credentials: every version of everything, and with every right they give. */
async function deleteAll(lab: S3Lab, bucket: string): Promise<{ deleted: number; refused: number }> {
  const count = { deleted: 0, refused: 0 }
  for (const { Key, VersionId } of await versions(lab, bucket)) {
    try {
      const wish = { Bucket: bucket, Key, VersionId, BypassGovernanceRetention: true }
      await lab.client.send(new DeleteObjectCommand(wish))
      count.deleted += 1
    } catch {
      count.refused += 1
    }
  }
  return count
}

async function versions(lab: S3Lab, bucket: string) {
  const all: { readonly Key: string; readonly VersionId: string; readonly isMarker: boolean }[] = []
  let from: Pick<ListObjectVersionsCommandOutput, 'NextKeyMarker' | 'NextVersionIdMarker'> = {}
  for (;;) {
    const { NextKeyMarker: KeyMarker, NextVersionIdMarker: VersionIdMarker } = from
    const page = await lab.client.send(new ListObjectVersionsCommand({ Bucket: bucket, KeyMarker, VersionIdMarker }))
    for (const [items, isMarker] of [
      [page.Versions, false],
      [page.DeleteMarkers, true],
    ] as const) {
      for (const { Key = '', VersionId = '' } of items ?? []) all.push({ Key, VersionId, isMarker })
    }
    if (page.IsTruncated !== true) return all
    from = page
  }
}

describe.each(['versitygw', 'minio'] as const)('a repository that locks its points, on %s', (server) => {
  let lab: S3Lab
  let folder: string
  beforeAll(async () => {
    lab = await S3Lab.start(server)
    folder = await mkdtemp(join(tmpdir(), 'holdfast-locked-'))
  })
  afterAll(async () => {
    await lab[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true })
  })

  /** Made with a lock; opened by a URL that does not speak of it. `aheadMs`: what the clock of the store is said to show. */
  async function made(days = 2) {
    const { bucket, url } = await lab.bucket({ objectLock: true })
    const location = parseLocation(url)
    const wish = { location, passphrase, argon2, lock: { days, generationDays: 1 } }
    const { id } = await createRepositoryWith(wish, { probeSize: SMALL_PROBE })
    let caches = 0
    const open = async (aheadMs = 0) => {
      const plain = parseLocation(url.replace('&object-lock=compliance', ''))
      const connect = () => later(connectTo(plain, { lock: 'compliance' })(), aheadMs)
      const cacheDir = join(folder, `${id}-${caches++}`)
      // The store is known: a collection need not ask it a thousand things first.
      const recheck = { objects: 4, rounds: 4, listed: 20 }
      const internals = aheadMs === 0 ? { recheck } : { recheck, connect, clock: () => Date.now() + aheadMs }
      return await openRepositoryWith({ location: plain, secret, cacheDir }, internals)
    }
    return { bucket, location, open }
  }

  function later(store: ObjectStore, aheadMs: number): ObjectStore {
    return new Proxy(store, {
      get(target, member) {
        if (member === 'now') return async () => millis((await target.now()) + aheadMs)
        const value: unknown = Reflect.get(target, member, target)
        return typeof value === 'function' ? (value.bind(target) as unknown) : value
      },
    })
  }

  it('restores after somebody has deleted everything that the service lets go', async () => {
    const { bucket, open } = await made()
    const model = smallDisk(1)
    const configs = [{ name: 'xml', type: 'native', content: Buffer.alloc(3_000, 7) }] as const
    let stem = ''
    {
      await using repository = await open()
      expect(repository.lock).toEqual({ days: 2, mode: 'compliance', generationDays: 1 })
      stem = (await backUp(repository, model, { configs })).stem
    }
    const { deleted, refused } = await deleteAll(lab, bucket)
    expect(deleted).toBeGreaterThan(0)
    // fmt and its replicas, two slots, two sets, data, pages, configuration, .m, .ok
    expect(refused).toBeGreaterThanOrEqual(3 + 4 + 3 + 2)
    await using reader = await open()
    await expectIdentical(reader, stem, model)
    await using point = await reader.openPoint(stem)
    expect(Buffer.concat(await Array.fromAsync(point.config('xml')))).toEqual(configs[0].content)
  })

  it('extends what a later generation inherits; the service then refuses to shorten or delete it', async () => {
    const { bucket, location, open } = await made()
    const model = smallDisk(1)
    let first = ''
    {
      await using repository = await open()
      first = (await backUp(repository, model)).stem
    }
    const store = connectTo(location)()
    const packs = (await listAll(store, 'pack/')).map(({ name }) => name)
    const before = new Map<string, number>()
    for (const name of packs) before.set(name, Number((await store.head(name))?.retainUntil))
    await using repository = await open(3 * DAY_MS)
    const { stem } = await backUp(repository, model, { parent: first, source: { extents: [] } })
    const { manifest } = await repository.points.load(stem, false)
    for (const name of [...packs, `${stem}.m`, `${stem}.ok`, 'fmt', 'fmt.1', 'fmt.2']) {
      const until = Number((await store.head(name))?.retainUntil)
      expect([name, until >= manifest.header.lockUntilSec * 1000]).toEqual([name, true])
      expect(until).toBeGreaterThan(before.get(name) ?? 0)
      const shorter = { Mode: 'COMPLIANCE', RetainUntilDate: new Date(Date.now() + DAY_MS) } as const
      const wish = { Bucket: bucket, Key: name, Retention: shorter, BypassGovernanceRetention: true }
      await expect(lab.client.send(new PutObjectRetentionCommand(wish))).rejects.toThrow()
    }
  })

  it('is collected and pruned beside its locks: nothing fails, nothing locked goes, and it is said', async () => {
    const { open } = await made()
    const models = [twoChunks(1), twoChunks(3), twoChunks(5)]
    await using repository = await open()
    const stems: string[] = []
    for (const model of models) stems.push((await backUp(repository, model)).stem)
    const [old = ''] = stems
    const options = { reason: 'operator', actor: 'test', maxShare: 1, signal: noSignal } as const
    const refused = await repository.prune({ ...options, remove: [{ stem: old }] })
    expect(refused.refused).toMatchObject([
      { stem: old, why: expect.stringMatching(/^locked until 2\d{3}-/) as string },
    ])
    for (let run = 0; run < 2; run++) {
      expect(await collectNow(repository)).toMatchObject({ outcome: 'nothing', deleted: { packs: 0 } })
    }
    // A tombstone by somebody who asks nobody.
    await using careless = await open(10 * DAY_MS)
    const done = await careless.prune({ ...options, remove: [{ stem: old }] })
    expect(done).toMatchObject({ tombstoned: [old], removed: 0, locked: 1 })
    const report = await collectNow(repository)
    expect(report).toMatchObject({ condemned: { packs: 0 }, deleted: { packs: 0 } })
    expect(report.kept.locked.packs).toBeGreaterThan(0)
    await using reader = await open()
    for (const [index, stem] of stems.entries()) {
      await expectIdentical(reader, stem, models[index] ?? twoChunks(1), { explicit: true })
    }
  })

  it('a manifest that was hidden by a delete marker is missed, and is back when the marker goes', async () => {
    const { bucket, open } = await made()
    const model = twoChunks(1)
    await using repository = await open()
    const { stem } = await backUp(repository, model)
    await collectNow(repository)
    await lab.client.send(new DeleteObjectCommand({ Bucket: bucket, Key: `${stem}.m` }))
    await using robbed = await open()
    await expect(collectNow(robbed)).rejects.toMatchObject({ code: 'CollectionAborted' })
    for (const { Key, VersionId, isMarker } of await versions(lab, bucket)) {
      if (isMarker) await lab.client.send(new DeleteObjectCommand({ Bucket: bucket, Key, VersionId }))
    }
    await using fresh = await open()
    await expectIdentical(fresh, stem, model)
    expect(parseStem(stem).snap).toHaveLength(32)
    expect(await collectNow(fresh)).toMatchObject({ outcome: 'nothing' })
  })

  it('is not made in a bucket without Object Lock', async () => {
    const { url } = await lab.bucket()
    const wish = { location: parseLocation(url), passphrase, argon2, lock: { days: 2 } }
    await expect(createRepositoryWith(wish, { probeSize: SMALL_PROBE })).rejects.toMatchObject({
      code: expect.stringMatching(/^Store(Unfit|Denied|Unavailable)$/) as string,
    })
  })
})
