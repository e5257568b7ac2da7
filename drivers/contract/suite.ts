import { describe, test as vitest } from 'vitest'
import type { HypervisorDriver } from '../driver.ts'
import type { DriverModule } from '../capabilities.ts'
import { bytesGroup } from './groups/bytes.ts'
import { connectionsGroup } from './groups/connections.ts'
import { guestsGroup } from './groups/guests.ts'
import { idempotenceGroup } from './groups/idempotence.ts'
import { mustFullGroup } from './groups/must-full.ts'
import { ownershipGroup } from './groups/ownership.ts'
import { restoreGroup } from './groups/restore.ts'
import { trustGroup } from './groups/trust.ts'
import { valuesGroup } from './groups/values.ts'
import type { ContractRig, ContractVm } from './rig.ts'

/** What a group of tests works with: `check` declares one, with its number in drivers.md §10. */
export interface Bench {
  readonly rig: ContractRig
  readonly module: DriverModule
  readonly check: (
    number: string,
    title: string,
    work: (vm: ContractVm, driver: HypervisorDriver) => Promise<void>,
  ) => void
}

/**
 * The contract of every driver (drivers.md §10). Each test has a VM of its own. What the rig cannot do is listed as
 * skipped with its reason in the title, so that it is seen wherever results are.
 */
export function suite(module: DriverModule, rig: ContractRig): void {
  const check: Bench['check'] = (number, title, work) => {
    const why =
      rig.cannot[number] ?? (number === '35' && !rig.occupy ? 'the rig has nobody who could be in the way' : undefined)
    if (why !== undefined) vitest.skip(`${number} ${title} [cannot run here: ${why}]`, () => undefined)
    else
      vitest(
        `${number} ${title}`,
        async () => {
          await using vm = await rig.make()
          await using driver = await rig.open(vm.endpoint)
          await work(vm, driver)
        },
        600_000,
      )
  }
  const bench: Bench = { rig, module, check }
  describe(`driver contract: ${module.platform}, ${rig.name}`, () => {
    // No part of this suite: listed, so that the table of drivers.md §10 has no silent gap.
    for (const [number, where] of Object.entries(rig.elsewhere ?? {}))
      vitest.skip(`${number} [not in this suite: ${where}]`, () => undefined)
    describe('A values', () => valuesGroup(bench))
    describe('B bytes', () => bytesGroup(bench))
    describe('C must-full', () => mustFullGroup(bench))
    describe('D idempotence', () => idempotenceGroup(bench))
    describe('E guests', () => guestsGroup(bench))
    describe('F connections', () => connectionsGroup(bench))
    describe('G trust', () => trustGroup(bench))
    describe('H ownership', () => ownershipGroup(bench))
    describe('I restore', () => restoreGroup(bench))
  })
}
