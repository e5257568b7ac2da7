/**
 * Images that lie in a folder become points, by the API and by the command, and come back as they were: a whole Holdfast,
 * no guest.
 */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execPath } from 'node:process'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ask } from '../../cli/client/index.ts'
import { Installation, waitForCompletion } from '../../cli/demo/index.ts'
import { runProgram } from '../../drivers/transport/index.ts'

const main = fileURLToPath(new URL('../../cli/main.ts', import.meta.url))
let home: string
let folder: string
let at: Installation

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'hf-'))
  folder = join(home, 'images')
  mkdirSync(folder)
  await runProgram('qemu-img', ['create', '-f', 'raw', join(home, 'root.raw'), '64M'])
  await runProgram('qemu-io', [
    '-f',
    'raw',
    '-c',
    'write -P 7 1M 20M',
    '-c',
    'write -P 9 50M 3M',
    join(home, 'root.raw'),
  ])
  for (const [format, name] of [
    ['vmdk', 'root.vmdk'],
    ['qcow2', 'data.qcow2'],
  ] as const)
    // prettier-ignore
    await runProgram('qemu-img', ['convert', '-f', 'raw', '-O', format, join(home, 'root.raw'), join(folder, name)])
  symlinkSync(join(home, 'root.raw'), join(folder, 'link.raw'))
  at = await Installation.start({ home })
  await at.addRepository('main', join(home, 'repository'))
  const body = { name: 'imports', platform: 'image' as const, address: folder, site: 'local' }
  await ask(at.api.POST('/hypervisors', { body }))
})
afterAll(async () => {
  await at?.stop()
  if (home) rmSync(home, { recursive: true })
})

const holdfast = (...args: readonly string[]): Promise<unknown> =>
  runProgram(execPath, ['--disable-warning=ExperimentalWarning', main, ...args], {
    env: { ...process.env, HOLDFAST_HOME: home },
    limit: 120_000,
  })

/** The disk of the newest point, as the command takes it out, against the image that went in. */
async function comesBack(vm: string, disk: string): Promise<void> {
  const out = join(home, `${vm}-${disk}.raw`)
  await holdfast('point', 'export', vm, 'latest', out, '--disk', disk, '--format', 'raw')
  await runProgram('qemu-img', ['compare', '-f', 'raw', '-F', 'raw', join(home, 'root.raw'), out])
}

const params = { path: { id: 'imports' } }

test('the API lists what lies in the folder, makes a point of it, and the same again makes the next one', async () => {
  const { items } = await ask(at.api.GET('/hypervisors/{id}/images', { params }))
  expect(items.map(({ file, format, problem }) => [file, format, problem === null])).toEqual([
    ['data.qcow2', 'qcow2', true],
    ['link.raw', null, false],
    ['root.vmdk', 'vmdk', true],
  ])
  const body = { vm: 'old server', files: ['root.vmdk', 'data.qcow2'], reason: 'test' }
  for (let points = 1; points <= 2; points += 1) {
    const { runId } = await ask(at.api.POST('/hypervisors/{id}/imports', { params, body }))
    await waitForCompletion(at.api, runId)
    const query = { limit: 10 }
    const path = { id: 'old-server' }
    expect((await ask(at.api.GET('/vms/{id}/points', { params: { path, query } }))).total).toBe(points)
  }
  await comesBack('old-server', 'disk0')
  await comesBack('old-server', 'disk1')
  const after = await ask(at.api.GET('/hypervisors/{id}/images', { params }))
  expect(after.items.map(({ vm }) => vm)).toEqual(['old server', null, 'old server'])
})

test('what is no file of the folder is refused, by whatever name, and nothing is described', async () => {
  for (const file of ['link.raw', '../root.raw', join(home, 'root.raw'), 'missing.raw']) {
    const { response } = await at.api.POST('/hypervisors/{id}/imports', {
      params,
      body: { vm: 'thief', files: [file], reason: 'test' },
    })
    expect([400, 404, 422], file).toContain(response.status)
  }
  const query = { q: 'thief', limit: 10 }
  expect((await ask(at.api.GET('/vms', { params: { query } }))).items).toEqual([])
})

test('the command imports an image from anywhere on the machine of the worker', async () => {
  copyFileSync(join(folder, 'root.vmdk'), join(home, 'elsewhere.vmdk'))
  await holdfast('point', 'import', '--vm', 'from-afar', join(home, 'elsewhere.vmdk'), '--hypervisor', 'imports')
  await comesBack('from-afar', 'disk0')
})
