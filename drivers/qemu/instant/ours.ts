import { ownsOpKey } from '../../names.ts'
import type { OpContext } from '../../driver.ts'
import type { TargetVm } from '../../facets.ts'
import type { Host } from '../host.ts'
import { notOurs } from '../target/index.ts'
import { locateVm, type Vm } from '../vm.ts'

/** The VM of this operation; throws NotOurs for one that was given away, or is another's. */
export async function instantVm(host: Host, ctx: OpContext, target: TargetVm): Promise<Vm> {
  const vm = await locateVm(host, target.vm.id)
  if (vm.description.opKey !== target.opKey || !ownsOpKey(ctx.installation, target.opKey))
    throw notOurs(vm.description.name)
  return vm
}
