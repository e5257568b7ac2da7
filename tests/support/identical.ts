import { join } from 'node:path'
import { expect } from 'vitest'
import { ask } from '../../cli/client/index.ts'
import { waitForCompletion, type Backup } from '../../cli/demo/index.ts'
import { findLabVm, type Oracle } from '../../lab/index.ts'
import type { World } from './world.ts'

/** Restores the point to a new VM that is not started, and compares every disk with the oracle's image of its instant. */
export async function expectIdentical(world: World, { point }: Pick<Backup, 'point'>, oracle: Oracle): Promise<void> {
  const name = `copy-${point.id.slice(0, 8)}`
  const target = { kind: 'new', hypervisorId: world.hypervisor.id, name } as const
  const body = { pointId: point.id, target, identity: 'new', powerOn: false, reason: 'test' } as const
  const { runId } = await ask(world.at.api.POST('/restores', { body }))
  await waitForCompletion(world.at.api, runId)
  await expectCopy(world, oracle, point.id, name)
}

/** The VM of that name, which is off, has what the oracle has of the point, on every disk. */
export async function expectCopy(
  { lab }: Pick<World, 'lab'>,
  oracle: Oracle,
  pointId: string,
  name: string,
): Promise<void> {
  const { dir, description } = await findLabVm(lab, name)
  expect(description.disks.length).toBeGreaterThan(0)
  for (const { key, file } of description.disks) {
    const format = file.endsWith('.raw') ? 'raw' : 'qcow2'
    expect(await oracle.compare(pointId, key, { file: join(dir, file), format })).toMatchObject({ identical: true })
  }
}
