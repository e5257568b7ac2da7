import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { HoldfastError } from '../../../base/index.ts'
import type { OpContext } from '../../driver.ts'
import type { PointId } from '../../values.ts'
import type { Host } from '../host.ts'
import { stop } from '../launch.ts'
import { notOurs } from '../target/index.ts'
import { dropStale, uppermost } from './files.ts'
import { change, findStandby, type Standby, type StandbyRecord } from './record.ts'
import { settle } from './settle.ts'

/**
 * The operation is refused from now on, whether it has begun or not: an attempt of it may be under way that nobody can
 * reach. Then the VM is ended and what its guest wrote goes, and only then it follows again.
 */
export async function withdraw(host: Host, ctx: OpContext, operation: PointId): Promise<void> {
  if ((await findStandby(host, ctx.opKey)) === null) return
  const refused = await change(host, ctx.opKey, ({ record }) =>
    record.over.includes(operation) ? null : { ...record, over: [...record.over, operation] },
  )
  const { takeover } = refused.record
  if (takeover !== null && takeover.operation !== operation) throw notOurs(refused.vm.description.name)
  await finishWithdrawal(host, ctx, refused)
  await settle(host, ctx.opKey)
  await dropStale(host, ctx)
}

/** A withdrawal that was cut off is finished by whoever comes next. */
export async function finishWithdrawal(host: Host, ctx: OpContext, { vm, record }: Standby): Promise<void> {
  const { takeover } = record
  if (takeover === null || !isOver(record, takeover.operation)) return
  const end = (): Promise<unknown> => host.effects.run('program: end qemu', () => stop(vm.dir, { how: 'kill' }))
  await end()
  for (const one of takeover.volumes)
    await host.effects.run('file: remove volume', () => rm(join(vm.dir, uppermost(one)), { force: true }))
  // Whoever was about to start it finds no volume to start from; whoever has started it meanwhile is ended here.
  await end()
  await change(host, ctx.opKey, (now) =>
    now.record.takeover?.operation === takeover.operation
      ? { ...now.record, role: 'follows', next: null, takeover: null }
      : null,
  )
}

export function isOver({ over }: StandbyRecord, operation: PointId): boolean {
  return over.includes(operation)
}

/** Throws `NotOurs`. */
export function requireNotOver({ vm, record }: Standby, operation: PointId): void {
  if (!isOver(record, operation)) return
  throw new HoldfastError('NotOurs', `this takeover of “${vm.description.name}” was withdrawn, or has ended`, {
    hint: 'Ask for a failover again.',
  })
}
