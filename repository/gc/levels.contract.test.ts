/** The index as it grows old: many small segments, merged ones beside them, none at all. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { MiB } from '../../base/index.ts'
import { BLOB_CHUNK, parseName } from '../format/index.ts'
import type { OpenedRepository } from '../repository.ts'
import {
  backUp,
  expectIdentical,
  ModelDisk,
  noSignal,
  RepositoryLab,
  seededBytes,
  type MemoryBucket,
} from '../testing/index.ts'
import { collectNow } from './testing.ts'

let lab: RepositoryLab
beforeAll(async () => void (lab = await RepositoryLab.create()))
afterAll(() => lab[Symbol.asyncDispose]())

const ROUNDS = 4
const PER_ROUND = 5

function levels(bucket: MemoryBucket): number[] {
  return bucket.names('idx/').flatMap((name) => {
    const parsed = parseName(name)
    return parsed?.kind === 'segment' ? [parsed.level] : []
  })
}

/** One disk that every point changes in one place: each point brings a chunk, a page and a segment. */
class Line {
  readonly points: { readonly stem: string; readonly model: ModelDisk }[] = []

  async add(repository: OpenedRepository): Promise<void> {
    const no = this.points.length
    const model = this.points.at(-1)?.model.clone() ?? new ModelDisk(8 * MiB)
    model.write((no % 8) * MiB, seededBytes(1000 + no, 3000))
    const { stem } = await backUp(repository, model, { vm: 'line' })
    this.points.push({ stem, model })
  }

  async expectAll(repository: OpenedRepository): Promise<void> {
    for (const { stem, model } of this.points) await expectIdentical(repository, stem, model)
  }

  /** Nothing is new in a backup of any of them: every look-up finds its home. */
  async expectAllKnown(repository: OpenedRepository): Promise<void> {
    for (const { model } of [this.points[0], this.points.at(-1)].filter((point) => point !== undefined)) {
      const { disks } = await backUp(repository, model, { vm: 'again' })
      expect(disks[0]?.newBytes).toBe(0)
    }
  }
}

describe('an index with many segments', () => {
  it(
    'answers across levels while segments come, are merged and go, and points need none of it',
    { timeout: 120_000 },
    async () => {
      const bucket = lab.bucket.clone()
      const own = lab.over(bucket)
      const line = new Line()
      const counts: number[] = []
      for (let round = 0; round < ROUNDS; round++) {
        await using repository = await own.open()
        for (let point = 0; point < PER_ROUND; point++) await line.add(repository)
        const before = levels(bucket)
        expect(before.filter((level) => level === 0).length).toBeGreaterThanOrEqual(PER_ROUND)
        // Merged ones of earlier rounds beside the new: both levels answer.
        if (round > 0) expect(before).toContain(1)
        await line.expectAllKnown(repository)
        for (let run = 0; run < 2; run++) await collectNow(repository)
        counts.push(levels(bucket).length)
        await using fresh = await own.open()
        await fresh.engine.view.refresh(fresh.engine.store, noSignal)
        await line.expectAllKnown(fresh)
        await line.expectAll(fresh)
      }
      // Bounded: what is merged goes, however many points there were.
      expect(Math.max(...counts)).toBeLessThan(2 * PER_ROUND)

      await using before = await own.open()
      await before.engine.view.refresh(before.engine.store, noSignal)
      const known = await before.engine.view.countDistinct(BLOB_CHUNK)
      expect(known).toBe(ROUNDS * PER_ROUND)
      for (const name of bucket.names('idx/')) bucket.objects.delete(name)
      await using without = await own.open()
      await line.expectAll(without)
      const { missing } = await without.rebuildIndex({ dryRun: true, signal: noSignal, onProgress: () => undefined })
      expect(missing).toBeGreaterThan(0)
      await without.rebuildIndex({ signal: noSignal, onProgress: () => undefined })
      await using rebuilt = await own.open()
      await rebuilt.engine.view.refresh(rebuilt.engine.store, noSignal)
      expect(await rebuilt.engine.view.countDistinct(BLOB_CHUNK)).toBe(known)
      await line.expectAllKnown(rebuilt)
      await line.expectAll(rebuilt)
    },
  )
})
