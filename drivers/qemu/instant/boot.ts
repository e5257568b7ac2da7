import { HoldfastError, type Millis } from '../../../base/index.ts'
import type { OpContext } from '../../driver.ts'
import type { IsolationSpec, NativeConfig, NbdExport, TargetSpec, TargetVm } from '../../facets.ts'
import type { DiskBacking } from '../description.ts'
import type { Host } from '../host.ts'
import { launch } from '../launch.ts'
import { createTarget, readPlan, writeVm } from '../target/index.ts'
import { isRunning, locateVm } from '../vm.ts'

/** Makes the overlays and starts the VM on them; a VM of this operation that runs already is the answer. */
export async function bootInstant(
  host: Host,
  ctx: OpContext,
  spec: TargetSpec,
  native: readonly NativeConfig[] | null,
  exports: { readonly [disk: string]: NbdExport },
  net: IsolationSpec | null,
  reconnect: Millis,
): Promise<TargetVm> {
  if (spec.place.kind !== 'new')
    throw new HoldfastError('Unsupported', 'an instant restore makes a new VM; it replaces none')
  const target = await createTarget(host, ctx, spec, native, backingsOf(spec, exports, reconnect))
  const vm = await locateVm(host, target.vm.id)
  if (await isRunning(vm)) return target
  const plan = await readPlan(vm.dir, target.opKey)
  if (net === null && plan) await writeVm(host, vm.dir, { ...vm.description, nics: plan.after.nics })
  ctx.signal.throwIfAborted()
  const network = net === null ? 'described' : net.kind === 'none' ? 'none' : 'restricted'
  await host.effects.run('program: start qemu', () => launch(vm.dir, { lifetime: 'detached', network }))
  return target
}

/** A larger export than its overlay would be cut off without a word, a smaller one would read as zeros behind its end. */
function backingsOf(
  spec: TargetSpec,
  exports: { readonly [disk: string]: NbdExport },
  reconnect: Millis,
): { readonly [disk: string]: DiskBacking } {
  return Object.fromEntries(
    spec.disks.map(({ key }) => {
      const served = exports[key]
      const size = spec.vm.disks.find((disk) => disk.key === key)?.size
      if (served === undefined) throw new HoldfastError('InvalidRequest', `disk ${key} is not served`)
      if (served.size !== size)
        throw new HoldfastError('SizeMismatch', `disk ${key} has ${size ?? 'no'} bytes, ${served.size} are served`)
      if (served.transport !== 'unix' || served.tlsRef !== null)
        throw new HoldfastError('Unsupported', `this endpoint takes disks from a socket of its own host, not ${key}`)
      const reconnectSeconds = Math.max(1, Math.ceil(reconnect / 1000))
      return [key, { socket: served.address, export: served.name, reconnectSeconds }]
    }),
  )
}
