import { createRetentionRecordActivities } from '../../activities/retention/record.ts'
import { memoryBlobs } from '../../activities/testing/site.ts'
import { backupSettings } from '../../policy/index.ts'
import { repositoryRefOf, targetOf } from '../../workflows/shared/targets.ts'
import type { Random } from '../simulation/random.ts'
import type { World } from './control.ts'
import { day } from './estate.ts'
import type { Runs } from './runs.ts'

/** What people do in the course of the year: a backup by hand, one before a release, a pin, and its end. */
export class Operators {
  readonly #world: World
  readonly #random: Random
  readonly #runs: Runs
  readonly #retention
  readonly #endMs: number

  constructor(world: World, random: Random, runs: Runs, endMs: number) {
    this.#endMs = endMs
    this.#world = world
    this.#random = random
    this.#runs = runs
    this.#retention = createRetentionRecordActivities(world.catalog, memoryBlobs())
  }

  get #isThere(): boolean {
    const { faults, timeline } = this.#world
    return (
      faults.at('server', '', timeline.nowMs) === undefined && faults.at('engine', '', timeline.nowMs) === undefined
    )
  }

  async backUp(origin: 'manual' | 'publish'): Promise<void> {
    const { catalog, estate } = this.#world
    const vm = catalog.vms.find(this.#random.pick(estate.vms).id)
    if (!this.#isThere || vm === undefined || vm.goneMs !== null) return
    const endpoint = catalog.endpoints.get(vm.endpointId)
    const repository = catalog.repositories.get(endpoint.site)
    const input = {
      ...backupSettings(catalog.policy.effective(vm, null)),
      ...{ v: 1 as const, vm: targetOf(vm, endpoint), repository: repositoryRefOf(repository), origin, name: null },
      ...{ description: null, plan: null, requestedBy: { user: 'operator', reason: '' }, tuning: {} },
    }
    await this.#runs.backUp({ input, vmName: vm.name }, async () => undefined)
  }

  /** Of a repository that no other one mirrors: what else a hold of two copies means has tests of its own. */
  async pin(repositoryId: string): Promise<void> {
    const { stores, timeline, diary } = this.#world
    const store = stores.get(repositoryId)
    const stems = [...(store?.stems ?? [])].sort()
    if (!this.#isThere || store === undefined || stems.length === 0) return
    const stem = this.#random.pick(stems)
    const snap = stem.slice(-32)
    if (diary.holds.some((one) => one.snap === snap)) return
    const ms = timeline.nowMs
    store.hold(snap, ms)
    const hold = { name: `hold/${snap}`, snap }
    const said = { type: 'pin' as const, actor: 'operator', reason: 'kept', atMs: ms }
    await this.#retention.recordHold({ repositoryId, stem, hold: hold.name, ...said })
    const entry = { snap, untilMs: null as number | null }
    diary.holds.push(entry)
    // What is released is to go in time to be seen gone.
    if (this.#random.chance(0.5) || ms + 60 * day > this.#endMs) return
    timeline.at(ms + 60 * day, async () => {
      entry.untilMs = timeline.nowMs
      store.release(snap)
      await this.#retention.recordRelease({ holds: [hold.name] })
    })
  }
}
