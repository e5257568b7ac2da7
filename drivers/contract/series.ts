import { createHash, randomBytes } from 'node:crypto'
import { expect } from 'vitest'
import { MiB, bytes, instant, millis } from '../../base/index.ts'
import type { HypervisorDriver, OpContext } from '../driver.ts'
import { installationTag, opKeyFor } from '../names.ts'
import type {
  ChangeRef,
  DiskKey,
  DiskRequest,
  Extent,
  MustFullReason,
  PointId,
  PointInTime,
  PointRequest,
  TrackerId,
} from '../values.ts'
import type { ContractVm } from './rig.ts'

export const installation = installationTag('the contract suite')

export function newPoint(): PointId {
  return randomBytes(16).toString('hex') as PointId
}

export function contextFor(
  vm: ContractVm['ref'],
  point: PointId,
  signal: AbortSignal = new AbortController().signal,
): OpContext {
  return {
    opKey: opKeyFor(installation, vm, point),
    installation,
    signal,
    progress: () => undefined,
    now: () => instant(Date.now()),
    log: { info: () => undefined, warn: () => undefined },
  }
}

export interface Opened {
  readonly point: PointInTime
  readonly ctx: OpContext
  /** What the disks held at the point, by the writer's account. */
  readonly truth: ReadonlyMap<string, Uint8Array>
}

/**
 * A repository of arrays: it applies full and changed extents as a mover would, and holds per disk the last point's
 * content and reference.
 */
export class Series {
  readonly vm: ContractVm
  readonly driver: HypervisorDriver
  readonly tracker: TrackerId
  readonly content = new Map<string, Uint8Array>()
  readonly refs = new Map<string, ChangeRef>()

  constructor(vm: ContractVm, driver: HypervisorDriver, tracker = 'contract') {
    this.vm = vm
    this.driver = driver
    this.tracker = tracker as TrackerId
  }

  request(pointId: PointId, change: Partial<PointRequest> & { readonly full?: MustFullReason } = {}): PointRequest {
    const { full, ...rest } = change
    return {
      pointId,
      tracker: this.tracker,
      want: 'crash',
      onQuiesceFailure: 'degrade',
      freezeLimit: millis(5_000),
      audit: false,
      disks: this.vm.disks.map(({ key }): DiskRequest => ({
        disk: key,
        since: this.refs.get(key) ?? null,
        full: full ?? null,
      })),
      hooks: [],
      ...rest,
    }
  }

  async open(change: Parameters<Series['request']>[1] = {}, pointId = newPoint()): Promise<Opened> {
    const ctx = contextFor(this.vm.ref, pointId)
    const point = await this.driver.openPoint(ctx, this.vm.ref, this.request(pointId, change))
    return { point, ctx, truth: new Map(this.vm.disks.map(({ key }) => [key, this.vm.content(key)])) }
  }

  /** Reads the point as a mover would, on top of the parent's content. */
  async read({ point, ctx }: Opened): Promise<Map<string, Uint8Array>> {
    const out = new Map<string, Uint8Array>()
    for (const { disk, mode } of point.disks) {
      const base = mode === 'incremental' ? this.content.get(disk.key) : undefined
      const image = base ? Uint8Array.from(base) : new Uint8Array(disk.size).fill(0xa5)
      await using reader = await this.driver.openReader(ctx, point, disk.key)
      for (const extent of await extentsOf(this.driver, ctx, point, disk.key)) {
        const end = extent.offset + extent.length
        if (extent.kind === 'zero') image.fill(0, extent.offset, end)
        else
          for (let at: number = extent.offset; at < end; at += MiB)
            await reader.read(bytes(at), image.subarray(at, Math.min(end, at + MiB)))
      }
      out.set(disk.key, image)
    }
    return out
  }

  /** Opens, reads, compares with the truth, and ends as asked. `during` happens while the point is open. */
  async round(
    options: {
      readonly request?: Parameters<Series['request']>[1]
      readonly end?: 'commit' | 'abort' | 'forget' | 'forget-stored'
      readonly stored?: readonly DiskKey[]
      readonly during?: () => Promise<void>
    } = {},
  ): Promise<Opened> {
    const { end = 'commit', stored = this.vm.disks.map((d) => d.key) } = options
    const opened = await this.open(options.request)
    await options.during?.()
    const images = await this.read(opened)
    for (const [key, truth] of opened.truth) expectSame(images.get(key), truth, `disk ${key}`)
    expect(await this.driver.checkPoint(opened.ctx, opened.point)).toEqual({ status: 'intact' })
    if (end === 'commit' || end === 'forget-stored') this.store(opened, images, stored)
    if (end === 'commit') {
      const { residue } = await this.driver.commitPoint(opened.ctx, opened.point, stored)
      expect(residue).toEqual([])
    }
    if (end === 'abort') {
      const { residue } = await this.driver.abortPoint(opened.ctx, this.vm.ref, null)
      expect(residue).toEqual([])
    }
    return opened
  }

  store({ point }: Opened, images: ReadonlyMap<string, Uint8Array>, stored: readonly DiskKey[]): void {
    for (const { disk, next } of point.disks) {
      const image = images.get(disk.key)
      if (!stored.includes(disk.key) || !image) continue
      this.content.set(disk.key, image)
      if (next) this.refs.set(disk.key, next)
    }
  }
}

export async function extentsOf(
  driver: HypervisorDriver,
  ctx: OpContext,
  point: PointInTime,
  disk: DiskKey,
  range = { start: bytes(0), end: sizeOf(point, disk) },
): Promise<Extent[]> {
  const changed = await driver.changedExtents(ctx, point, disk, range)
  if (changed.status !== 'ok') throw new Error(`must full: ${changed.why} (${changed.detail})`)
  const out: Extent[] = []
  for await (const extent of changed.extents) out.push(extent)
  return out
}

function sizeOf(point: PointInTime, disk: DiskKey): Extent['offset'] {
  const found = point.disks.find((d) => d.disk.key === disk)
  if (!found) throw new Error(`no disk ${disk}`)
  return found.disk.size
}

/** By hash first: a difference of megabytes is not a readable message, its first byte is. */
export function expectSame(actual: Uint8Array | undefined, expected: Uint8Array, what: string): void {
  if (actual && digest(actual) === digest(expected)) return
  if (!actual || actual.length !== expected.length)
    throw new Error(`${what}: ${actual?.length} bytes, not ${expected.length}`)
  const at = actual.findIndex((byte, i) => byte !== expected[i])
  let end = at
  while (end < actual.length && actual[end] !== expected[end]) end++
  throw new Error(`${what}: differs at ${at} … ${end}: ${actual[at]} instead of ${expected[at]}`)
}

function digest(data: Uint8Array): string {
  return createHash('sha256').update(data).digest('hex')
}
