import { KiB, MiB } from '../../base/index.ts'
import { ModelDisk } from '../../repository/testing/index.ts'
import type { Random } from './random.ts'

/**
 * A disk of two chunks, each one of a few contents that all disks share: few enough to be met again, enough for some to be in
 * no other point.
 */
export function drawDisk(random: Random, contents: number, from?: ModelDisk): ModelDisk {
  const model = from?.clone() ?? new ModelDisk(MiB + 4 * KiB)
  for (const at of [0, MiB]) {
    if (from !== undefined && random.chance(0.5)) continue
    model.write(at, Buffer.alloc(2 * KiB, `block ${random.below(contents)} `))
  }
  return model
}
