import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { bench, type Bench } from '../api/testing/bench.ts'
import { aVm } from '../catalog/testing.ts'
import { ran, type Ran } from './testing.ts'

let here: Bench
let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'hf-cli-import-'))
  here = bench({ vms: ['web-01'] })
  here.engine.answers.set('discoverEndpoint', () => {
    // As the worker that looks into the folder.
    const names = readdirSync(join(dir, 'home', 'imports')).map((name) => name.replace('.json', ''))
    here.catalog.vms.recordDiscovered(
      'imports',
      `listing-${names.length}`,
      names.map((name) => aVm(name)),
    )
    return {
      ...{ v: 1, version: '7.2', identity: 'AB', evidence: 'verified', capabilities: null, findings: [], error: null },
      ...{ found: names.length, added: 1, changed: 0, gone: 0 },
    }
  })
})
afterEach(() => {
  here[Symbol.dispose]()
  rmSync(dir, { recursive: true })
})

/** Followed runs of the bench never end: what matters is that they were started. */
async function imported(...argv: string[]): Promise<Ran> {
  const stop = new AbortController()
  const env = {
    ...{ HOLDFAST_SERVER: 'http://holdfast.test', HOLDFAST_TOKEN: 'holdfast_admin-token-of-the-tests' },
    HOLDFAST_HOME: join(dir, 'home'),
  }
  const sleep = async (): Promise<void> => stop.abort()
  return await ran(here, ['point', 'import', ...argv], { env, signal: stop.signal, sleep })
}

function aRaw(name: string): string {
  writeFileSync(join(dir, name), Buffer.alloc(1024 * 1024, 3))
  return join(dir, name)
}

test('images become a VM of a hypervisor that is made for them, and that VM is backed up', async () => {
  const [first, second] = [aRaw('root.img'), aRaw('data.img')]
  const { err } = await imported('--vm', 'old server', '--name', 'first', first, second)
  expect(err).toContain('disk0 is raw, disk1 is raw. Started backup/')
  const described = JSON.parse(readFileSync(join(dir, 'home', 'imports', 'old server.json'), 'utf8')) as object
  expect(described).toEqual({
    ...{ v: 1, name: 'old server', tags: ['imported'] },
    disks: [
      { key: 'disk0', file: first, format: 'raw', bootOrder: 0 },
      { key: 'disk1', file: second, format: 'raw', bootOrder: null },
    ],
  })
  const backup = here.engine.started.find(({ workflow }) => workflow === 'backupVm')
  expect(backup?.input).toMatchObject({
    ...{ name: 'first', want: 'crash', repository: { id: 'main' } },
    vm: { endpoint: { id: 'imports', platform: 'image', address: join(dir, 'home', 'imports') } },
  })
})

test('the same files are the next point of that VM; of others its name is taken', async () => {
  const [one, other] = [aRaw('root.img'), aRaw('other.img')]
  await imported('--vm', 'old', one)
  expect(await imported('--vm', 'old', other)).toMatchObject({ code: 5 })
  expect((await imported('--vm', 'new', other)).err).toContain('Started backup/')
})

test('what names other files is refused, and nothing is made for it', async () => {
  const file = join(dir, 'disk.vmdk')
  writeFileSync(file, '# Disk DescriptorFile\ncreateType="monolithicFlat"\nRW 8 FLAT "/etc/shadow" 0\n')
  const refused = await imported('--vm', 'old', file)
  expect([refused.code, refused.err]).toEqual([1, expect.stringContaining('it names /etc/shadow')])
  expect(await imported('--vm', '../old', aRaw('root.img'))).toMatchObject({ code: 2 })
  expect(await imported('--vm', 'old', join(dir, 'nothing'))).toMatchObject({ code: 4 })
  expect(await imported('--vm', 'old', '--hypervisor', 'lab', aRaw('root.img'))).toMatchObject({ code: 2 })
  expect(here.engine.started).toEqual([])
  expect(readdirSync(dir)).not.toContain('home')
})
