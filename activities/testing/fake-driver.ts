import { HoldfastError, MiB, bytes, instant } from '../../base/index.ts'
import type {
  Bytes,
  ByteRange,
  Capabilities,
  DiskKey,
  DiskPoint,
  DiskRef,
  DriverModule,
  Endpoint,
  Extent,
  GuestAccess,
  HypervisorDriver,
  MustFullReason,
  OwnedObject,
  VmFacts,
  OpContext,
  PointInTime,
  RangeReader,
  RangeWriter,
  RestoreTarget,
  TargetSpec,
  TargetVm,
} from '../../drivers/index.ts'
import { samplePoint, sampleVm } from './samples.ts'

/** What a test makes go wrong; each is asked at the moment when the real thing could happen. */
export interface DriverFaults {
  readonly onRead?: (at: number, ctx: { readonly signal: AbortSignal }) => Promise<void>
  readonly onWrite?: (at: number) => Promise<void>
  readonly mustFull?: MustFullReason
  readonly broken?: string
  readonly owner?: string
  readonly blocking?: string
  /** It cannot shut a guest down. */
  readonly noCleanStop?: boolean
}

/**
 * A hypervisor in memory with one VM: enough of the driver's contract for the activities, faults at will. `written` is
 * what reached the target volume; `durable` what `finish` made durable, which is all that a crash leaves.
 */
export class FakeHypervisor {
  /** What restores were checked for. */
  readonly specs: TargetSpec[] = []
  readonly disks: Map<string, Uint8Array>
  readonly changed: Map<string, readonly { readonly offset: number; readonly length: number }[]> = new Map()
  readonly written = new Map<string, Uint8Array>()
  readonly durable = new Map<string, Uint8Array>()
  readonly calls: string[] = []
  faults: DriverFaults = {}
  /** Of the next points; null: each is the sample's. */
  opensAs: Pick<PointInTime, 'id' | 'createdAt'> | null = null
  secretSeen: string | null = null
  readersOpen = 0

  constructor(disks: { readonly [key: string]: Uint8Array }) {
    this.disks = new Map(Object.entries(disks))
  }

  refs(): DiskRef[] {
    return [...this.disks].map(([key, content]) => ({
      key: key as DiskKey,
      label: key,
      volume: `volume-${key}`,
      size: bytes(content.byteLength),
      sectorSize: 512,
      format: 'raw',
      role: 'data',
      skip: null,
    }))
  }

  module(): DriverModule {
    const area = { word: 'unverified', against: 'memory' } as const
    return {
      platform: 'qemu',
      evidence: {
        headline: 'unverified',
        areas: { control: area, tracking: area, read: area, restore: area, guest: area },
      },
      open: async (endpoint, secret) => {
        this.secretSeen = await secret(endpoint.credentialRef)
        return this.driver(endpoint)
      },
    }
  }

  point(mode: 'full' | 'incremental'): PointInTime {
    const disks = this.refs().map((disk): DiskPoint => ({
      disk,
      mode,
      why: mode === 'full' ? 'no-parent' : null,
      since: null,
      next: null,
      readable: 'all',
      reader: 'nbd',
      locator: {},
    }))
    return { ...samplePoint('b'.repeat(32) as PointInTime['id'], disks), ...this.opensAs }
  }

  target(): TargetVm {
    return {
      vm: { ...sampleVm, id: 'copy', name: 'copy' },
      opKey: this.point('full').opKey,
      disks: this.refs(),
      replaced: null,
    }
  }

  driver(endpoint: Endpoint): HypervisorDriver {
    const note = (name: string): void => void this.calls.push(name)
    return {
      endpoint,
      probe: async () => ({
        version: '1',
        identity: 'fake',
        capabilities: { ...capabilities, cleanStop: this.faults.noCleanStop !== true },
        findings: [],
      }),
      discover: (_ctx, ids) => this.#discover(ids),
      claim: async (_ctx, _vm, owner) => {
        note('claim')
        const other = this.faults.owner
        return other === undefined ? { owner, ours: true } : { owner: { ...owner, name: other }, ours: false }
      },
      power: async (_ctx, _vm, want) => {
        note(`power ${want}`)
        return { before: 'running', after: want === 'running' ? 'running' : 'stopped' }
      },
      preflight: async (_ctx, _vm, request) => ({
        findings:
          this.faults.blocking === undefined
            ? []
            : [
                {
                  code: 'CapacityExhausted',
                  severity: 'blocking',
                  disk: null,
                  message: this.faults.blocking,
                  hint: 'make room',
                },
              ],
        disks: this.refs().map((disk) => {
          const asked = request.disks.find((it) => it.disk === disk.key)
          const full = asked?.full ?? (asked?.since === null ? 'no-parent' : null)
          return { disk, mode: full === null ? ('incremental' as const) : ('full' as const), why: full }
        }),
      }),
      enableTracking: async () => ({ changed: [] }),
      openPoint: async () => this.point('full'),
      ensureRunning: async () => ({ wasFrozen: false, wasPaused: false }),
      watchPoints: async () => {
        note('watch')
        return { open: 1, posted: 0 }
      },
      changedExtents: async (_ctx, point, disk, range) => {
        if (this.faults.mustFull) return { status: 'must-full', why: this.faults.mustFull, detail: 'the fake says so' }
        const mode = point.disks.find((it) => it.disk.key === disk)?.mode
        return { status: 'ok', extents: this.#extents(disk, range, mode === 'incremental') }
      },
      openReader: async (ctx, _point, disk) => this.#reader(ctx, disk),
      exportConfig: async () => ({
        portable: {
          v: 1,
          name: 'fake',
          vcpus: 1,
          memory: bytes(64 * MiB),
          firmware: 'bios',
          tpm: false,
          clock: 'utc',
          disks: this.refs().map(({ key, size, sectorSize }) => ({
            key,
            size,
            sectorSize,
            bus: 'virtio',
            bootOrder: null,
          })),
          nics: [{ mac: '52:54:00:00:00:01', model: 'virtio', network: 'lan', vlan: null }],
          guest: { family: 'linux', hint: null },
        },
        native: (async function* () {
          yield { name: 'vm.json', mediaType: 'application/json', bytes: new TextEncoder().encode('{}') }
        })(),
      }),
      checkPoint: async () =>
        this.faults.broken === undefined ? { status: 'intact' } : { status: 'broken', why: this.faults.broken },
      commitPoint: async () => ({ refs: [], residue: [] }),
      abortPoint: async () => ({ residue: [] }),
      listOwned: (ctx) => this.#owned(ctx),
      removeOwned: async (_ctx, object) => note(`remove ${object.id}`),
      target: this.#target(),
      guest: this.#guest(),
      instant: null,
      standby: null,
      replication: null,
      [Symbol.asyncDispose]: async () => note('closed'),
    }
  }

  async *#discover(ids: readonly string[] | undefined): AsyncIterable<VmFacts> {
    if (ids !== undefined && !ids.includes(sampleVm.id)) return
    yield {
      vm: sampleVm,
      power: 'running',
      tags: [],
      disks: this.refs(),
      guest: { agent: 'running', os: null },
      foreignSnapshots: 0,
      owner: null,
      findings: [],
    }
  }

  async *#owned(ctx: OpContext): AsyncIterable<OwnedObject> {
    const base = { kind: 'volume' as const, vm: null, createdAt: instant(0), size: null }
    yield { ...base, id: 'ours', opKey: ctx.opKey }
    yield { ...base, id: 'of another operation', opKey: `${ctx.opKey.slice(0, -1)}a` as OpContext['opKey'] }
  }

  async *#extents(disk: DiskKey, range: ByteRange, incremental: boolean): AsyncIterable<Extent> {
    if (!incremental) {
      yield { offset: range.start, length: bytes(range.end - range.start), kind: 'data' }
      return
    }
    for (const { offset, length } of this.changed.get(disk) ?? []) {
      const start = Math.max(offset, range.start)
      const end = Math.min(offset + length, range.end)
      if (start < end) yield { offset: bytes(start), length: bytes(end - start), kind: 'data' }
    }
  }

  #content(disk: DiskKey): Uint8Array {
    const content = this.disks.get(disk)
    if (content === undefined) throw new HoldfastError('NotFound', `no disk ${disk}`)
    return content
  }

  #reader(ctx: OpContext, disk: DiskKey): RangeReader {
    const content = this.#content(disk)
    this.readersOpen += 1
    return {
      kind: 'nbd',
      size: bytes(content.byteLength),
      alignment: bytes(512),
      preferred: bytes(MiB),
      maxRequest: bytes(256 * 1024),
      maxInFlight: 4,
      read: async (at: Bytes, into) => {
        ctx.signal.throwIfAborted()
        if (into.byteLength > 256 * 1024) throw new HoldfastError('ProtocolMismatch', 'larger than maxRequest')
        await this.faults.onRead?.(at, ctx)
        into.set(content.subarray(at, at + into.byteLength))
      },
      [Symbol.asyncDispose]: async () => {
        this.readersOpen -= 1
      },
    }
  }

  #target(): RestoreTarget {
    return {
      check: async (_ctx, spec) => {
        this.specs.push(spec)
        return { findings: [] }
      },
      create: async () => this.target(),
      openWriter: async (_ctx, _target, disk) => this.#writer(disk),
      finalize: async (_ctx, target) => target.vm,
      handOver: async () => undefined,
      revert: async () => undefined,
      destroy: async () => ({ residue: [] }),
      bootIsolated: async () => ({ address: null }),
    }
  }

  #writer(disk: DiskKey): RangeWriter {
    const { byteLength } = this.#content(disk)
    // What was not made durable is gone when the writer is opened again: as after a crash.
    const volume = Uint8Array.from(this.durable.get(disk) ?? new Uint8Array(byteLength))
    this.written.set(disk, volume)
    this.calls.push(`open writer ${disk}`)
    return {
      kind: 'nbd',
      size: bytes(byteLength),
      alignment: bytes(512),
      maxInFlight: 4,
      order: 'random',
      startsZero: true,
      write: async (at, data) => {
        await this.faults.onWrite?.(at)
        volume.set(data, at)
      },
      zero: async ({ start, end }) => void volume.fill(0, start, end),
      finish: async () => void this.durable.set(disk, Uint8Array.from(volume)),
      [Symbol.asyncDispose]: async () => undefined,
    }
  }

  #guest(): GuestAccess {
    let pings = 0
    return {
      ping: async () => ((pings += 1) < 3 ? 'silent' : 'up'),
      run: async () => ({ exit: 0, out: '1000 rows', err: '', truncated: false }),
      writeFile: async (_ctx, _vm, _path, content) => {
        for await (const _ of content);
      },
      screenshot: async () => ({ mediaType: 'image/png', bytes: new Uint8Array([137, 80]) }),
    }
  }
}

const survives = {
  'guest-reboot': 'unknown',
  'power-off': 'unknown',
  'host-crash': 'unknown',
  'live-migration': 'unknown',
  'storage-migration': 'unknown',
} as const
const capabilities: Capabilities = {
  changeTracking: 'extents',
  trackingNeedsEnable: false,
  trackingGranularity: null,
  trackingSurvives: survives,
  sizeChangeBreaksTracking: true,
  referenceCost: 'none',
  consistency: ['crash'],
  multiDiskAtomic: 'yes',
  readable: 'all',
  allocationMap: 'map',
  readers: ['nbd'],
  writers: ['nbd'],
  maxReadersPerVm: 4,
  maxReadersPerHost: null,
  exclusive: false,
  cleanStop: true,
  restore: true,
  guestCommand: 'agent',
  screenshot: true,
  instant: false,
  standby: false,
  nativeReplication: false,
  notes: [],
}
