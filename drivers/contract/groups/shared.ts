import { KiB } from '../../../base/index.ts'
import type { ContractVm, GuestWrite } from '../rig.ts'

export function first(vm: ContractVm): ContractVm['disks'][number] {
  const [disk] = vm.disks
  if (!disk) throw new Error('the rig has no disk')
  return disk
}
export function second(vm: ContractVm): ContractVm['disks'][number] {
  const disk = vm.disks[1]
  if (!disk) throw new Error('the rig has one disk only')
  return disk
}

/** A small generator with a seed, so that a failure can be seen again (mulberry32). */
export function generator(seed: number): (below: number) => number {
  let state = seed >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) % below
  }
}

/** A handful of writes to every disk: runs, single sectors, zeros, discards. */
export function someWrites(vm: ContractVm, seed: number, perDisk = 8): GuestWrite[] {
  const random = generator(seed)
  return vm.disks.flatMap(({ key, size }) =>
    Array.from({ length: perDisk }, (): GuestWrite => oneWrite(key, size, random)),
  )
}

/**
 * Discards are whole 64 KiB blocks: of a part of a block a device may discard nothing, or zero it, and no writer could
 * tell what the disk holds then.
 */
export function oneWrite(disk: string, size: number, random: (below: number) => number): GuestWrite {
  const value = 1 + random(255)
  const sectors = size / 512
  const kind = (['data', 'data', 'sector', 'zeroes', 'discard'] as const)[random(5)] ?? 'data'
  if (kind === 'discard') {
    const blocks = Math.floor(size / (64 * KiB))
    const at = random(blocks)
    const length = Math.min(blocks - at, 1 + random(8)) * 64 * KiB
    return { disk, kind, at: at * 64 * KiB, length, value }
  }
  const at = random(sectors)
  const length = kind === 'sector' ? 1 : Math.min(sectors - at, 1 + random(1024))
  return { disk, kind: kind === 'sector' ? 'data' : kind, at: at * 512, length: length * 512, value }
}
