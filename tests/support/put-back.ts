import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { GiB } from '../../base/index.ts'
import { ask } from '../../cli/client/index.ts'
import { waitForCompletion, type Runbook } from '../../cli/demo/index.ts'
import type { World } from './world.ts'

/** Restores into the VM's own place; resolves with the run and the safety point that it took. */
export async function putBack(
  world: World,
  pointId: string,
  of: {
    readonly powerOn?: boolean
    readonly killWhileWriting?: boolean
    /** These alone; default: all. */
    readonly disks?: readonly string[]
  },
): Promise<{ readonly book: Runbook; readonly safetyPoint: string }> {
  const { powerOn, killWhileWriting = false, disks } = of
  const { at, vm, guest } = world
  const target = { kind: 'original', confirmName: vm.name } as const
  const power = powerOn === undefined ? {} : { powerOn }
  const before = new Set(readdirSync(guest.dir))
  const body = {
    pointId,
    target,
    identity: 'same',
    reason: 'test',
    tuning: { moverHeartbeatMs: 10_000 },
    ...power,
    ...(disks !== undefined && { disks: [...disks] }),
  } as const
  const { runId } = await ask(at.api.POST('/restores', { body }))
  if (killWhileWriting) {
    const written = (): number =>
      readdirSync(guest.dir)
        .filter((name) => !before.has(name) && name.includes('.qcow2'))
        .reduce((sum, name) => sum + 512 * statSync(join(guest.dir, name)).blocks, 0)
    await expect.poll(written, { timeout: 120_000, interval: 20 }).toBeGreaterThan(GiB / 4)
    at.kill('worker')
  }
  const book = await waitForCompletion(at.api, runId)
  const query = { limit: 50 }
  const { items } = await ask(at.api.GET('/vms/{id}/points', { params: { path: { id: vm.id }, query } }))
  const safety = items.find(({ origin, createdMs }) => origin === 'safety' && createdMs >= (book.startedMs ?? Infinity))
  if (safety === undefined) throw new Error(`the restore took no safety point: ${JSON.stringify(items[0])}`)
  expect(safety.validatedMs).not.toBeNull()
  return { book, safetyPoint: safety.id }
}
