import { HoldfastError, bytes, type Millis } from '../../base/index.ts'
import type { Capabilities } from '../capabilities.ts'
import type { ConfigExport, HypervisorDriver, OpContext, RangeReader } from '../driver.ts'
import { claimOwnerFile } from '../owner-file.ts'
import { diskOf } from '../qemu/data/connect.ts'
import { changedIn, type Changed } from '../qemu/data/extents.ts'
import { openPointReader } from '../qemu/data/reader.ts'
import { GRANULARITY } from '../qmp/index.ts'
import { runProgram } from '../transport/index.ts'
import type {
  ByteRange,
  DiskKey,
  Endpoint,
  Finding,
  OwnedObject,
  OwnerMark,
  PointHealth,
  PointInTime,
  PointRequest,
  PowerState,
  ReaderKind,
  Residue,
  VmFacts,
  VmRef,
} from '../values.ts'
import { pointHealth, servedPoint } from './data.ts'
import { commitRound, undoRounds } from './finish.ts'
import type { ImageHost } from './host.ts'
import { discoverImages, exportImageConfig, powerOf, preflightImages, type Preflight } from './look.ts'
import { listOwnedImages, removeOwnedImage } from './owned.ts'
import { openRound } from './round.ts'
import { ImageTarget } from './target.ts'
import { locateImageVm } from './vms.ts'

/** Images on disk, of VMs that do not run. The interface's comments hold; what differs is said here. */
export class ImageDriver implements HypervisorDriver {
  readonly endpoint: Endpoint
  readonly target: ImageTarget
  readonly guest = null
  readonly instant = null
  readonly replication = null
  readonly #host: ImageHost

  constructor(host: ImageHost) {
    this.#host = host
    this.endpoint = host.endpoint
    this.target = new ImageTarget(host)
  }

  async probe(
    ctx: OpContext,
  ): Promise<{ version: string; identity: string; capabilities: Capabilities; findings: readonly Finding[] }> {
    const { out } = await runProgram('qemu-img', ['--version'], { signal: ctx.signal })
    const version = /version (\d+\.\d+\.\d+)/.exec(out)?.[1]
    if (version === undefined)
      throw new HoldfastError('ProtocolMismatch', `qemu-img does not tell its version: ${out.slice(0, 200)}`)
    return { version, identity: this.#host.scope, capabilities, findings: [] }
  }

  discover(ctx: OpContext, ids?: readonly string[]): AsyncIterable<VmFacts> {
    return discoverImages(this.#host, ctx, ids)
  }

  async claim(_ctx: OpContext, vm: VmRef, owner: OwnerMark): Promise<{ owner: OwnerMark; ours: boolean }> {
    const { ownerFile } = await locateImageVm(this.#host, vm.id)
    const found = await this.#host.effects.run('file: owner mark', () => claimOwnerFile(ownerFile, owner))
    return { owner: found, ours: found.installation === owner.installation }
  }

  /** Nothing here can run a VM; one that another process has open is not ours to stop. */
  async power(
    ctx: OpContext,
    vm: VmRef,
    want: 'running' | 'stopped' | 'off',
    _limit: Millis,
  ): Promise<{ before: PowerState; after: PowerState }> {
    const before = await powerOf(await locateImageVm(this.#host, vm.id), ctx)
    if (want !== 'running' && before === 'stopped') return { before, after: before }
    throw new HoldfastError(
      'Unsupported',
      `VM “${vm.name}” is nothing but images: it cannot be ${want === 'running' ? 'started' : 'stopped'} from here`,
    )
  }

  async preflight(ctx: OpContext, vm: VmRef, request: PointRequest): Promise<Preflight> {
    return await preflightImages(await locateImageVm(this.#host, vm.id), ctx, request)
  }

  async enableTracking(): Promise<{ changed: readonly DiskKey[] }> {
    return { changed: [] }
  }

  async openPoint(ctx: OpContext, vm: VmRef, request: PointRequest): Promise<PointInTime> {
    return await openRound(await locateImageVm(this.#host, vm.id), ctx, request)
  }

  async ensureRunning(): Promise<{ wasFrozen: boolean; wasPaused: boolean }> {
    return { wasFrozen: false, wasPaused: false }
  }

  async changedExtents(ctx: OpContext, point: PointInTime, key: DiskKey, range: ByteRange): Promise<Changed> {
    const disk = diskOf(point, key)
    return await changedIn(ctx, await this.#served(point, key), disk, range)
  }

  async openReader(
    ctx: OpContext,
    point: PointInTime,
    key: DiskKey,
    prefer?: readonly ReaderKind[],
  ): Promise<RangeReader> {
    return await openPointReader(ctx, await this.#served(point, key), diskOf(point, key), prefer)
  }

  async exportConfig(_ctx: OpContext, point: PointInTime): Promise<ConfigExport> {
    return exportImageConfig(await locateImageVm(this.#host, point.vm.id), point)
  }

  async checkPoint(ctx: OpContext, point: PointInTime): Promise<PointHealth> {
    return await pointHealth(await locateImageVm(this.#host, point.vm.id), point, ctx)
  }

  async commitPoint(
    ctx: OpContext,
    point: PointInTime,
    stored: readonly DiskKey[],
  ): Promise<{ refs: readonly []; residue: readonly Residue[] }> {
    return { refs: [], residue: await commitRound(await locateImageVm(this.#host, point.vm.id), ctx, point, stored) }
  }

  async abortPoint(ctx: OpContext, vm: VmRef, _known: PointInTime | null): Promise<{ residue: readonly Residue[] }> {
    return { residue: await undoRounds(await locateImageVm(this.#host, vm.id), ctx, (opKey) => opKey === ctx.opKey) }
  }

  listOwned(ctx: OpContext): AsyncIterable<OwnedObject> {
    return listOwnedImages(this.#host, ctx)
  }

  async removeOwned(ctx: OpContext, object: OwnedObject): Promise<void> {
    await removeOwnedImage(this.#host, ctx, object)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // It holds nothing: every connection and process belongs to a call, a reader or a point.
  }

  async #served(point: PointInTime, key: DiskKey): Promise<PointInTime> {
    return await servedPoint(await locateImageVm(this.#host, point.vm.id), point, diskOf(point, key))
  }
}

const capabilities: Capabilities = {
  changeTracking: 'extents',
  trackingNeedsEnable: false,
  trackingGranularity: bytes(GRANULARITY),
  trackingSurvives: {
    'guest-reboot': 'yes',
    'power-off': 'yes',
    'host-crash': 'no',
    'live-migration': 'unknown',
    'storage-migration': 'no',
  },
  sizeChangeBreaksTracking: true,
  referenceCost: 'none',
  consistency: ['crash'],
  multiDiskAtomic: 'yes',
  readable: 'all',
  allocationMap: 'map',
  readers: ['nbd'],
  writers: ['nbd'],
  maxReadersPerVm: 64,
  maxReadersPerHost: null,
  exclusive: true,
  restore: true,
  guestCommand: 'none',
  screenshot: false,
  instant: false,
  nativeReplication: false,
  notes: [
    'For VMs that do not run: an image that another process has open is refused.',
    'qcow2 images are tracked, raw images are read in full each time.',
  ],
}
