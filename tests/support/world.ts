import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Installation, type InstallationOptions, type NewRepository } from '../../cli/demo/index.ts'
import { ask, type Schemas } from '../../cli/client/index.ts'
import { Oracle, SWITCH_HOOK, labUp, type Lab, type LabVm, type LabVmSpec } from '../../lab/index.ts'

export interface World {
  readonly at: Installation
  readonly lab: Lab
  readonly guest: LabVm
  readonly hypervisor: Schemas['Hypervisor']
  readonly repository: NewRepository
  readonly vm: Schemas['VmDetail']
  readonly home: string
  /** Where an oracle has to listen for the driver to call it; nobody does until `startOracle`. */
  startOracle(): Promise<Oracle>
  end(): Promise<void>
}

export interface WorldOptions {
  readonly vm?: Omit<LabVmSpec, 'name'>
  /** Beside the first. */
  readonly others?: readonly LabVmSpec[]
  readonly env?: InstallationOptions['env']
  /** Directory of the repository; default below the home. */
  readonly repositoryPath?: string
}

/** A whole Holdfast beside a lab with one guest and an empty repository, in a temporary home. */
export async function makeWorld(options: WorldOptions = {}): Promise<World> {
  const home = mkdtempSync(join(tmpdir(), 'hf-'))
  const oracleFolder = join(home, 'o')
  const spec: LabVmSpec = { name: 'web-01', ...options.vm }
  const undo: (() => Promise<unknown>)[] = [async () => rmSync(home, { recursive: true, force: true })]
  try {
    const env = { [SWITCH_HOOK]: join(oracleFolder, 'oracle.sock'), ...options.env }
    const at = await Installation.start({ home, env })
    undo.push(() => at.stop())
    const lab = await labUp({ home, name: 'l', vms: [spec, ...(options.others ?? [])] })
    undo.push(async () => lab[Symbol.asyncDispose]())
    const guest = lab.vms[0]
    if (!guest) throw new Error('the lab has no VM')
    const { address, options: endpointOptions } = lab.endpoint
    const hypervisor = await at.addHypervisor({ name: 'lab', platform: 'qemu', address, options: endpointOptions })
    const repository = await at.addRepository('main', options.repositoryPath ?? join(home, 'repository'))
    const { items } = await ask(at.api.GET('/vms', { params: { query: { limit: 10 } } }))
    const row = items.find(({ name }) => name === spec.name)
    if (!row) throw new Error(`${spec.name} was not discovered: ${JSON.stringify(items)}`)
    const vm = await ask(at.api.GET('/vms/{id}', { params: { path: { id: row.id } } }))
    return {
      at,
      lab,
      guest,
      hypervisor,
      repository,
      vm,
      home,
      startOracle: () => Oracle.start({ folder: oracleFolder, vms: async () => [guest.dir] }),
      end: () => unwind(undo),
    }
  } catch (error) {
    await unwind(undo)
    throw error
  }
}

/** All are tried; the first failure is thrown at the end. */
async function unwind(undo: (() => Promise<unknown>)[]): Promise<void> {
  const failures: unknown[] = []
  for (let step = undo.pop(); step; step = undo.pop()) await step().catch((error: unknown) => failures.push(error))
  if (failures.length > 0) throw failures[0]
}
