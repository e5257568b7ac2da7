import { afterAll, beforeAll, expect, it } from 'vitest'
import { GiB, MiB } from '../../base/index.ts'
import { backUp, ModelDisk, noSignal, RepositoryLab, seededBytes } from '../testing/index.ts'

let lab: RepositoryLab
beforeAll(async () => {
  lab = await RepositoryLab.create()
})
afterAll(async () => {
  await lab[Symbol.asyncDispose]()
})

/** Compresses to nearly nothing. */
function text(seed: number, length: number): Uint8Array {
  return Buffer.alloc(length, `line ${seed} of a report that nobody reads\n`)
}

function disk(): ModelDisk {
  const made = new ModelDisk(2 * GiB + 3 * MiB)
  for (let index = 0; index < 8; index++) made.write(index * MiB, text(index, MiB))
  made.write(20 * MiB, seededBytes(1, 2 * MiB))
  made.write(GiB + 4 * MiB, text(99, MiB))
  return made
}

it('what was rewritten, added, removed and has turned is counted by its place', async () => {
  await using repository = await lab.open()
  const before = disk()
  const first = await backUp(repository, before, { vm: 'places' })
  expect(await repository.compareWithPrevious(first.stem, noSignal)).toBeNull()

  const after = before.clone()
  after.write(0, seededBytes(2, 3 * MiB))
  after.write(4 * MiB, text(40, MiB))
  after.write(20 * MiB, seededBytes(3, MiB))
  after.zero(GiB + 4 * MiB, MiB)
  after.write(2 * GiB, seededBytes(4, MiB))
  // In full: how it was made does not matter.
  const second = await backUp(repository, after, { vm: 'places' })
  expect(await repository.compareWithPrevious(second.stem, noSignal)).toEqual({
    beforeSnap: first.snap,
    beforeMs: expect.any(Number) as number,
    comparedBytes: before.size,
    heldBytes: 11 * MiB,
    softBytes: 9 * MiB,
    rewrittenBytes: 5 * MiB,
    rewrittenStoredBefore: expect.closeTo(MiB, -5) as number,
    rewrittenStored: expect.closeTo(4 * MiB, -5) as number,
    rewrittenHardBytes: MiB,
    turnedBytes: 3 * MiB,
    addedBytes: MiB,
    addedStored: MiB,
    addedHardBytes: MiB,
    removedBytes: MiB,
    removedSoftBytes: MiB,
  })

  const third = await backUp(repository, after, { vm: 'places', parent: second.stem })
  expect(await repository.compareWithPrevious(third.stem, noSignal)).toMatchObject({
    beforeSnap: second.snap,
    heldBytes: 11 * MiB,
    rewrittenBytes: 0,
    addedBytes: 0,
    removedBytes: 0,
  })
  // A point that came later is not what it is compared with.
  expect(await repository.compareWithPrevious(second.stem, noSignal)).toMatchObject({ beforeSnap: first.snap })
})

it('a disk that grew is compared as far as both reach, and pages without any content count too', async () => {
  await using repository = await lab.open()
  const small = new ModelDisk(GiB)
  await backUp(repository, small, { vm: 'grown' })
  const large = new ModelDisk(3 * GiB)
  large.write(0, text(1, 2 * MiB))
  large.write(2 * GiB, seededBytes(5, MiB))
  const { stem } = await backUp(repository, large, { vm: 'grown' })
  expect(await repository.compareWithPrevious(stem, noSignal)).toMatchObject({
    comparedBytes: GiB,
    heldBytes: 0,
    addedBytes: 2 * MiB,
    addedHardBytes: 0,
  })
})
