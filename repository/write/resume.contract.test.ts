import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { GiB, MiB } from '../../base/index.ts'
import { FaultClock, FaultyStore } from '../store/index.ts'
import {
  backUp,
  expectIdentical,
  ModelBackup,
  expectOnePoint,
  ModelDisk,
  RepositoryLab,
  runDying,
  seededBytes,
  smallDisk,
  uuid,
} from '../testing/index.ts'

vi.setConfig({ testTimeout: 30_000 })

let lab: RepositoryLab
beforeAll(async () => {
  lab = await RepositoryLab.create()
})
afterAll(async () => {
  await lab[Symbol.asyncDispose]()
})

const identity = () => ({ session: uuid(), snap: uuid(), createdMs: 1_800_000_000_000 })

/** A disk with two pages that matter and eight chunks. */
function disk(seed: number): ModelDisk {
  const model = new ModelDisk(GiB + 3 * MiB + 512)
  model.write(MiB, seededBytes(seed, 4 * MiB))
  model.write(GiB - MiB, seededBytes(seed + 1, 3 * MiB))
  model.write(GiB + 2 * MiB + 5, seededBytes(seed + 2, MiB))
  return model
}

describe('a backup whose process dies', () => {
  const options = {
    journalSourceBytes: 2 * MiB,
    configs: [{ name: 'c', type: 'native', content: Buffer.from('c') }],
  } as const

  it('at some store call is finished by the next process, as one point, byte-identical', async () => {
    const model = smallDisk(10)
    const { calls } = await runDying(lab, lab.bucket.clone(), { ...options, ...identity() }, model, [])
    // Every call is tried in crash-points.contract.test.ts.
    for (let n = 2; n <= calls; n += 5) {
      const bucket = lab.bucket.clone()
      await runDying(lab, bucket, { ...options, ...identity() }, model, [n])
      await expectOnePoint(lab, bucket, model)
    }
  })

  it('three times at different calls is finished all the same', async () => {
    const model = smallDisk(20)
    for (const diesAt of [
      [12, 20, 30],
      [25, 25, 25],
      [33, 12, 40],
      [18, 35, 9],
    ]) {
      const bucket = lab.bucket.clone()
      await runDying(lab, bucket, { ...options, ...identity() }, model, diesAt)
      await expectOnePoint(lab, bucket, model)
    }
  })

  it('reads again no more than the journal distance and what was in flight', async () => {
    const model = new ModelDisk(40 * MiB)
    model.write(0, seededBytes(30, 40 * MiB))
    const own = lab.over(lab.bucket.clone())
    const clock = new FaultClock()
    let journals = 0
    const plan = ({ op, name }: { op: string; name: string }) => {
      if (op === 'put' && name.startsWith('sess/') && ++journals > 6)
        return { kind: 'fail', code: 'StoreUnavailable' } as const
      return undefined
    }
    await using dying = await own.open({ connect: () => new FaultyStore(own.bucket.connect(), plan, clock) })
    const backup = new ModelBackup(dying, model, { journalSourceBytes: 4 * MiB })
    await backup.open(dying)
    await expect(backup.copy(dying)).rejects.toMatchObject({ code: 'StoreUnavailable', data: { side: 'store-write' } })
    const before = backup.source.bytesRead
    await using next = await own.open()
    const [result] = await backup.copy(next, 2)
    // open is the first session object, so five journals of 4 MiB each came through.
    expect(result).toMatchObject({ bytesResumed: 20 * MiB, bytesReadThisAttempt: 20 * MiB, readBytes: 40 * MiB })
    // The pack that was put just before is found in the index, not stored again.
    expect(result?.newBytes).toBeGreaterThan(36 * MiB)
    expect(before + 20 * MiB - 40 * MiB).toBeLessThanOrEqual((4 + 24) * MiB)
    const { stem } = await backup.commit(next, 1, 2)
    await expectIdentical(next, stem, model)
  })

  it('after its result was stored and the answer lost is taken up without reading anything', async () => {
    const own = lab.over(lab.bucket.clone())
    const model = disk(40)
    await using first = await own.open()
    const backup = new ModelBackup(first, model, options)
    await backup.open(first)
    await backup.copy(first)
    const before = backup.source.bytesRead
    await using next = await own.open()
    const [result] = await backup.copy(next, 2)
    expect(result).toMatchObject({ bytesReadThisAttempt: 0, bytesResumed: model.size })
    expect(backup.source.bytesRead).toBe(before)
    const { stem } = await backup.commit(next, 1, 2)
    await expectIdentical(next, stem, model)
  })

  it('resumes in full what was begun as an increment: what no journal names is read', async () => {
    const own = lab.over(lab.bucket.clone())
    const model = disk(50)
    await using repository = await own.open()
    const parent = await backUp(repository, model)
    const next = model.clone()
    next.write(3 * MiB, seededBytes(51, MiB))
    next.write(GiB, seededBytes(52, MiB))
    const extents = [3 * MiB, GiB].map((offset) => ({ offset, length: MiB, kind: 'data' as const }))
    const fixed = { ...identity(), parent: parent.stem }
    const begun = new ModelBackup(repository, next, { ...fixed, journalSourceBytes: MiB, source: { extents } })
    await begun.open(repository)
    await begun.copy(repository)
    // Without the result, as if it had died before.
    for (const name of own.bucket.names(`sess/${fixed.session}-0001-`).slice(-1)) own.bucket.objects.delete(name)
    await using later = await own.open()
    const full = new ModelBackup(later, next, { ...fixed, mode: 'full' })
    const [result] = await full.copy(later, 2)
    expect(result?.bytesReadThisAttempt).toBeGreaterThan(5 * MiB)
    const { stem } = await full.commit(later, 1, 2)
    await expectIdentical(later, stem, next)
  })
})

describe('an attempt that was superseded', () => {
  it('stops at its next journal, and its result is not used', async () => {
    const own = lab.over(lab.bucket.clone())
    const model = disk(60)
    await using old = await own.open()
    await using young = await own.open()
    const gate = Promise.withResolvers<void>()
    const reached = Promise.withResolvers<void>()
    const fixed = { ...identity(), journalSourceBytes: MiB }
    const slow = new ModelBackup(old, model, {
      ...fixed,
      source: {
        maxInFlight: 1,
        onRead: async (at) => {
          if (at < GiB) return
          reached.resolve()
          await gate.promise
        },
      },
    })
    await slow.open(old)
    const fenced = expect(slow.copy(old, 1)).rejects.toMatchObject({ code: 'SessionFenced' })
    await reached.promise
    const quick = new ModelBackup(young, model, fixed)
    await quick.open(young)
    await quick.copy(young, 2)
    gate.resolve()
    await fenced
    await expect(quick.commit(young, 1, 1)).rejects.toMatchObject({ code: 'SessionInvalid' })
    const { stem } = await quick.commit(young, 1, 2)
    await expectIdentical(young, stem, model)
  })

  it('cannot begin once a later one has', async () => {
    const own = lab.over(lab.bucket.clone())
    await using repository = await own.open()
    const backup = new ModelBackup(repository, disk(70))
    await backup.open(repository)
    await backup.copy(repository, 3)
    await using other = await own.open()
    await expect(backup.copy(other, 2)).rejects.toMatchObject({ code: 'SessionFenced' })
    await expect(backup.copy(other, 3)).rejects.toMatchObject({ code: 'SessionFenced' })
  })
})

describe('a copy that is cancelled', () => {
  it('stops at once, says so, and is resumed from its journals', async () => {
    const own = lab.over(lab.bucket.clone())
    const model = new ModelDisk(64 * MiB)
    model.write(0, seededBytes(80, 64 * MiB))
    await using repository = await own.open()
    const controller = new AbortController()
    const backup = new ModelBackup(repository, model, {
      journalSourceBytes: 4 * MiB,
      signal: controller.signal,
      source: { onRead: (at) => (at >= 48 * MiB ? controller.abort() : undefined) },
    })
    await backup.open(repository)
    await expect(backup.copy(repository)).rejects.toMatchObject({ code: 'Cancelled' })
    expect(repository.engine.budget.used).toBe(0)
    const again = new ModelBackup(repository, model, {
      session: backup.spec.session,
      snap: backup.spec.snap,
      createdMs: backup.spec.createdMs,
    })
    const [result] = await again.copy(repository, 2)
    expect(result?.bytesResumed).toBeGreaterThanOrEqual(4 * MiB)
    const { stem } = await again.commit(repository, 1, 2)
    await expectIdentical(repository, stem, model)
  })
})

describe('errors of a copy', () => {
  it('say that the source failed, and leave nothing that looks like a result', async () => {
    const own = lab.over(lab.bucket.clone())
    await using repository = await own.open()
    const backup = new ModelBackup(repository, disk(90), {
      source: {
        onRead: (at) => {
          if (at >= GiB) throw new Error('bad sector')
        },
      },
    })
    await backup.open(repository)
    await expect(backup.copy(repository)).rejects.toMatchObject({ code: 'SourceReadFailed', data: { side: 'source' } })
    await expect(backup.commit(repository)).rejects.toMatchObject({ code: 'SessionInvalid' })
    expect(repository.engine.budget.used).toBe(0)
  })
})
