/**
 * The restore side: makes a VM or new volumes beside an old VM's, fills them through qemu-nbd, swaps or gives them away,
 * boots them where they reach nothing, and removes only what carries the operation's mark.
 */
import type { RestoreTarget } from '../../facets.ts'
import type { Host } from '../host.ts'
import { checkTarget, createTarget } from './create.ts'
import { bootTarget, destroyTarget, finalizeTarget, handOverTarget, revertTarget } from './end.ts'
import { openTargetWriter } from './writer.ts'

export function restoreTarget(host: Host): RestoreTarget {
  return {
    check: (ctx, spec) => checkTarget(host, ctx, spec),
    create: (ctx, spec, native) => createTarget(host, ctx, spec, native),
    openWriter: (ctx, target, disk) => openTargetWriter(host, ctx, target, disk),
    finalize: (_ctx, target) => finalizeTarget(host, target),
    handOver: (_ctx, target) => handOverTarget(host, target),
    revert: (_ctx, target) => revertTarget(host, target),
    destroy: (ctx, target) => destroyTarget(host, ctx, target),
    bootIsolated: (ctx, vm, net) => bootTarget(host, ctx, vm, net),
  }
}
export { createTarget, placeVm, requireFreeName, slug, writePart } from './create.ts'
export { describeTarget, whileFilling } from './describe.ts'
export { notOurs, writeVm } from './end.ts'
export { derivedUuid, readPlan, writePlan } from './plan.ts'
export { openVolume } from './writer.ts'
export { filesInUse, removeStaged, removeVm, removeVolumes } from './remove.ts'
