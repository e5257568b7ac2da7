/** What the tests of the mirror share: a history to mirror, and one run. */
import { GiB, MiB } from '../../base/index.ts'
import type { OpenedRepository } from '../repository.ts'
import { backUp, noSignal, seededBytes, smallDisk, type ModelDisk, type RepositoryLab } from '../testing/index.ts'
import type { MirrorOptions, MirrorReport } from '../types.ts'
import { mirror } from './index.ts'

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
