/** What the tests of the mirror share: a history to mirror, and one run. */
import { GiB, MiB } from '../../base/index.ts'
import type { OpenedRepository } from '../repository.ts'
import { backUp, noSignal, RepositoryLab, seededBytes, smallDisk, type ModelDisk } from '../testing/index.ts'
import type { MirrorOptions, MirrorReport } from '../types.ts'
import { mirror } from './index.ts'

/** A source, a repository that shares its ids, and one with an identity of its own. */
export interface MirrorLabs extends AsyncDisposable {
  readonly source: RepositoryLab
  readonly sibling: RepositoryLab
  readonly stranger: RepositoryLab
}

export async function mirrorLabs(): Promise<MirrorLabs> {
  const source = await RepositoryLab.create()
  await using opened = await source.open()
  const sibling = await RepositoryLab.create(opened.engine.ring.identityKey())
  const stranger = await RepositoryLab.create()
  return {
    source,
    sibling,
    stranger,
    async [Symbol.asyncDispose]() {
      for (const lab of [source, sibling, stranger]) await lab[Symbol.asyncDispose]()
    },
  }
}

export function run(
  from: OpenedRepository,
  to: OpenedRepository,
  more: Partial<MirrorOptions> = {},
): Promise<MirrorReport> {
  const options = { signal: noSignal, onProgress: () => undefined, ...more }
  return mirror(from, { engine: to.engine, points: to.points, writer: to }, options)
}

export const configs = [{ name: 'xml', type: 'native', content: Buffer.alloc(3_000, 7) }] as const

/** A full and an increment of one disk, and the disk as it was at each. */
export async function history(lab: RepositoryLab, seed: number): Promise<{ stems: string[]; disks: ModelDisk[] }> {
  await using repository = await lab.open()
  const first = smallDisk(seed)
  const { stem } = await backUp(repository, first, { configs })
  const second = first.clone()
  second.write(2 * MiB, seededBytes(seed + 50, MiB))
  second.zero(GiB, MiB)
  const extents = [
    { offset: 2 * MiB, length: MiB, kind: 'data' as const },
    { offset: GiB, length: MiB, kind: 'zero' as const },
  ]
  const next = await backUp(repository, second, { parent: stem, configs, source: { extents, readable: 'changed' } })
  return { stems: [stem, next.stem], disks: [first, second] }
}
