import { mkdtemp, mkdir, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { MiB } from '../base/index.ts'
import { opKeyFor, stagingFolder } from '../drivers/names.ts'
import { createDescription } from '../drivers/qemu/description.ts'
import type { PointId } from '../drivers/index.ts'
import { findLabVm, startedLabVm } from './find.ts'
import type { Lab } from './lab.ts'

const staging = stagingFolder(opKeyFor('abcdef', { scope: 's', id: 'v' }, 'a'.repeat(32) as PointId))
let address: string
let lab: Pick<Lab, 'endpoint'>

beforeEach(async () => {
  address = await mkdtemp(join(tmpdir(), 'hf-find-'))
  const endpoint = { id: 'lab', name: 'lab', platform: 'qemu', address, credentialRef: null, options: {} }
  lab = { endpoint: endpoint as unknown as Lab['endpoint'] }
})
afterEach(() => rm(address, { recursive: true }))

async function describeAt(folder: string, name: string): Promise<void> {
  await createDescription(join(address, folder), {
    ...{ v: 1, uuid: '6a0f4cf4-0f5c-4b2b-9d51-0d9a4a1b2c3d', name, memory: 256 * MiB, vcpus: 1 },
    ...{ machine: 'q35', accel: 'auto', firmware: 'bios', disks: [], nics: [], tags: [], notes: '' },
    ...{ owner: null, opKey: null, created: '2026-01-01T00:00:00.000Z' },
  })
}

test('a VM that is still being made is not found in the folder that it is about to leave', async () => {
  await describeAt(staging, 'web-now')
  await expect(findLabVm(lab, 'web-now')).rejects.toMatchObject({ code: 'NotFound' })
  await rename(join(address, staging), join(address, 'web-now'))
  expect(await findLabVm(lab, 'web-now')).toMatchObject({ dir: join(address, 'web-now') })
})

test('other folders do not hide a VM', async () => {
  await mkdir(join(address, 'a-folder'))
  await describeAt('another', 'db')
  await describeAt('web', 'web')
  expect((await findLabVm(lab, 'web')).name).toBe('web')
})

test('who waits for a VM that never comes, or never runs, is told which of the two', async () => {
  await expect(startedLabVm(lab, 'web', 30)).rejects.toMatchObject({
    code: 'GuestStuck',
    message: expect.stringContaining('is not there') as string,
  })
  await describeAt('web', 'web')
  await expect(startedLabVm(lab, 'web', 30)).rejects.toMatchObject({
    code: 'GuestStuck',
    message: expect.stringContaining('does not run') as string,
  })
})
