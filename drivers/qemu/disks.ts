import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { HoldfastError, bytes } from '../../base/index.ts'
import { BlockGraph, type DiskView, type QmpCaller } from '../qmp/index.ts'
import type { DiskKey, DiskRef, Finding, SkipReason } from '../values.ts'
import { diskNodes } from './command-line.ts'
import { resolveFile, type DiskDescription } from './description.ts'
import type { Vm } from './vm.ts'

/** One disk of a running VM: its description, and what QEMU makes of it now. */
export interface DiskState {
  readonly description: DiskDescription
  readonly ref: DiskRef
  /** QOM path whose property `drive` names the node on top. */
  readonly device: string
  /** The node right below the device: the disk's own, a filter of ours, or of a job. */
  readonly top: string
  readonly view: DiskView
}

/** Disks as described; for a VM that does not run that is all there is to know. */
export async function describedDisks(
  vm: Vm,
): Promise<{ readonly disks: readonly DiskRef[]; readonly findings: readonly Finding[] }> {
  const disks: DiskRef[] = []
  const findings: Finding[] = []
  for (const d of vm.description.disks) {
    let volume = `${basename(d.file)}:unreadable`
    try {
      volume = await volumeOf(vm, d)
    } catch (error) {
      findings.push({
        code: 'disk-unreadable',
        severity: 'blocking',
        disk: d.key as DiskKey,
        message: `disk ${d.key}: cannot look at ${resolveFile(vm.dir, d.file)} (${(error as Error).message})`,
        hint: 'Check that the file exists and that the worker may read it.',
      })
    }
    disks.push(diskRef(d, volume, d.size, null))
  }
  return { disks, findings }
}

/** Backend in QEMU's block graph of a virtio-blk device with this id. */
function backendOf(key: string): string {
  return `/machine/peripheral/${diskNodes(key).device}/virtio-backend`
}

/**
 * All described disks as QEMU has them now. Throws `ForeignState` for one that QEMU does not have: taking a point
 * without it would be a silent omission.
 */
export async function inspectDisks(vm: Vm, qmp: QmpCaller): Promise<readonly DiskState[]> {
  const graph = await BlockGraph.read(qmp)
  return await Promise.all(vm.description.disks.map((d) => inspect(vm, d, graph)))
}

async function inspect(vm: Vm, d: DiskDescription, graph: BlockGraph): Promise<DiskState> {
  const top = graph.root(backendOf(d.key))
  const chain = top === undefined ? [] : graph.chain(top)
  const active = chain[0]
  if (top === undefined || active === undefined)
    throw new HoldfastError('ForeignState', `VM “${vm.description.name}” runs without its disk ${d.key}`, {
      hint: 'The running VM and its vm.json differ; restart the VM or correct the description.',
    })
  const volume = await volumeOf(vm, d)
  return {
    description: d,
    ref: diskRef(d, volume, active.size, null),
    device: `/machine/peripheral/${diskNodes(d.key).device}`,
    top,
    view: {
      key: d.key as DiskKey,
      node: active.name,
      size: active.size,
      volume,
      tracking: active.driver === 'qcow2' ? 'persistent' : 'memory',
      bitmaps: chain.flatMap((n) => n.bitmaps),
    },
  }
}

/** What the ending of a round needs to know of a disk. */
export type DiskBitmaps = Pick<DiskView, 'key' | 'node' | 'bitmaps'>

/**
 * All disks that QEMU has now, whatever `vm.json` says of them: a round must be able to end though the description has
 * lost or gained a disk since it began.
 */
export async function disksInQemu(qmp: QmpCaller): Promise<readonly DiskBitmaps[]> {
  const graph = await BlockGraph.read(qmp)
  return graph.devices().flatMap(({ id, top }) => {
    const chain = graph.chain(top)
    const node = chain[0]?.name
    return node === undefined ? [] : [{ key: id as DiskKey, node, bitmaps: chain.flatMap((n) => n.bitmaps) }]
  })
}

/** Nodes of overlays that somebody put on top of the described disk; ours are looked through. */
export function foreignOverlays(disk: DiskState): readonly string[] {
  return disk.view.node === diskNodes(disk.description.key).format ? [] : [disk.view.node]
}

/** Name and inode of the file: another file behind the same path is another volume. */
async function volumeOf(vm: Vm, d: DiskDescription): Promise<string> {
  const { ino } = await stat(resolveFile(vm.dir, d.file), { bigint: true })
  return `${basename(d.file)}:${ino}`
}

function diskRef(d: DiskDescription, volume: string, size: number, skip: SkipReason | null): DiskRef {
  return {
    key: d.key as DiskKey,
    label: basename(d.file),
    volume,
    size: bytes(size),
    sectorSize: 512,
    format: d.format,
    role: d.bootOrder === 0 ? 'boot' : 'data',
    skip,
  }
}
