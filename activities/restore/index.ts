/**
 * The steps of a restore on a site: a stored point becomes a VM at a target. All find what they made before by the
 * operation's key, so a retry goes on instead of making a second VM.
 */
import type { Residue } from '../../drivers/index.ts'
import { HoldfastError, isHoldfastError, millis, toHoldfastError } from '../../base/index.ts'
import type { Site } from '../shared/deps.ts'
import { dropMoveMarks } from '../shared/move-mark.ts'
import { operate } from '../shared/operation.ts'
import type { Operation } from '../shared/operation.ts'
import { createTarget, planRestore, targetOf } from './plan.ts'
import { restoreDisk } from './write.ts'
import type { RestoreActivities } from './types.ts'

export type * from './types.ts'

export function createRestoreActivities(site: Site): RestoreActivities {
  return {
    planRestore: (input) => planRestore(site, input),
    createTarget: (input) => createTarget(site, input),
    restoreDisk: (input) => restoreDisk(site, input),
    finalizeTarget: (input) => operate(site, input, ({ driver, ctx }) => targetOf(driver).finalize(ctx, input.target)),
    handOverTarget: async (input) => {
      await operate(site, input, ({ driver, ctx }) => targetOf(driver).handOver(ctx, input.target))
      dropMoveMarks(site.options.cacheDir, input.operation)
    },
    readPower: (input) =>
      operate(site, input, async ({ driver, ctx }) => {
        for await (const { vm, power: state } of driver.discover(ctx, [input.vm.id]))
          if (vm.id === input.vm.id) return { state }
        throw new HoldfastError('NotFound', `${input.vm.name} (${input.vm.id}) is not at ${driver.endpoint.address}`)
      }),
    powerVm: (input) => operate(site, input, (operation) => power(operation, input)),
    revertTarget: (input) => operate(site, input, ({ driver, ctx }) => targetOf(driver).revert(ctx, input.target)),
    destroyTarget: (input) =>
      operate(site, input, async (operation) => {
        const { driver, ctx } = operation
        dropMoveMarks(site.options.cacheDir, input.operation)
        return input.target === null ? sweep(operation) : targetOf(driver).destroy(ctx, input.target)
      }),
  }
}

/** `stopped` asks the guest; one that does not go loses its plug, which the operator confirmed with the restore. */
async function power(
  { driver, ctx }: Operation,
  { vm, want, limitMs }: Parameters<RestoreActivities['powerVm']>[0],
): ReturnType<RestoreActivities['powerVm']> {
  const limit = millis(limitMs)
  if (want !== 'stopped') return driver.power(ctx, vm, want, limit)
  try {
    const asked = await driver.power(ctx, vm, 'stopped', limit)
    if (asked.after === 'stopped') return asked
    return { before: asked.before, after: (await driver.power(ctx, vm, 'off', limit)).after }
  } catch (error) {
    if (!isHoldfastError(error) || error.code !== 'GuestRefused') throw error
    ctx.log.warn({ vm: vm.name }, 'the guest did not shut down; the plug is pulled')
    return driver.power(ctx, vm, 'off', limit)
  }
}

/** The target's maker died before it could say what it made: everything with this operation's key goes. */
async function sweep({ driver, ctx }: Operation): Promise<{ readonly residue: readonly Residue[] }> {
  const residue: Residue[] = []
  for await (const object of driver.listOwned(ctx)) {
    if (object.opKey !== ctx.opKey) continue
    try {
      await driver.removeOwned(ctx, object)
    } catch (thrown) {
      const { message, hint } = toHoldfastError(thrown)
      residue.push({ kind: object.kind, id: object.id, error: message, hint })
    }
  }
  return { residue }
}
