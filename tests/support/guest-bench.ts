import { readdir } from 'node:fs/promises'
import { afterAll, beforeAll, expect } from 'vitest'
import { MiB } from '../../base/index.ts'
import type { LabVm } from '../../lab/index.ts'
import { endTemporaryLab, temporaryLab, type Lab } from '../../lab/index.ts'
import { Series, contextFor, newPoint, type Opened } from '../../drivers/contract/series.ts'
import type { HypervisorDriver } from '../../drivers/driver.ts'
import type { DiskKey, PointRequest, VmRef } from '../../drivers/values.ts'
import { openQemu } from '../../drivers/qemu/driver.ts'

/** A guest for the contract of drivers.md §10 E and J: one lab with one VM that writes all the time. */
export interface GuestBench {
  readonly lab: Lab
  readonly vm: LabVm
  readonly ref: VmRef
  readonly driver: HypervisorDriver
}

/** What the tests ask of it over and over. */
export interface GuestSteps {
  readonly target: () => ConstructorParameters<typeof Series>[0]
  readonly series: () => Series
  readonly open: (request?: Partial<PointRequest>) => Promise<Opened>
  /** Ends a round that was opened, and expects no residue. */
  readonly end: (opened: Opened) => Promise<void>
  readonly ctx: () => Opened['ctx']
  /** Writes of the guest to its first disk so far. */
  readonly writes: () => Promise<number>
  readonly isFrozen: () => Promise<boolean>
  readonly nothingLeft: () => Promise<void>
}

/** Makes the bench before all tests of a file and ends it after them; `made` is told what was made. */
export function guestBench(made: (bench: GuestBench) => void): GuestSteps {
  let lab: Lab
  let vm: LabVm
  let ref: VmRef
  let driver: HypervisorDriver
  beforeAll(async () => {
    lab = await temporaryLab({ vms: [{ name: 'guest', qcow2: 192 * MiB, raw: 96 * MiB }] })
    vm = lab.vms[0] as LabVm
    driver = openQemu(lab.endpoint)
    const [facts] = await Array.fromAsync(
      driver.discover(contextFor({} as VmRef & { scope: string; id: string }, newPoint())),
    )
    if (!facts) throw new Error('the lab has no VM')
    ref = facts.vm
    // Writes to the first disk, through to the device, for ever: what stops when the guest is frozen.
    await vm.shell(
      '(while :; do cat /proc/uptime >/data/0/tick; sync /data/0/tick; sleep 0.05; done) >/dev/null 2>&1 </dev/null &',
    )
    made({ lab, vm, ref, driver })
  })
  afterAll(async () => {
    await endTemporaryLab(lab)
  })

  const target = (): ConstructorParameters<typeof Series>[0] => {
    const disks = vm.description.disks.map((d) => ({
      key: d.key as DiskKey,
      size: d.size,
      tracked: 'persistent' as const,
    }))
    return { ref, disks, content: () => new Uint8Array() } as unknown as ConstructorParameters<typeof Series>[0]
  }
  const series = (): Series => new Series(target(), driver)
  const open = (request: Partial<PointRequest> = {}): Promise<Opened> =>
    series().open({ want: 'filesystem', ...request })
  const end = async (opened: Opened): Promise<void> => {
    expect((await driver.abortPoint(opened.ctx, ref, null)).residue).toEqual([])
  }
  const ctx = (): Opened['ctx'] => contextFor(ref, newPoint())
  const writes = async (): Promise<number> => {
    await using monitor = await vm.monitor()
    const stats =
      await monitor.execute<readonly { qdev?: string; stats: { wr_operations: number } }[]>('query-blockstats')
    return stats.find((s) => s.qdev?.includes('/virtio0/'))?.stats.wr_operations ?? -1
  }
  const isFrozen = async (): Promise<boolean> => {
    await using agent = await vm.agent()
    return (await agent.freezeStatus()) === 'frozen'
  }
  const nothingLeft = async (): Promise<void> => {
    expect((await readdir(vm.dir)).filter((f) => f.startsWith('hf-'))).toEqual([])
    expect((await Array.fromAsync(driver.listOwned(ctx()))).filter((o) => o.kind !== 'bitmap')).toEqual([])
  }
  return { target, series, open, end, ctx, writes, isFrozen, nothingLeft }
}
