import { HoldfastError, isHoldfastError } from '../../../base/index.ts'
import { ownsOpKey, readVolumeFile } from '../../names.ts'
import type { OpContext } from '../../driver.ts'
import type { IsolationSpec, TargetVm } from '../../facets.ts'
import type { OpKey, Residue, VmRef } from '../../values.ts'
import { readDescription, writeDescription, type VmDescription } from '../description.ts'
import type { Host } from '../host.ts'
import { launch } from '../launch.ts'
import { Undoing } from '../round/dismantle.ts'
import { isRunning, locateVm, vmAt, type Vm } from '../vm.ts'
import { readPlan, removePlan, writePlan, type TargetPlan } from './plan.ts'
import { removeStaged, removeVm, removeVolumes, volumesOf } from './remove.ts'

/**
 * Puts the VM together: networks as planned. It keeps our mark until `handOver`, because a start that fails still undoes
 * it. A replacement swaps machine and disks in one write of `vm.json`; the old volumes stay, named in the plan, for
 * `revert`.
 */
export async function finalizeTarget(host: Host, target: TargetVm): Promise<VmRef> {
  const vm = await locateVm(host, target.vm.id)
  const plan = await readPlan(vm.dir, target.opKey)
  if (!plan) {
    if (vm.description.opKey === null) return vm.ref
    throw new HoldfastError('NotOurs', `VM “${vm.description.name}” is not being restored by this operation`)
  }
  if (plan.state === 'reverted')
    throw new HoldfastError('ForeignState', `the restore of “${vm.description.name}” was taken back`, {
      hint: 'Start a new restore.',
    })
  if (plan.state === 'swapped') return vm.ref
  await requireOff(vm, 'finish the restore of')
  if (plan.kind === 'replace') {
    await requireUntouched(vm, plan)
    await writeVm(host, vm.dir, plan.after)
  } else {
    const { runDir, opKey } = vm.description
    await writeVm(host, vm.dir, { ...plan.after, opKey, ...(runDir !== undefined && { runDir }) })
  }
  await writePlan({ host }, vm.dir, { ...plan, state: 'swapped' })
  return vmAt(host, vm.dir, plan.after).ref
}

/** Gives a new VM away: our mark and the plan go, so that no sweep of ours ever removes it. A replaced one has no mark. */
export async function handOverTarget(host: Host, target: TargetVm): Promise<void> {
  const vm = await locateVm(host, target.vm.id)
  const plan = await readPlan(vm.dir, target.opKey)
  if (plan && plan.state !== 'swapped')
    throw new HoldfastError('ForeignState', `the restore of “${vm.description.name}” is not finished: ${plan.state}`)
  if (vm.description.opKey === target.opKey) await writeVm(host, vm.dir, { ...vm.description, opKey: null })
  if (plan?.kind === 'new') await removePlan({ host }, vm.dir, target.opKey)
}

/** Puts the old machine and volumes back; the new ones stay until `destroy`. */
export async function revertTarget(host: Host, target: TargetVm): Promise<void> {
  const vm = await locateVm(host, target.vm.id)
  const plan = await readPlan(vm.dir, target.opKey)
  if (!plan?.before)
    throw new HoldfastError('NotFound', `this operation has replaced nothing of VM “${vm.description.name}”`)
  if (plan.state === 'reverted') return
  if (plan.state === 'swapped' || usesVolumesOf(vm.description, target.opKey)) {
    await requireOff(vm, 'put the old disks back to')
    await writeVm(host, vm.dir, plan.before)
  }
  await writePlan({ host }, vm.dir, { ...plan, state: 'reverted' })
}

/**
 * Removes what the operation has made and not given away: a new VM while it carries our mark, new volumes that no VM
 * uses. Refuses everything else.
 */
export async function destroyTarget(
  host: Host,
  ctx: OpContext,
  target: TargetVm,
): Promise<{ residue: readonly Residue[] }> {
  if (!ownsOpKey(ctx.installation, target.opKey)) throw notOurs(target.vm.name)
  const undoing = new Undoing()
  let vm: Vm
  try {
    vm = await locateVm(host, target.vm.id)
  } catch (error) {
    if (!isHoldfastError(error) || error.code !== 'NotFound') throw error
    await removeStaged(host, target.opKey, undoing)
    return { residue: undoing.residue }
  }
  const plan = await readPlan(vm.dir, target.opKey)
  if (vm.description.opKey === target.opKey) await removeVm(vm, undoing)
  else if (plan?.kind === 'replace' && plan.state !== 'swapped') await removeVolumes(vm, target.opKey, undoing)
  // A replacement that was destroyed before has left nothing; anything else that shows no plan is not ours.
  else if (target.replaced === null || plan !== null || (await volumesOf(vm, target.opKey)).length > 0)
    throw notOurs(vm.description.name)
  return { residue: undoing.residue }
}

/** Nothing of the guest reaches anything: no network card, or all of them on a network without an outside. */
export async function bootTarget(
  host: Host,
  ctx: OpContext,
  ref: VmRef,
  net: IsolationSpec,
): Promise<{ address: string | null }> {
  const vm = await locateVm(host, ref.id)
  const { opKey } = vm.description
  if (opKey === null || !ownsOpKey(ctx.installation, opKey)) throw notOurs(vm.description.name)
  ctx.signal.throwIfAborted()
  if (!(await isRunning(vm)))
    await host.effects.run('program: start qemu', () =>
      launch(vm.dir, { lifetime: 'detached', network: net.kind === 'none' ? 'none' : 'restricted' }),
    )
  return { address: null }
}

async function requireOff(vm: Vm, what: string): Promise<void> {
  if (await isRunning(vm))
    throw new HoldfastError('StillInUse', `cannot ${what} VM “${vm.description.name}” while it runs`, {
      hint: 'Switch it off first.',
      retryAfter: 10_000,
    })
}

/** Somebody changed the VM since the restore began: swapping would undo that. */
async function requireUntouched(vm: Vm, plan: TargetPlan): Promise<void> {
  const now = await readDescription(vm.dir)
  const files = (d: VmDescription | null): string => JSON.stringify(d?.disks.map((x) => [x.key, x.file, x.size]))
  if (files(now) === files(plan.before) || files(now) === files(plan.after)) return
  throw new HoldfastError(
    'ForeignState',
    `the disks of VM “${vm.description.name}” were changed since the restore began`,
    {
      hint: 'Look at its vm.json, then start a new restore.',
    },
  )
}

function usesVolumesOf(d: VmDescription, opKey: OpKey): boolean {
  return d.disks.some((x) => readVolumeFile(x.file) === opKey)
}

export async function writeVm(host: Host, dir: string, d: VmDescription): Promise<void> {
  await host.effects.run('file: vm.json', () => writeDescription(dir, d))
}

export function notOurs(what: string): HoldfastError {
  return new HoldfastError('NotOurs', `“${what}” does not carry the mark of this operation`)
}
