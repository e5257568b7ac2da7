import { HoldfastError } from '../../../base/index.ts'
import { takeoverFile } from '../../names.ts'
import type { OpContext } from '../../driver.ts'
import type { StandbyView } from '../../facets.ts'
import type { Instant, PointId, Residue, VmRef } from '../../values.ts'
import type { Host } from '../host.ts'
import { launch } from '../launch.ts'
import { Undoing } from '../round/dismantle.ts'
import { notOurs, removeStaged, removeVm } from '../target/index.ts'
import { isRunning } from '../vm.ts'
import { dropStale, makeOverlay, printOf, uppermost } from './files.ts'
import { change, findStandby, requireStandby, type Standby, type Takeover, type Volumes } from './record.ts'
import { isJustOn, isOn, onto, settle } from './settle.ts'
import { requireFollowing, viewOf, wholeHead } from './state.ts'
import { ofKey } from './trial.ts'
import { finishWithdrawal, isOver, requireNotOver } from './withdraw.ts'

/** The guest writes above the head, so that a takeover can be withdrawn, and told from the state that it began with. */
export async function takeOver(host: Host, ctx: OpContext, operation: PointId): Promise<VmRef> {
  const before = await requireStandby(host, ctx.opKey)
  requireNotOver(before, operation)
  await finishWithdrawal(host, ctx, before)
  // What was cut off may have left the description of a VM that had taken over. That of this takeover waits for its volumes.
  if ((await requireStandby(host, ctx.opKey)).record.role === 'follows') await settle(host, ctx.opKey)
  await change(host, ctx.opKey, async (standby) => {
    const { vm, record } = standby
    requireNotOver(standby, operation)
    if (record.takeover?.operation === operation) return null
    if (record.takeover !== null) throw new HoldfastError('NotOurs', `“${vm.description.name}” has taken over already`)
    const head = await wholeHead(standby, ctx)
    const volumes = head.volumes.map(({ key, size, chain }, n): Volumes => ({
      key,
      size,
      chain: [...chain, takeoverFile(ctx.opKey, operation, n)],
    }))
    ctx.signal.throwIfAborted()
    return { ...record, role: 'taken-over', next: null, takeover: { operation, volumes } }
  })
  const { vm, volumes } = await requireTaken(host, ctx, operation)
  for (const one of volumes) await makeOverlay(host, ctx, vm.dir, uppermost(one), one.chain.at(-2) ?? null, one.size)
  await settle(host, ctx.opKey)
  // It may have been withdrawn while this attempt slept. From here on a withdrawal takes the volumes away first.
  await requireTaken(host, ctx, operation)
  if (await isRunning(vm)) return vm.ref
  ctx.signal.throwIfAborted()
  const disks = volumes.map((one) => ({ file: uppermost(one) }))
  await host.effects.run('program: start qemu', () =>
    launch(vm.dir, {
      lifetime: 'detached',
      confirm: (d) => {
        if (!isOn(d, disks)) throw new HoldfastError('NotOurs', `“${d.name}” was given other disks meanwhile`)
      },
    }),
  )
  return vm.ref
}

async function requireTaken(host: Host, ctx: OpContext, operation: PointId): Promise<Standby & Takeover> {
  const standby = await requireStandby(host, ctx.opKey)
  requireNotOver(standby, operation)
  const { takeover } = standby.record
  if (takeover?.operation !== operation) throw notOurs(standby.vm.description.name)
  return { ...standby, ...takeover }
}

/**
 * What it holds now, its guest's own writes included, is the head: the source was brought to that. Of a VM that its owner
 * gave other disks meanwhile nobody knows what its volumes hold: it follows without a head, and is seeded.
 */
export async function adopt(host: Host, ctx: OpContext, state: PointId, at: Instant): Promise<StandbyView> {
  await change(host, ctx.opKey, async ({ vm, record }) => {
    if (record.head?.id === state) return null
    const { takeover, head } = record
    if (record.role === 'follows' && takeover === null && head === null) return null
    if (takeover === null || head === null || isOver(record, takeover.operation))
      throw new HoldfastError('NotFound', `“${vm.description.name}” has not taken over`)
    if (await isRunning(vm))
      throw new HoldfastError('StillInUse', `“${vm.description.name}” still runs`, { retryAfter: 10_000 })
    const { operation, volumes } = takeover
    const follows = { role: 'follows', next: null, takeover: null, over: [...record.over, operation] } as const
    ctx.signal.throwIfAborted()
    if (!isJustOn(vm.description, volumes)) return { ...record, ...follows, head: null }
    const prints: string[] = []
    for (const one of volumes) prints.push(await printOf(vm.dir, uppermost(one)))
    const description = onto(head.description, volumes)
    ctx.signal.throwIfAborted()
    return {
      ...record,
      ...follows,
      head: { id: state, at, description, volumes, refs: [], prints },
    }
  })
  const now = await settle(host, ctx.opKey)
  await dropStale(host, ctx)
  return await viewOf(now, ctx)
}

/** Its files stay: the VM runs on them. The record stays too: an attempt that slept must not find room for one. */
export async function release(host: Host, ctx: OpContext): Promise<void> {
  const found = await findStandby(host, ctx.opKey)
  if (found === null) return
  if (found.record.role === 'taken-over') await settle(host, ctx.opKey)
  await change(host, ctx.opKey, ({ vm, record }) => {
    if (record.role !== 'taken-over' || record.takeover === null || isOver(record, record.takeover.operation))
      throw notOurs(vm.description.name)
    return { ...record, role: 'released', head: null, next: null, takeover: null }
  })
}

export async function removeStandby(host: Host, ctx: OpContext): Promise<{ residue: readonly Residue[] }> {
  const undoing = new Undoing()
  await removeStaged(host, ctx.opKey, undoing)
  const found = await findStandby(host, ctx.opKey)
  if (found !== null) {
    await finishWithdrawal(host, ctx, found)
    await settle(host, ctx.opKey)
    // From now on nothing starts it, and nothing writes to it.
    await change(host, ctx.opKey, async (standby) => {
      if (standby.record.role === 'removing') return null
      await requireFollowing(standby, ctx)
      return { ...standby.record, role: 'removing' }
    })
  }
  const vm = await ofKey(host, ctx.opKey)
  if (vm === null) return { residue: undoing.residue }
  if (vm.description.opKey !== ctx.opKey) throw notOurs(vm.description.name)
  await removeVm(vm, undoing)
  return { residue: undoing.residue }
}
