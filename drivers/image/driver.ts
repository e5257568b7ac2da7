import { access, constants } from 'node:fs/promises'
import { HoldfastError, bytes } from '../../base/index.ts'
import type { Capabilities } from '../capabilities.ts'
import type { HypervisorDriver, OpContext } from '../driver.ts'
import { claimOwnerFile } from '../owner-file.ts'
import { diskOf } from '../qemu/data/connect.ts'
import { changedIn } from '../qemu/data/extents.ts'
import { openPointReader } from '../qemu/data/reader.ts'
import { direct, type Effects } from '../qemu/effects.ts'
import { GRANULARITY } from '../qmp/index.ts'
import { runProgram } from '../transport/index.ts'
import type { Endpoint, PowerState, VmRef } from '../values.ts'
import { pointHealth, servedPoint } from './data.ts'
import { commitRound, undoRounds } from './finish.ts'
import { imageHost, type ImageHost } from './host.ts'
import { discoverImages, exportImageConfig, powerOf, preflightImages } from './look.ts'
import { listOwnedImages, removeOwnedImage } from './owned.ts'
import { openRound } from './round.ts'
import { imageTarget } from './target.ts'
import { locateImageVm, type ImageVm } from './vms.ts'

/**
 * Images on disk, of VMs that do not run. It holds nothing between calls: every connection and process belongs to a
 * call, a reader or a point. `effects`: the seam at which tests end the “process”.
 */
export function openImage(endpoint: Endpoint, effects: Effects = direct): HypervisorDriver {
  const host = imageHost(endpoint, effects)
  const find = (vm: VmRef): Promise<ImageVm> => locateImageVm(host, vm.id)
  return {
    endpoint,
    probe: (ctx) => probe(host, ctx),
    discover: (ctx, ids) => discoverImages(host, ctx, ids),
    async claim(_ctx, vm, owner, takeFrom) {
      const { ownerFile } = await find(vm)
      const now = await effects.run('file: owner mark', () => claimOwnerFile(ownerFile, owner, takeFrom))
      return { owner: now, ours: now.installation === owner.installation }
    },
    power: async (ctx, vm, want) => await power(await find(vm), ctx, want),
    preflight: async (ctx, vm, request) => await preflightImages(await find(vm), ctx, request),
    // Bitmaps need no switch: each point starts its own.
    enableTracking: () => Promise.resolve({ changed: [] }),
    openPoint: async (ctx, vm, request) => await openRound(await find(vm), ctx, request),
    ensureRunning: () => Promise.resolve({ wasFrozen: false, wasPaused: false }),
    // Its points lie beside images that nobody runs: there is no guest that a full scratch could stop.
    watchPoints: () => Promise.resolve({ open: 0, posted: 0 }),
    async changedExtents(ctx, point, key, range) {
      const disk = diskOf(point, key)
      return await changedIn(ctx, await servedPoint(await find(point.vm), point, disk), disk, range)
    },
    async openReader(ctx, point, key, prefer) {
      if (prefer && !prefer.includes('nbd'))
        throw new HoldfastError('Unsupported', `the image driver reads over NBD only, not over ${prefer.join(', ')}`)
      const disk = diskOf(point, key)
      return await openPointReader(ctx, await servedPoint(await find(point.vm), point, disk), disk, prefer)
    },
    exportConfig: async (_ctx, point) => exportImageConfig(await find(point.vm), point),
    checkPoint: async (ctx, point) => await pointHealth(await find(point.vm), point, ctx),
    async commitPoint(ctx, point, stored) {
      return { refs: [], residue: await commitRound(await find(point.vm), ctx, point, stored) }
    },
    async abortPoint(ctx, vm) {
      return { residue: await undoRounds(await find(vm), ctx, (opKey) => opKey === ctx.opKey) }
    },
    listOwned: (ctx) => listOwnedImages(host, ctx),
    removeOwned: (ctx, object) => removeOwnedImage(host, ctx, object),
    target: imageTarget(host),
    guest: null,
    instant: null,
    standby: null,
    replication: null,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

async function probe(host: ImageHost, ctx: OpContext): ReturnType<HypervisorDriver['probe']> {
  const { address } = host.endpoint
  try {
    await access(address, constants.R_OK | constants.W_OK)
  } catch (error) {
    throw new HoldfastError('AccessDenied', `cannot work in ${address}`, {
      cause: error,
      hint: 'The folder must exist, and the worker must be able to read and write it.',
    })
  }
  const { out } = await runProgram('qemu-img', ['--version'], { signal: ctx.signal })
  const version = /version (\S+)/.exec(out)?.[1]
  if (version === undefined) throw new HoldfastError('ProtocolMismatch', `qemu-img does not tell its version: ${out}`)
  return { version, identity: host.scope, capabilities, findings: [] }
}

/** Nothing here can run a VM, and one that another process has open is not ours to stop. */
async function power(
  vm: ImageVm,
  ctx: OpContext,
  want: 'running' | 'stopped' | 'off',
): Promise<{ before: PowerState; after: PowerState }> {
  const before = await powerOf(vm, ctx)
  if (want !== 'running' && before === 'stopped') return { before, after: before }
  const what = want === 'running' ? 'started' : 'stopped'
  throw new HoldfastError('Unsupported', `VM “${vm.ref.name}” is nothing but images: it cannot be ${what} from here`)
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
  cleanStop: false,
  restore: true,
  guestCommand: 'none',
  screenshot: false,
  instant: false,
  standby: false,
  nativeReplication: false,
  notes: [
    'For VMs that do not run: an image that another process has open is refused.',
    'qcow2 images are tracked, raw images are read in full each time.',
  ],
}
