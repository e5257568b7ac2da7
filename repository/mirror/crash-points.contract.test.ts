import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isHoldfastError } from '../../base/index.ts'
import type { OpenedRepository } from '../repository.ts'
import { FaultClock, FaultyStore } from '../store/index.ts'
import {
  atCrashPoints,
  expectIdentical,
  ModelDisk,
  noSignal,
  type MemoryBucket,
  type RepositoryLab,
} from '../testing/index.ts'
import { history, run, mirrorLabs, type MirrorLabs } from './testing.ts'

let labs: MirrorLabs
beforeAll(async () => void (labs = await mirrorLabs()))
afterAll(() => labs[Symbol.asyncDispose]())

const packsOf = (bucket: MemoryBucket): string[] => bucket.names('pack/')

/** §18 test 3: every store call there is the one at which the mirror's process dies. */
describe.each([
  ['that shares its ids', () => labs.sibling],
  ['with an identity of its own', () => labs.stranger],
])('a mirror %s', (_, labOf) => {
  it('goes on after its process died at any store call there, and stores again at most what no journal had reached', async () => {
    const here = labs.source.over(labs.source.bucket.clone())
    const { stems, disks } = await history(here, 20)
    await using from = await here.open()
    const whole = labOf().bucket.clone()
    const clean = await dying(from, labOf().over(whole), Infinity)
    await atCrashPoints(clean.calls, 3, async (n) => {
      const bucket = labOf().bucket.clone()
      const lab = labOf().over(bucket)
      await dying(from, lab, n)
      await using to = await lab.open()
      const { points, there } = await run(from, to)
      expect(points.every(({ outcome }) => outcome === 'mirrored')).toBe(true)
      expect(there + points.length).toBe(2)
      for (const [index, stem] of stems.entries()) await expectIdentical(to, stem, disks[index] ?? new ModelDisk(512))
      const homes = await to.verify({ level: 'quick', signal: noSignal, onProgress: () => undefined })
      expect(homes.damages).toEqual([])
      // What an index had reached is not stored again: at most the packs under way, one of each kind and of each call.
      expect(packsOf(bucket).length).toBeLessThanOrEqual(packsOf(whole).length + 3)
    })
  })
})

/** Mirrors until the n-th call to the store there, from which on every call fails. */
async function dying(from: OpenedRepository, lab: RepositoryLab, n: number): Promise<{ calls: number }> {
  const clock = new FaultClock()
  let base = Infinity
  const connect = () =>
    new FaultyStore(
      lab.bucket.connect(),
      (call) => (call.n - base >= n ? { kind: 'fail', code: 'StoreUnavailable' } : undefined),
      clock,
    )
  await using to = await lab.open({ connect })
  base = clock.calls.length
  try {
    await run(from, to)
  } catch (error) {
    if (!isHoldfastError(error) || error.code !== 'StoreUnavailable') throw error
  }
  return { calls: clock.calls.length - base }
}
