import { access, constants } from 'node:fs/promises'
import { HoldfastError } from '../../base/index.ts'
import { runProgram } from '../transport/index.ts'
import type { HypervisorDriver, OpContext } from '../driver.ts'
import type { Endpoint, VmRef } from '../values.ts'
import { capabilities } from './capabilities.ts'
import { QEMU_PROGRAM } from './command-line.ts'
import { exportVmConfig } from './config.ts'
import { diskOf } from './data/connect.ts'
import { changedIn } from './data/extents.ts'
import { openPointReader } from './data/reader.ts'
import { discoverVms } from './discover.ts'
import { direct, type Effects } from './effects.ts'
import { guestAccess } from './guest.ts'
import { hostOf, type Host } from './host.ts'
import { instantBoot } from './instant/index.ts'
import { listOwned, removeOwned } from './owned.ts'
import { claimOwner } from './owner.ts'
import { driveTo } from './power.ts'
import { preflightVm } from './preflight.ts'
import { abortRound, commitRound } from './round/finish.ts'
import { checkRound } from './round/health.ts'
import { openRound } from './round/open.ts'
import { pointConfig } from './round/kept-config.ts'
import { ensureGuestRuns } from './round/revive.ts'
import { watchPoints } from './sentinel/post.ts'
import { standbyTarget } from './standby/index.ts'
import { restoreTarget } from './target/index.ts'
import { locateVm, type Vm } from './vm.ts'

/** The driver for plain QEMU processes of this host. It holds no connection between calls. */
export function openQemu(endpoint: Endpoint, effects: Effects = direct): HypervisorDriver {
  const host = hostOf(endpoint, effects)
  const find = (vm: VmRef): Promise<Vm> => locateVm(host, vm.id)
  return {
    endpoint,
    probe: (ctx) => probe(host, ctx),
    discover: (ctx, ids) => discoverVms(host, ctx, ids),
    async claim(_ctx, vm, owner, takeFrom) {
      const now = await claimOwner(await find(vm), owner, takeFrom)
      return { owner: now, ours: now.installation === owner.installation }
    },
    power: async (ctx, vm, want, limit) => await driveTo(await find(vm), ctx, want, limit),
    preflight: async (ctx, vm, request) => await preflightVm(await find(vm), ctx, request),
    // Bitmaps need no switch: each point starts its own.
    enableTracking: () => Promise.resolve({ changed: [] }),
    openPoint: async (ctx, vm, request) => await openRound(await find(vm), ctx, request),
    ensureRunning: async (ctx, vm) => await ensureGuestRuns(await find(vm), ctx),
    watchPoints: (ctx) => watchPoints(host, ctx),
    changedExtents: async (ctx, point, disk, range) => await changedIn(ctx, point, diskOf(point, disk), range),
    openReader: async (ctx, point, disk, prefer) => await openPointReader(ctx, point, diskOf(point, disk), prefer),
    exportConfig: async (_ctx, point) => exportVmConfig(await pointConfig(await find(point.vm), point)),
    checkPoint: async (ctx, point) => await checkRound(await find(point.vm), ctx, point),
    async commitPoint(ctx, point, stored) {
      return { refs: [], residue: await commitRound(await find(point.vm), ctx, point, stored) }
    },
    abortPoint: async (ctx, vm) => ({ residue: await abortRound(await find(vm), ctx) }),
    listOwned: (ctx) => listOwned(host, ctx),
    removeOwned: (ctx, object) => removeOwned(host, ctx, object),
    target: restoreTarget(host),
    guest: guestAccess(host),
    instant: instantBoot(host),
    standby: standbyTarget(host),
    replication: null,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

async function probe(host: Host, ctx: OpContext): ReturnType<HypervisorDriver['probe']> {
  const { address } = host.endpoint
  try {
    await access(address, constants.R_OK | constants.W_OK)
  } catch (error) {
    throw new HoldfastError('AccessDenied', `cannot work in ${address}`, {
      cause: error,
      hint: 'The folder must exist, and the worker must be able to read and write it.',
    })
  }
  const { out } = await runProgram(QEMU_PROGRAM, ['--version'], { signal: ctx.signal })
  const version = /version (\S+)/.exec(out)?.[1]
  if (version === undefined)
    throw new HoldfastError('ProtocolMismatch', `${QEMU_PROGRAM} does not tell its version: ${out}`)
  return { version, identity: host.scope, capabilities, findings: [] }
}
