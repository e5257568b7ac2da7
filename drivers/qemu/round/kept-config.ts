import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { HoldfastError } from '../../../base/index.ts'
import { configFile } from '../../names.ts'
import type { OpKey, PointInTime } from '../../values.ts'
import { encodeDescription, parseDescription } from '../description.ts'
import { vmAt, type Vm } from '../vm.ts'

/** Keeps the description as it is at the point: it may be edited while the disks are read. */
export async function keepConfig(vm: Vm, opKey: OpKey): Promise<void> {
  await vm.host.effects.run('file: keep description', () =>
    writeFile(join(vm.paths.dir, configFile(opKey)), encodeDescription(vm.description)),
  )
}

export async function dropConfig(vm: Vm, opKey: OpKey): Promise<void> {
  await vm.host.effects.run('file: drop description', () => rm(join(vm.paths.dir, configFile(opKey)), { force: true }))
}

/** The VM as it was described at the point. Throws `NotFound` if the round has ended. */
export async function pointConfig(vm: Vm, point: PointInTime): Promise<Vm> {
  const file = join(vm.paths.dir, configFile(point.opKey))
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    throw new HoldfastError(
      'NotFound',
      `point ${point.id} keeps no description of VM “${vm.description.name}” any more`,
      { cause: error },
    )
  }
  return vmAt(vm.host, vm.dir, parseDescription(JSON.parse(text), file))
}
