import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { MiB } from '../../base/index.ts'
import { decodePackHeader, names, PACK_BY_COMPACTION } from '../format/index.ts'
import type { OpenedRepository } from '../repository.ts'
import {
  backUp,
  expectIdentical,
  GcScript,
  ModelDisk,
  RepositoryLab,
  seededBytes,
  type MemoryBucket,
} from '../testing/index.ts'
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
let script: GcScript
beforeEach(async () => {
  bucket = lab.bucket.clone()
  repository = await lab.over(bucket).open()
  script = new GcScript(bucket, repository.engine.ring)
})

/** Six chunks, of which a later increment keeps the first. */
function sixChunks(): ModelDisk {
  const model = new ModelDisk(6 * MiB)
  for (let index = 0; index < 6; index++) model.write(index * MiB, seededBytes(40 + index, 20_000))
  return model
}

/** A point whose one shared chunk lies in a pack of which everything else is garbage. */
async function mostlyGarbage() {
  const before = sixChunks()
  const first = await backUp(repository, before)
  const after = before.clone()
  for (let index = 1; index < 6; index++) after.write(index * MiB, seededBytes(90 + index, 20_000))
  const [old] = script.packs(0)
  const second = await backUp(repository, after)
  bury(bucket, repository, first.stem)
  return { after, second, old: old ?? '' }
}

describe('a pack that is mostly garbage', () => {
  it('is emptied into a new one and condemned in the same run; its point restores', async () => {
    const { after, second, old } = await mostlyGarbage()
    const report = await collectNow(repository)
    expect(report).toMatchObject({ outcome: 'collected', copied: { packs: 1 }, reprieved: { packs: 0 } })
    expect(bucket.objects.has(names.pack(old))).toBe(false)
    const made = script.packs(0).map((pack) => decodePackHeader(bucket.body(names.pack(pack)).subarray(0, 64)))
    expect(made.map(({ flags }) => flags).sort()).toEqual([0, PACK_BY_COMPACTION])
    await using fresh = await lab.over(bucket).open()
    await expectIdentical(fresh, second.stem, after)
    // A second run has nothing left to do.
    expect(await collectNow(fresh)).toMatchObject({ outcome: 'nothing', copied: { packs: 0 } })
  })

  it('stays where compaction is switched off, or costs more than a run may copy', async () => {
    const { old } = await mostlyGarbage()
    await collectNow(repository, { compactBelow: 0 })
    await collectNow(repository, { copyBytes: 100 })
    expect(bucket.objects.has(names.pack(old))).toBe(true)
    expect(await collectNow(repository)).toMatchObject({ copied: { packs: 1 } })
  })

  it('stays, quarantined, if a live blob in it does not open', async () => {
    const { old } = await mostlyGarbage()
    const name = names.pack(old)
    const body = Uint8Array.from(bucket.body(name))
    for (let at = 64; at < 2000; at += 8) body[at] = (body[at] ?? 0) ^ 1
    bucket.set(name, body)
    const report = await collectNow(repository)
    expect(report).toMatchObject({ copied: { packs: 0 } })
    expect(report.notes.join()).toContain('is not emptied')
    expect(bucket.objects.has(name)).toBe(true)
    expect(bucket.names('bad/')).toHaveLength(1)
  })

  it.each([1, 2, 3])('may be emptied and deleted by another run at each of the times it is read: %i', async (last) => {
    const { after, second, old } = await mostlyGarbage()
    const { store } = repository.engine
    const read = store.getRange.bind(store)
    let reads = 0
    store.getRange = async (name, ...range) => {
      if (name === names.pack(old) && ++reads === last) {
        await using other = await lab.over(bucket).open()
        expect(await collectNow(other)).toMatchObject({ outcome: 'collected', copied: { packs: 1 } })
      }
      return await read(name, ...range)
    }
    const { notes, copied } = await collectNow(repository)
    expect(reads).toBe(last)
    expect(copied.packs).toBe(0)
    expect(notes.join()).toContain(`pack ${old} is not emptied: it is gone since it was listed`)
    // Nothing is damaged, and nothing says so.
    expect(bucket.names('bad/')).toEqual([])
    await using fresh = await lab.over(bucket).open()
    await expectIdentical(fresh, second.stem, after)
  })
})

describe('a set that a dead run has condemned', () => {
  it('is condemned again where nothing needs it, and its record retires', async () => {
    const { stem } = await backUp(repository, twoChunks(1))
    bury(bucket, repository, stem)
    script.condemn(1, script.packs())
    const report = await collectNow(repository)
    expect(report).toMatchObject({ outcome: 'collected', epoch: 2, records: { present: 2, retired: 1, floor: 2 } })
    expect(bucket.names('pack/')).toEqual([])
  })

  it('is evacuated where a point needs it, at any fill', async () => {
    const model = twoChunks(1)
    const { stem } = await backUp(repository, model)
    const before = script.packs()
    script.condemn(1, before)
    const waiting = await collectNow(repository, { waits: { abandonedMs: 1_000_000 } })
    expect(waiting).toMatchObject({ outcome: 'nothing' })
    const report = await collectNow(repository)
    expect(report).toMatchObject({ outcome: 'collected', copied: { packs: before.length }, records: { retired: 1 } })
    for (const pack of before) expect(bucket.objects.has(names.pack(pack))).toBe(false)
    await using fresh = await lab.over(bucket).open()
    await expectIdentical(fresh, stem, model)
  })

  it('is not evacuated into packs that another run condemns meanwhile', async () => {
    const model = twoChunks(1)
    const { stem } = await backUp(repository, model)
    const old = script.packs()
    script.condemn(1, old)
    // The copies are condemned before the run looks again: it must stop or reprieve, never delete.
    const { engine } = repository
    const read = engine.gc.read.bind(engine.gc)
    let reads = 0
    engine.gc.read = async (store, signal) => {
      if (++reads === 2)
        script.condemn(
          2,
          script.packs().filter((pack) => !old.includes(pack)),
        )
      return await read(store, signal)
    }
    const report = await collectNow(repository)
    expect(report).toMatchObject({ outcome: 'stopped', deleted: { packs: 0 } })
    await using fresh = await lab.over(bucket).open()
    await expectIdentical(fresh, stem, model)
  })
})

describe('the index', () => {
  const segments = () => bucket.names('idx/')

  it('is merged into one segment of level 1 that knows every live pack and none that is gone', async () => {
    const { after, second } = await mostlyGarbage()
    await collectNow(repository)
    await collectNow(repository)
    expect(segments().map((name) => name.slice(0, 9))).toEqual(['idx/1-00/'])
    await using fresh = await lab.over(bucket).open()
    await fresh.engine.view.refresh(fresh.engine.store, new AbortController().signal)
    const known = fresh.engine.view.segments.flatMap((segment) => [...segment.packs()].map(({ sha }) => sha))
    expect(known.sort()).toEqual(script.packs().sort())
    // Everything is found again: nothing is stored twice.
    const again = await backUp(fresh, after)
    expect(again.disks[0]?.newBytes).toBe(0)
    await expectIdentical(fresh, second.stem, after)
  })

  it('loses what an earlier merge has replaced and not removed', async () => {
    await backUp(repository, twoChunks(1))
    const leftovers = segments().map((name) => [name, bucket.body(name)] as const)
    await backUp(repository, twoChunks(10), { vm: 'other' })
    await collectNow(repository)
    const merged = segments()
    for (const [name, body] of leftovers) bucket.set(name, body)
    await using fresh = await lab.over(bucket).open()
    await collectNow(fresh)
    expect(segments()).toEqual(merged)
  })

  it('is not written again while nothing has changed', async () => {
    await backUp(repository, twoChunks(1))
    await collectNow(repository)
    const before = segments()
    expect(await collectNow(repository)).toMatchObject({ index: { merged: 0, written: 0 } })
    expect(segments()).toEqual(before)
  })

  it('gets back what it had lost of live packs', async () => {
    const model = twoChunks(1)
    await backUp(repository, model)
    for (const name of segments()) bucket.objects.delete(name)
    await using fresh = await lab.over(bucket).open()
    expect(await collectNow(fresh)).toMatchObject({ outcome: 'nothing', index: { merged: 0, written: 1 } })
    expect((await backUp(fresh, model)).disks[0]?.newBytes).toBe(0)
  })
})
