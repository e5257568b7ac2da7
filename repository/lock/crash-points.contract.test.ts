import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { collectNow, twoChunks } from '../gc/testing.ts'
import { FaultyStore, type StoreCall } from '../store/index.ts'
import {
  backUp,
  expectIdentical,
  noSignal,
  RepositoryLab,
  robbed,
  runDying,
  uuid,
  type BackupOptions,
  type MemoryBucket,
  type ModelDisk,
} from '../testing/index.ts'
import { DAY_MS } from './index.ts'

const DAYS = 5
const GENERATION = 7
const configs = [{ name: 'xml', type: 'native', content: Buffer.alloc(3_000, 7) }] as const

let lab: RepositoryLab
beforeAll(async () => {
  lab = await RepositoryLab.create(undefined, { days: DAYS, generationDays: GENERATION })
})
afterAll(async () => {
  await lab[Symbol.asyncDispose]()
})

/** A point of the generation before. */
let before: MemoryBucket
let model: ModelDisk
let parent: string
beforeEach(async () => {
  before = lab.bucket.clone()
  await using repository = await lab.over(before).open()
  model = twoChunks(1)
  parent = (await backUp(repository, model, { configs })).stem
  before.aheadMs += GENERATION * DAY_MS
})

const options = (): BackupOptions => {
  return { session: uuid(), snap: uuid(), createdMs: 1_800_000_000_000, parent, configs, source: { extents: [] } }
}

/** What a recovery point says of its lock is so, whatever happened on the way. */
async function expectLocked(bucket: MemoryBucket, stem: string): Promise<void> {
  let until = 0
  {
    await using repository = await lab.over(bucket).open()
    const { manifest } = await repository.points.load(stem, false)
    until = manifest.header.lockUntilSec * 1000
    expect(until).toBeGreaterThan(bucket.now() + (DAYS - 1) * DAY_MS)
  }
  const left = await robbed(bucket, until - 60_000, (name) => name.startsWith('floor/'))
  await using reader = await lab.over(left).open()
  // Hints may point to a pack that is gone: then readers go by the index, which is made of the packs.
  await reader.rebuildIndex({ signal: noSignal, onProgress: () => undefined })
  await expectIdentical(reader, stem, model)
}

async function newest(bucket: MemoryBucket): Promise<string> {
  await using repository = await lab.over(bucket).open()
  const [first] = await Array.fromAsync(repository.listPoints())
  expect(first?.state).toBe('recovery-point')
  return first?.stem ?? ''
}

describe('a writer that dies at its n-th store call while it extends what it inherits, for every n', () => {
  it('is followed by one that publishes the same point, locked as it says', async () => {
    const { calls } = await runDying(lab, before.clone(), options(), model, [])
    expect(calls).toBeGreaterThan(25)
    for (let n = 1; n <= calls; n++) {
      const bucket = before.clone()
      await runDying(lab, bucket, options(), model, [n])
      await expectLocked(bucket, await newest(bucket))
    }
  })

  it('the same with a second crash in the next process', async () => {
    const { calls } = await runDying(lab, before.clone(), options(), model, [])
    for (let n = 3; n <= calls; n += 4) {
      const bucket = before.clone()
      await runDying(lab, bucket, options(), model, [n, calls - n + 2])
      await expectLocked(bucket, await newest(bucket))
    }
  })
})

describe('a pack that goes between the check and its extension', () => {
  it('is stored again from the source, and locked', async () => {
    const bucket = before.clone()
    // Pages cannot be read again from a source; chunks can.
    const data = bucket.names('pack/').find((name) => bucket.body(name)[10] === 0 && bucket.body(name).length > 6_000)
    let isDone = false
    const plan = (call: StoreCall) => {
      if (!isDone && call.op === 'retention' && call.name === data) {
        isDone = true
        bucket.objects.delete(call.name)
      }
      return undefined
    }
    await using repository = await lab.over(bucket).open({ connect: () => new FaultyStore(bucket.connect(), plan) })
    const reread = async (_disk: string, at: number, into: Uint8Array) => into.set(model.bytes(at, into.length))
    // Another VM with the same content: everything is reused.
    const { stem, rescued } = await backUp(repository, model, { vm: 'other', reread, createdMs: 1_800_000_000_000 })
    expect(isDone).toBe(true)
    expect(rescued).toBe(2)
    await expectLocked(bucket, stem)
  })

  it('is found in another place, where garbage collection has copied it, and locked there', async () => {
    const bucket = before.clone()
    // A second home of everything: the same content stored without looking at the index.
    const hidden = new Map(bucket.names('idx/').map((name) => [name, bucket.objects.get(name)] as const))
    for (const name of hidden.keys()) bucket.objects.delete(name)
    await using blind = await lab.over(bucket).open()
    await backUp(blind, model, { vm: 'twin', configs })
    for (const [name, object] of hidden) if (object !== undefined) bucket.objects.set(name, object)
    const all = bucket.names('pack/').length
    const lost: string[] = []
    const plan = ({ op, name }: StoreCall) => {
      if (lost.length === 0 && op === 'retention' && name.startsWith('pack/')) {
        lost.push(name)
        bucket.objects.delete(name)
      }
      return undefined
    }
    await using repository = await lab.over(bucket).open({ connect: () => new FaultyStore(bucket.connect(), plan) })
    const { stem } = await backUp(repository, model, options())
    expect(lost).toHaveLength(1)
    expect(bucket.names('pack/')).toHaveLength(all - 1)
    await expectLocked(bucket, stem)
  })

  it('and a collector beside it: whichever comes first, the point is locked and restores', async () => {
    for (const when of ['before', 'after'] as const) {
      const bucket = before.clone()
      if (when === 'before') {
        await using collector = await lab.over(bucket).open({ clock: () => bucket.now() })
        await collectNow(collector)
      }
      await using repository = await lab.over(bucket).open()
      const { stem } = await backUp(repository, model, options())
      if (when === 'after') {
        await using collector = await lab.over(bucket).open({ clock: () => bucket.now() })
        await collectNow(collector)
      }
      await expectLocked(bucket, stem)
    }
  })
})
