import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { MiB } from '../../base/index.ts'
import {
  atCrashPoints,
  backUp,
  expectOnePoint,
  RepositoryLab,
  runDying,
  seededBytes,
  smallDisk,
  uuid,
} from '../testing/index.ts'

let lab: RepositoryLab
beforeAll(async () => {
  lab = await RepositoryLab.create()
})
afterAll(async () => {
  await lab[Symbol.asyncDispose]()
})

const configs = [{ name: 'c', type: 'native', content: Buffer.from('c') }] as const
const identity = () => ({ session: uuid(), snap: uuid(), createdMs: 1_800_000_000_000 })

/** §18 test 3: every store call of a backup is the one at which its process dies. */
describe('a backup whose process dies at its n-th store call', () => {
  it('is finished by the next process for every n, as one point, byte-identical', async () => {
    const model = smallDisk(1)
    const options = { journalSourceBytes: MiB, configs }
    const { calls } = await runDying(lab, lab.bucket.clone(), { ...options, ...identity() }, model, [])
    expect(calls).toBeGreaterThan(40)
    await atCrashPoints(calls, 3, async (n) => {
      const bucket = lab.bucket.clone()
      await runDying(lab, bucket, { ...options, ...identity() }, model, [n])
      await expectOnePoint(lab, bucket, model)
    })
  })

  it('twice, the second time at every call of the process that resumes', async () => {
    const model = smallDisk(2)
    const options = { journalSourceBytes: MiB, configs }
    await atCrashPoints(40, 3, async (n) => {
      const bucket = lab.bucket.clone()
      await runDying(lab, bucket, { ...options, ...identity() }, model, [24, n])
      await expectOnePoint(lab, bucket, model)
    })
  })

  it('is finished for every n where it is an increment', async () => {
    const before = smallDisk(3)
    const parentBucket = lab.bucket.clone()
    await using repository = await lab.over(parentBucket).open()
    const parent = await backUp(repository, before, { createdMs: 1_700_000_000_000 })
    const model = before.clone()
    model.write(2 * MiB - 100, seededBytes(4, 200))
    model.zero(MiB, 4096)
    const extents = [
      { offset: MiB, length: 4096, kind: 'zero' as const },
      { offset: 2 * MiB - 100, length: 200, kind: 'data' as const },
    ]
    const options = {
      journalSourceBytes: 64,
      configs,
      parent: parent.stem,
      source: { extents, readable: 'changed' as const },
    }
    const { calls } = await runDying(lab, parentBucket.clone(), { ...options, ...identity() }, model, [])
    await atCrashPoints(calls, 3, async (n) => {
      const bucket = parentBucket.clone()
      await runDying(lab, bucket, { ...options, ...identity() }, model, [n])
      bucket.objects.delete(`${parent.stem}.ok`)
      await expectOnePoint(lab, bucket, model)
    })
  })
})
