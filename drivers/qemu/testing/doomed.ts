import { direct, type Effects } from '../effects.ts'
import { openQemu } from '../driver.ts'
import { Series, contextFor } from '../../contract/series.ts'
import type { Endpoint, PointId, VmRef } from '../../values.ts'

/**
 * A worker that never comes back: opens a point and stands still for ever right after the named effect, so that the
 * test can kill it with -9 there. Run as a process of its own; says `reached` on its output.
 */
interface Doom {
  readonly endpoint: Endpoint
  readonly vm: VmRef
  readonly disks: readonly { readonly key: string; readonly size: number }[]
  readonly pointId: string
  readonly after: string
  readonly freezeLimit: number
}

const doom = JSON.parse(process.argv[2] ?? '') as Doom
const effects: Effects = {
  ...direct,
  async run(what, effect) {
    const result = await effect()
    if (what === doom.after) {
      process.stdout.write('reached\n')
      await new Promise(() => setInterval(() => undefined, 1_000))
    }
    return result
  },
}
const disks = doom.disks.map((d) => ({ key: d.key as never, size: d.size, tracked: 'persistent' as const }))
const vm = { ref: doom.vm, disks } as unknown as ConstructorParameters<typeof Series>[0]
const driver = openQemu(doom.endpoint, effects)
const pointId = doom.pointId as PointId
await driver.openPoint(
  contextFor(doom.vm, pointId),
  doom.vm,
  new Series(vm, driver).request(pointId, { want: 'filesystem', freezeLimit: doom.freezeLimit as never }),
)
process.stdout.write('opened\n')
