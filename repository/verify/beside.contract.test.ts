/** Verify beside everything that goes on: what others move or remove meanwhile is no damage. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { MiB } from '../../base/index.ts'
import { bury, collectNow } from '../gc/testing.ts'
import type { OpenedRepository } from '../repository.ts'
import type { ObjectStore } from '../store/index.ts'
import {
  atCrashPoints,
  backUp,
  ModelDisk,
  noSignal,
  RepositoryLab,
  seededBytes,
  type MemoryBucket,
} from '../testing/index.ts'
import type { VerifyLevel } from '../types.ts'

let lab: RepositoryLab
beforeAll(async () => void (lab = await RepositoryLab.create()))
afterAll(() => lab[Symbol.asyncDispose]())

function disk(...seeds: number[]): ModelDisk {
  const model = new ModelDisk(4 * MiB)
  for (const [index, seed] of seeds.entries()) model.write(index * MiB, seededBytes(seed, 5000))
  return model
}

/** Before the calls that `acts` names by their number, something is done by somebody else; the number of calls. */
function between(
  bucket: MemoryBucket,
  acts: ReadonlyMap<number, () => Promise<void>>,
): { connect: () => ObjectStore; calls: number } {
  const state = { calls: 0, connect: () => new Proxy(bucket.connect(), handler) }
  const handler: ProxyHandler<ObjectStore> = {
    get(target, property) {
      const member: unknown = Reflect.get(target, property, target)
      if (typeof member !== 'function') return member
      return async (...args: unknown[]): Promise<unknown> => {
        state.calls += 1
        await acts.get(state.calls)?.()
        return await (member as (...args: unknown[]) => Promise<unknown>).apply(target, args)
      }
    },
  }
  return state
}

/** Two points that share half of their chunks, in packs of the first one. */
async function scene(): Promise<{ readonly bucket: MemoryBucket; readonly older: string }> {
  const bucket = lab.bucket.clone()
  await using repository = await lab.over(bucket).open()
  const { stem: older } = await backUp(repository, disk(1, 2, 3, 4))
  await backUp(repository, disk(1, 2, 13, 14))
  return { bucket, older }
}

const acts: Record<string, (repository: OpenedRepository, bucket: MemoryBucket, older: string) => Promise<unknown>> = {
  'pruned and collected': async (repository, bucket, older) => {
    bury(bucket, repository, older)
    await repository.prune({ remove: [], reason: 'operator', actor: 'test', maxShare: 1, signal: noSignal })
    for (let run = 0; run < 2; run++) await collectNow(repository)
  },
  'pruned, compacted and collected': async (repository, bucket, older) => {
    bury(bucket, repository, older)
    await repository.prune({ remove: [], reason: 'operator', actor: 'test', maxShare: 1, signal: noSignal })
    for (let run = 0; run < 3; run++) await collectNow(repository, { compactBelow: 1 })
  },
}

describe.each(Object.keys(acts))('a verify during which a point is %s', (what) => {
  it.each<VerifyLevel>(['quick', 'full'])('on level %s finds no damage, whenever it happens', async (level) => {
    const { bucket: before, older } = await scene()
    const run = async (n: number): Promise<number> => {
      const bucket = before.clone()
      const act = async (): Promise<void> => {
        await using other = await lab.over(bucket).open()
        await acts[what]?.(other, bucket, older)
      }
      const state = between(bucket, new Map([[n, act]]))
      await using repository = await lab.over(bucket).open({ connect: state.connect })
      const first = state.calls
      const wish = { level, quarantine: true, signal: noSignal, onProgress: () => undefined }
      const { damages } = await repository.verify(wish)
      expect([n, damages]).toEqual([n, []])
      expect(bucket.names('bad/')).toEqual([])
      return n === Infinity ? first : state.calls
    }
    const opened = await run(Infinity)
    const calls = await run(opened + 1)
    await atCrashPoints(calls - opened, 9, (n) => run(opened + n))
  })
})

it('what is moved twice during a verify is no damage, however soon one move follows the other', async () => {
  const before = lab.bucket.clone()
  const stems: string[] = []
  {
    await using repository = await lab.over(before).open()
    // The last one needs half of what the first one stored, which is moved each time another one goes.
    for (const seeds of [
      [1, 2, 3, 4],
      [1, 2, 3, 13],
      [1, 2],
    ])
      stems.push((await backUp(repository, disk(...seeds))).stem)
  }
  const run = async (first: number, second: number): Promise<number> => {
    const bucket = before.clone()
    const removal = (stem: string) => async (): Promise<void> => {
      await using other = await lab.over(bucket).open()
      await acts['pruned, compacted and collected']?.(other, bucket, stem)
    }
    const [one = '', two = ''] = stems
    const moves = new Map([
      [first, removal(one)],
      [second, removal(two)],
    ])
    const state = between(bucket, moves)
    await using repository = await lab.over(bucket).open({ connect: state.connect })
    const opened = state.calls
    const { damages } = await repository.verify({ level: 'quick', signal: noSignal, onProgress: () => undefined })
    expect([first, second, damages]).toEqual([first, second, []])
    return first === Infinity ? opened : state.calls
  }
  const opened = await run(Infinity, Infinity)
  const calls = await run(opened + 1, Infinity)
  await atCrashPoints(calls - opened, 9, async (n) => {
    for (const later of [1, 2, 3]) await run(opened + n, opened + n + later)
  })
})
