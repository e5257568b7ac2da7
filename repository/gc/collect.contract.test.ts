import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { OpenedRepository } from '../repository.ts'
import { FaultyStore } from '../store/index.ts'
import { backUp, expectIdentical, GcScript, ModelBackup, RepositoryLab, type MemoryBucket } from '../testing/index.ts'
import { bury, collectNow, twoChunks } from './testing.ts'

let lab: RepositoryLab
beforeAll(async () => {
  lab = await RepositoryLab.create()
})
afterAll(async () => {
  await lab[Symbol.asyncDispose]()
})

let bucket: MemoryBucket
let repository: OpenedRepository
beforeEach(async () => {
  bucket = lab.bucket.clone()
  repository = await lab.over(bucket).open()
})

const tombstone = (stem: string) => bury(bucket, repository, stem)
const packCount = () => bucket.names('pack/').length

describe('a collection', () => {
  it('keeps everything that a point needs and changes no pack', async () => {
    const model = twoChunks(1)
    const { stem } = await backUp(repository, model)
    const before = bucket.names('pack/')
    const report = await collectNow(repository)
    expect(report).toMatchObject({ outcome: 'nothing', roots: 1, pages: 1, condemned: { packs: 0 }, notes: [] })
    expect(report.live.packs).toBe(before.length)
    expect(bucket.names('pack/')).toEqual(before)
    expect(bucket.names('gc/').filter((name) => name.endsWith('.r'))).toHaveLength(1)
    await expectIdentical(repository, stem, model)
  })

  it('deletes what only a tombstoned point needed, and the other point restores', async () => {
    const [one, other] = [twoChunks(1), twoChunks(10)]
    const first = await backUp(repository, one)
    const before = packCount()
    const second = await backUp(repository, other, { vm: 'other' })
    tombstone(second.stem)
    const report = await collectNow(repository)
    expect(report).toMatchObject({ outcome: 'collected', roots: 1, reprieved: { packs: 0 }, notes: [] })
    expect(report.condemned.packs).toBeGreaterThan(0)
    expect(report.deleted).toEqual(report.condemned)
    expect(packCount()).toBe(before)
    await using fresh = await lab.over(bucket).open()
    await expectIdentical(fresh, first.stem, one)
  })

  it('is told by a dry run, which writes nothing', async () => {
    const { stem } = await backUp(repository, twoChunks(1))
    tombstone(stem)
    const before = bucket.names()
    const dry = await collectNow(repository, { dryRun: true })
    expect(dry.outcome).toBe('dry-run')
    expect(bucket.names()).toEqual(before)
    const report = await collectNow(repository)
    expect(report.condemned).toEqual(dry.condemned)
  })

  it('waits a day before it deletes, and an hour more before it retires, unless told otherwise', async () => {
    const { stem } = await backUp(repository, twoChunks(1))
    tombstone(stem)
    const waiting = await collectNow(repository, { waits: { minAgeMs: 0, sessionSlackMs: 0 } })
    expect(waiting).toMatchObject({ outcome: 'collected', deleted: { packs: 0 }, records: { retired: 0 } })
    expect(waiting.kept.waiting).toEqual(waiting.condemned)
    const done = await collectNow(repository)
    expect(done).toMatchObject({ outcome: 'nothing', records: { retired: 1, floor: 2 } })
    expect(done.deleted).toEqual(waiting.condemned)
    expect(bucket.names('gc/').filter((name) => !name.endsWith('.r'))).toEqual([])
  })

  it('leaves young packs and the time of a live session alone', async () => {
    const { stem } = await backUp(repository, twoChunks(1))
    tombstone(stem)
    const young = await collectNow(repository, { waits: {} })
    expect(young).toMatchObject({ outcome: 'nothing' })
    expect(young.kept.young.packs).toBe(packCount())
    // A session that has put packs and no manifest yet.
    const running = new ModelBackup(repository, twoChunks(20))
    await running.open(repository)
    await running.copy(repository)
    const packs = new GcScript(bucket, repository.engine.ring).packs()
    const report = await collectNow(repository)
    expect(report.outcome).toBe('collected')
    expect(report.kept.young.packs).toBeGreaterThan(0)
    await running.commit(repository)
    expect(packs.length - report.deleted.packs).toBe(report.kept.young.packs)
  })

  it('collects what a crashed session left behind', async () => {
    const crashed = new ModelBackup(repository, twoChunks(1))
    await crashed.open(repository)
    await crashed.copy(repository)
    await repository.endSession(crashed.spec.session, 'failed')
    // Its segments are lost as well: the packs say themselves what is in them.
    for (const name of bucket.names('idx/')) bucket.objects.delete(name)
    const report = await collectNow(repository)
    expect(report).toMatchObject({ outcome: 'collected', roots: 0 })
    expect(packCount()).toBe(0)
  })

  it('keeps the blobs of a manifest that is not validated', async () => {
    const model = twoChunks(1)
    const { stem } = await backUp(repository, model)
    bucket.objects.delete(`${stem}.ok`)
    expect(await collectNow(repository)).toMatchObject({ outcome: 'nothing', roots: 1, incompleteRoots: 0 })
    await expectIdentical(repository, stem, model, { explicit: true })
  })

  it('skips what such a manifest needs and is proved absent, with a note; a recovery point ends the run instead', async () => {
    const { stem } = await backUp(repository, twoChunks(1))
    const ok = bucket.body(`${stem}.ok`)
    bucket.objects.delete(`${stem}.ok`)
    const script = new GcScript(bucket, repository.engine.ring)
    const [data] = script.packs(0)
    script.deletePack(data ?? '')
    const report = await collectNow(repository)
    expect(report).toMatchObject({ incompleteRoots: 1 })
    expect(report.notes.join()).toContain('proved absent')
    bucket.set(`${stem}.ok`, ok)
    await using again = await lab.over(bucket).open()
    await expect(collectNow(again)).rejects.toMatchObject({ code: 'CollectionAborted' })
  })
})

describe('a collection ends without deleting anything', () => {
  const expectAbort = async (code = 'CollectionAborted') => {
    const before = bucket.names('pack/')
    await using fresh = await lab.over(bucket).open()
    await expect(collectNow(fresh)).rejects.toMatchObject({ code })
    expect(bucket.names('pack/')).toEqual(before)
  }

  it('if a manifest is damaged or gone', async () => {
    const { stem } = await backUp(repository, twoChunks(1))
    const manifest = bucket.body(`${stem}.m`)
    const damaged = Uint8Array.from(manifest)
    damaged[200] = (damaged[200] ?? 0) ^ 1
    bucket.set(`${stem}.m`, damaged)
    await expectAbort()
    bucket.objects.delete(`${stem}.m`)
    await expectAbort()
  })

  it('if a page of a point is gone', async () => {
    await backUp(repository, twoChunks(1))
    const script = new GcScript(bucket, repository.engine.ring)
    for (const pack of script.packs(1)) script.deletePack(pack)
    await expectAbort()
  })

  it('if a snapshot that a roster names is not listed', async () => {
    await backUp(repository, twoChunks(1))
    const { stem } = await backUp(repository, twoChunks(5), { vm: 'other' })
    await collectNow(repository)
    for (const name of bucket.names(stem)) bucket.objects.delete(name)
    await expectAbort()
  })

  it('if a snapshot that the caller knows is not listed', async () => {
    await backUp(repository, twoChunks(1))
    const known = collectNow(repository, { knownPoints: ['ab'.repeat(16)] })
    await expect(known).rejects.toMatchObject({ code: 'CollectionAborted' })
  })

  it('if a record or the floor is forged or gone', async () => {
    await backUp(repository, twoChunks(1))
    const script = new GcScript(bucket, repository.engine.ring)
    const { name } = script.condemn(1, script.packs())
    const body = Uint8Array.from(bucket.body(name))
    body[body.length - 1] = (body.at(-1) ?? 0) ^ 1
    bucket.set(name, body)
    await expectAbort('RecordForged')
    bucket.objects.delete(name)
    for (const floor of bucket.names('floor/')) bucket.objects.delete(floor)
    await expectAbort('FloorMissing')
  })

  it('if the store does not show the record that it has taken', async () => {
    const { stem } = await backUp(repository, twoChunks(1))
    tombstone(stem)
    const before = packCount()
    await using blind = await lab.over(bucket).open({
      connect: () =>
        new FaultyStore(bucket.connect(), ({ op, name }) =>
          op === 'list' && name === 'gc/' ? { kind: 'stale', hides: (each) => each.endsWith('.c') } : undefined,
        ),
    })
    await expect(collectNow(blind)).rejects.toMatchObject({ code: 'ListingIncomplete' })
    expect(packCount()).toBe(before)
  })
})

describe('between publishing and deleting', () => {
  /** Opens the repository so that `act` runs before the listing of `snap/` that follows the run's own record. */
  const withAct = async (act: () => Promise<void>) => {
    let done = false
    return await lab.over(bucket).open({
      connect: () =>
        new (class extends FaultyStore {
          override async list(prefix: string, cursor?: string) {
            const own = bucket.names('gc/').some((name) => name.endsWith('.c'))
            if (prefix === 'snap/' && own && !done) {
              done = true
              await act()
            }
            return await super.list(prefix, cursor)
          }
        })(bucket.connect(), () => undefined),
    })
  }

  it('a point that appears reprieves the packs it needs', async () => {
    const model = twoChunks(1)
    const { stem } = await backUp(repository, model)
    tombstone(stem)
    // The tombstone vanishes: a root that was not seen at the mark, as a hold or a new manifest would be.
    await using late = await withAct(async () => void bucket.objects.delete(`${stem}.t`))
    const report = await collectNow(late)
    expect(report).toMatchObject({ outcome: 'collected', deleted: { packs: 0 } })
    expect(report.reprieved).toEqual(report.condemned)
    await using fresh = await lab.over(bucket).open()
    await expectIdentical(fresh, stem, model)
  })

  it('another run that has begun makes this one stop', async () => {
    const { stem } = await backUp(repository, twoChunks(1))
    tombstone(stem)
    const script = new GcScript(bucket, repository.engine.ring)
    const packs = script.packs()
    await using stopped = await lab.over(bucket).open({
      connect: () =>
        new (class extends FaultyStore {
          override async putIfAbsent(...args: Parameters<FaultyStore['putIfAbsent']>) {
            if (args[0].endsWith('.c')) script.condemn(1, packs)
            return await super.putIfAbsent(...args)
          }
        })(bucket.connect(), () => undefined),
    })
    expect(await collectNow(stopped)).toMatchObject({ outcome: 'stopped', deleted: { packs: 0 } })
    expect(packCount()).toBe(packs.length)
  })
})
