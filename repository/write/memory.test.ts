import { afterAll, beforeAll, expect, it } from 'vitest'
import { MiB } from '../../base/index.ts'
import { backUp, ModelDisk, noSignal, RepositoryLab, seededBytes } from '../testing/index.ts'
import { BufferBudget } from '../workers/index.ts'

let lab: RepositoryLab
beforeAll(async () => {
  lab = await RepositoryLab.create()
})
afterAll(async () => {
  await lab[Symbol.asyncDispose]()
})

const size = 16 * MiB
function fullDisk(): ModelDisk {
  const disk = new ModelDisk(size)
  disk.write(0, seededBytes(5, size))
  return disk
}

it('a copy says that it waits while others hold the memory of the process', async () => {
  const budget = new BufferBudget(192 * MiB)
  await using repository = await lab.open({ budget })
  const slow = await budget.acquire(192 * MiB, noSignal)
  const told: boolean[] = []
  const copyPart = repository.copyPart.bind(repository)
  repository.copyPart = async (options) =>
    await copyPart({
      ...options,
      onWaiting: (isWaiting) => {
        told.push(isWaiting)
        if (isWaiting) slow.release()
      },
    })
  await backUp(repository, fullDisk(), { vm: 'waits' })
  expect(told).toEqual([true, false])
})

it('a restore goes on out of the reserve while backups hold all else; any other reader says that it waits', async () => {
  const budget = new BufferBudget(192 * MiB, 24 * MiB)
  await using repository = await lab.open({ budget })
  const { stem } = await backUp(repository, fullDisk(), { vm: 'first' })
  await using point = await repository.openPoint(stem)
  const slow = await budget.acquire(192 * MiB, noSignal)
  const read = async (isRestore: boolean): Promise<{ bytes: number; told: boolean[] }> => {
    let bytes = 0
    const told: boolean[] = []
    const onWaiting = (isWaiting: boolean) => {
      told.push(isWaiting)
      if (isWaiting) slow.release()
    }
    for await (const { data } of point.disk('disk').stream(0, size, noSignal, { isRestore, onWaiting }))
      bytes += data.length
    return { bytes, told }
  }
  expect(await read(true)).toEqual({ bytes: size, told: [] })
  expect(budget.used).toBe(192 * MiB)
  expect(await read(false)).toEqual({ bytes: size, told: [true, false] })
})
