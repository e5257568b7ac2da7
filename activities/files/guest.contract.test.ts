import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MockActivityEnvironment } from '@temporalio/testing'
import { DefaultLogger } from '@temporalio/worker'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { HoldfastError, MiB } from '../../base/index.ts'
import type { VmRef } from '../../drivers/index.ts'
import { qemu } from '../../drivers/qemu/index.ts'
import { SessionServer, sessionSocket, type FileEntry, type Served } from '../../files/index.ts'
import type { Lab, LabVm } from '../../lab/index.ts'
import { guestBench } from '../../tests/support/guest-bench.ts'
import { createSiteActivities, type SiteActivities } from '../index.ts'
import { testSite, type TestSite } from '../testing/site.ts'
import type { FilesToGuest } from './types.ts'

/** Files of a session that is made up, into a real guest through its real agent. */
const session = 'c'.repeat(32)
const odd = `it's $(odd) "x" ä`
const modifiedMs = Date.UTC(2024, 1, 29, 12, 30, 5)
let lab: Lab
let vm: LabVm
let ref: VmRef
guestBench((made) => {
  ;({ lab, vm, ref } = made)
})

const content = new Map<string, Buffer>([
  ['/etc/big.bin', randomBytes(3 * MiB + 17)],
  ['/etc/hosts', Buffer.from('127.0.0.1 localhost\n')],
  [`/srv/${odd}/inner`, Buffer.from('inner')],
  ['/srv/empty', Buffer.alloc(0)],
])
const entries = new Map<string, FileEntry>()
const add = (path: string, kind: FileEntry['kind'], more: Partial<FileEntry> = {}): void => {
  const size = content.get(path)?.length ?? 0
  const name = path.split('/').at(-1) ?? ''
  entries.set(path, { ...{ name, path, kind, size, mode: 0o755, uid: 0, gid: 0, modifiedMs, target: null }, ...more })
}
add('/etc', 'folder')
add('/etc/big.bin', 'file', { mode: 0o4640, uid: 1000, gid: 7 })
add('/etc/hosts', 'file', { mode: 0o644 })
add('/srv', 'folder', { mode: 0o710, uid: 33, gid: 33 })
add(`/srv/${odd}`, 'folder')
add(`/srv/${odd}/inner`, 'file', { mode: 0o600 })
add('/srv/empty', 'file')
add('/srv/link', 'link', { target: '../etc/hosts' })
add('/srv/pipe', 'fifo')
add('/srv/caf\\xe9', 'file')

let breakAfter = Infinity
let uuid = ''
const served = (): Served => {
  const unused = (): never => {
    throw new Error('not asked here')
  }
  const find = (path: string): FileEntry => {
    const entry = entries.get(path)
    if (entry === undefined) throw new HoldfastError('NotFound', `no ${path}`)
    return entry
  }
  return {
    volumes: [
      {
        ...{ id: 'd0', kind: 'disk', state: 'files', disk: 'virtio0', size: 1, fileSystem: 'ext4', label: null, uuid },
        ...{ isJournalReplayed: true, error: null },
      },
    ],
    ...{ search: unused, archive: unused, image: unused },
    stat: async ({ path }) => find(path),
    list: async ({ path }) => {
      const items = [...entries.values()].filter((one) => one.path.slice(0, one.path.lastIndexOf('/')) === path)
      return { items, next: null, total: items.length, isComplete: true }
    },
    content: async ({ path }) => {
      const all = content.get(path) ?? Buffer.alloc(0)
      const stream = async function* (): AsyncGenerator<Buffer> {
        for (let at = 0; at < all.length; at += 65_536) {
          if (at >= breakAfter) throw new HoldfastError('ChunkLost', 'a chunk is gone')
          yield all.subarray(at, at + 65_536)
        }
      }
      return { size: all.length, stream: stream() }
    },
  }
}

let folder: string
let world: TestSite
let steps: SiteActivities
let server: SessionServer
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-guest-files-'))
  world = testSite({ folder, drivers: [qemu] })
  steps = createSiteActivities(world.site)
  const device = (await vm.shell('awk \'$2 == "/data/0" {print $1}\' /proc/mounts')).trim()
  uuid = (await vm.shell(`blkid -s UUID -o value ${device}`)).trim()
  server = await SessionServer.start(sessionSocket(join(folder, 'files'), session), served(), { now: Date.now })
})
afterAll(async () => {
  await server?.[Symbol.asyncDispose]()
  await world?.[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})

let runs = 0
function wish(paths: readonly string[], place: FilesToGuest['place'], minute: number): FilesToGuest {
  runs += 1
  return {
    ...{
      endpoint: lab.endpoint,
      vm: ref,
      operation: runs.toString(16).padEnd(32, '0'),
      session,
      volume: 'd0',
      paths,
      place,
    },
    stampMs: Date.UTC(2026, 10, 22, 19, minute),
  }
}
async function run<I, R>(activity: (input: I) => Promise<R>, input: I, heartbeatDetails?: unknown): Promise<R> {
  const env = new MockActivityEnvironment(
    { heartbeatTimeoutMs: 60_000, heartbeatDetails },
    { logger: new DefaultLogger('ERROR') },
  )
  return (await env.run(activity, input)) as R
}
async function restored(input: FilesToGuest): ReturnType<SiteActivities['restoreFilesToGuest']> {
  const plan = await run(steps.planFilesRestore, input)
  return await run(steps.restoreFilesToGuest, { ...input, plan, stallTimeoutMs: 60_000 })
}
const sha = (data: Buffer | undefined): string =>
  createHash('sha256')
    .update(data ?? '')
    .digest('hex')
const inGuest = async (script: string): Promise<string> => (await vm.shell(script)).trim()
const partials = (): Promise<string> =>
  inGuest('find / -xdev -name ".holdfast-*"; find /data/0 -xdev -name ".holdfast-*"')

test('a file is written beside the one that is there, with owner, mode and time, and compared in the guest', async () => {
  await inGuest('mkdir -p /data/0/etc && echo now >/data/0/etc/big.bin')
  const done = await restored(wish(['/etc/big.bin', '/etc/hosts'], { kind: 'beside' }, 1))
  const at = '/data/0/etc/big.bin.restored-20261122T1901'
  expect(done).toMatchObject({
    made: [at, '/data/0/etc/hosts.restored-20261122T1901'],
    files: 2,
    verified: 2,
    skippedCount: 0,
  })
  expect(await inGuest(`sha256sum <${at}`)).toContain(sha(content.get('/etc/big.bin')))
  expect(await inGuest(`stat -c '%u:%g %a %Y' ${at}`)).toBe(`1000:7 4640 ${modifiedMs / 1000}`)
  expect(await inGuest('cat /data/0/etc/big.bin')).toBe('now')
  expect(await partials()).toBe('')
})

test('a folder comes with what is in it, whatever its names are; what cannot come is told', async () => {
  const done = await restored(wish(['/srv'], { kind: 'folder', folder: '/data/0/back/again' }, 2))
  expect(done).toMatchObject({
    made: ['/data/0/back/again/srv'],
    files: 2,
    folders: 2,
    links: 1,
    verified: 2,
    skippedCount: 2,
  })
  expect(done.skipped.map(({ path }) => path)).toEqual(['/srv/pipe', '/srv/caf\\xe9'])
  expect(
    await inGuest(
      'cd /data/0/back/again/srv; cat */inner; readlink link; stat -c "%u %a %Y" . empty; printf "%s\\n" *',
    ),
  ).toBe(
    ['inner../etc/hosts', `33 710 ${modifiedMs / 1000}`, `0 755 ${modifiedMs / 1000}`, 'empty', odd, 'link'].join('\n'),
  )
})

test('nothing that is there is replaced, unless that is asked for', async () => {
  await inGuest('mkdir -p /data/0/etc/hosts.restored-20261122T1903 && echo mine >/data/0/etc/hosts')
  await expect(restored(wish(['/etc/hosts'], { kind: 'beside' }, 3))).rejects.toMatchObject({ type: 'InvalidRequest' })
  await expect(restored(wish(['/srv'], { kind: 'folder', folder: '/data/0/back/again' }, 3))).rejects.toMatchObject({
    type: 'InvalidRequest',
  })
  expect(await inGuest('cat /data/0/etc/hosts')).toBe('mine')
  await expect(restored(wish(['/etc'], { kind: 'replace' }, 3))).rejects.toMatchObject({ type: 'InvalidRequest' })
  expect(await restored(wish(['/etc/hosts'], { kind: 'replace' }, 3))).toMatchObject({ made: ['/data/0/etc/hosts'] })
  expect(await inGuest('cat /data/0/etc/hosts')).toBe('127.0.0.1 localhost')
})

test('a name that was taken meanwhile is left alone', async () => {
  const input = wish(['/etc/hosts'], { kind: 'folder', folder: '/data/0/race' }, 4)
  const plan = await run(steps.planFilesRestore, input)
  await inGuest('mkdir -p /data/0/race && echo theirs >/data/0/race/hosts')
  await expect(run(steps.restoreFilesToGuest, { ...input, plan, stallTimeoutMs: 60_000 })).rejects.toMatchObject({
    type: 'InvalidRequest',
  })
  expect(await inGuest('cat /data/0/race/hosts')).toBe('theirs')
  await run(steps.dropStagedFiles, { ...input, staged: plan.staged })
  expect(await partials()).toBe('')
})

test('what breaks in the middle leaves nothing that looks whole, and is removed by its name alone', async () => {
  const input = wish(['/etc/hosts', '/etc/big.bin'], { kind: 'folder', folder: '/data/0/half' }, 5)
  const plan = await run(steps.planFilesRestore, input)
  breakAfter = 2 * MiB
  await expect(run(steps.restoreFilesToGuest, { ...input, plan, stallTimeoutMs: 60_000 })).rejects.toThrow()
  expect(await inGuest('ls /data/0/half')).toBe('hosts')
  expect(await partials()).toContain('.holdfast-')
  breakAfter = Infinity
  await run(steps.dropStagedFiles, { ...input, staged: plan.staged })
  expect(await partials()).toBe('')
  await expect(run(steps.dropStagedFiles, { ...input, staged: ['/data/0/half/hosts'] })).rejects.toMatchObject({
    type: 'NotOurs',
  })
  expect(await inGuest('ls /data/0/half')).toBe('hosts')
})

test('an attempt goes on after one that was killed, also between a name and its word', async () => {
  const input = wish(['/etc/hosts', '/srv/empty'], { kind: 'folder', folder: '/data/0/on' }, 6)
  const plan = await run(steps.planFilesRestore, input)
  await inGuest(
    `mkdir -p /data/0/on ${plan.staged[1]} && echo '127.0.0.1 localhost' >/data/0/on/hosts && echo half >${plan.staged[1]}/empty`,
  )
  const done = await run(
    steps.restoreFilesToGuest,
    { ...input, plan, stallTimeoutMs: 60_000 },
    { v: 1, what: 'x', quietMs: 0, index: 0, isNaming: true },
  )
  expect(done).toMatchObject({ files: 2, skippedCount: 0 })
  expect(await inGuest('ls -A /data/0/on')).toBe('empty\nhosts')
})

test('what a killed attempt has counted and left out is not forgotten, and nothing counts as compared that was not', async () => {
  const input = wish(['/etc/hosts', '/srv/empty'], { kind: 'folder', folder: '/data/0/counted' }, 9)
  const plan = await run(steps.planFilesRestore, input)
  await inGuest("mkdir -p /data/0/counted && echo '127.0.0.1 localhost' >/data/0/counted/hosts")
  const skipped = [{ path: '/etc/hosts', why: 'its owner' }]
  const done = { files: 0, folders: 0, links: 0, bytes: 0, verified: 0, skipped: [], skippedCount: 0 }
  const written = { ...done, files: 1, bytes: 20, skipped, skippedCount: 1 }
  expect(
    await run(
      steps.restoreFilesToGuest,
      { ...input, plan, stallTimeoutMs: 60_000 },
      { v: 1, what: 'x', quietMs: 0, index: 0, isNaming: true, done, written },
    ),
  ).toMatchObject({ files: 2, bytes: 20, verified: 1, skipped, skippedCount: 1 })
  await inGuest('rm -r /data/0/counted')
  const all = await run(
    steps.restoreFilesToGuest,
    { ...input, plan, stallTimeoutMs: 60_000 },
    { v: 1, what: 'x', quietMs: 0, index: 2, isNaming: false, done: { ...written, files: 2 } },
  )
  expect(all).toMatchObject({ files: 2, verified: 0, skippedCount: 1 })
})

test('a user of the guest who may change the folder has root write, own or give away nothing else', async () => {
  await inGuest(
    'mkdir -p /data/0/ada/in /data/0/secret && echo root >/data/0/secret/hosts && chown -R 1000 /data/0/ada',
  )
  const before = await inGuest('stat -c "%u %a %Y" /data/0/secret /data/0/secret/hosts')
  const input = wish(['/etc/hosts', '/srv'], { kind: 'folder', folder: '/data/0/ada/in' }, 10)
  const plan = await run(steps.planFilesRestore, input)
  // What grows does so where she may neither look nor rename.
  expect(plan.staged.every((path) => /^\/data\/0\/\.holdfast-[^/]+$/.test(path))).toBe(true)
  expect(plan.folders).toEqual(['/data/0/ada/in', '/data/0/ada/in'])
  await inGuest('mv /data/0/ada/in /data/0/ada/was && ln -s /data/0/secret /data/0/ada/in')
  await expect(run(steps.restoreFilesToGuest, { ...input, plan, stallTimeoutMs: 60_000 })).rejects.toMatchObject({
    type: 'InvalidRequest',
    message: expect.stringContaining('has changed meanwhile') as string,
  })
  expect(await inGuest('stat -c "%u %a %Y" /data/0/secret /data/0/secret/hosts')).toBe(before)
  expect(await inGuest('cat /data/0/secret/hosts; ls -A /data/0/secret /data/0/ada/was')).not.toContain('srv')
  expect(await inGuest(`stat -c "%u %a" ${plan.staged[0]}`)).toBe('0 700')
  await run(steps.dropStagedFiles, { ...input, staged: plan.staged })
  expect(await partials()).toBe('')
  // A link that has the name of the target is replaced, not followed; with and without leave to replace.
  await inGuest('rm /data/0/ada/in && mkdir /data/0/ada/etc && ln -s /data/0/secret /data/0/ada/etc/hosts')
  const over = wish(['/etc/hosts'], { kind: 'folder', folder: '/data/0/ada/etc' }, 11)
  await expect(restored(over)).rejects.toMatchObject({ type: 'InvalidRequest' })
  const real = await run(
    steps.planFilesRestore,
    wish(['/srv/empty'], { kind: 'folder', folder: '/data/0/ada/etc' }, 12),
  )
  const replaced = { ...wish(['/etc/hosts'], { kind: 'replace' }, 12), operation: input.operation }
  const forged = {
    ...real,
    targets: ['/data/0/ada/etc/hosts'],
    staged: [`/data/0/.holdfast-${replaced.operation.slice(0, 16)}-0`],
  }
  await run(steps.restoreFilesToGuest, { ...replaced, plan: forged, stallTimeoutMs: 60_000 })
  expect(await inGuest('ls -A /data/0/secret; cat /data/0/secret/hosts; cat /data/0/ada/etc/hosts')).toBe(
    'hosts\nroot\n127.0.0.1 localhost',
  )
})

test('a file system that the guest has not mounted is refused, and so is a guest that does not run', async () => {
  const [before, other] = [uuid, '0f0f0f0f-0000-4000-8000-000000000000']
  uuid = other
  await server[Symbol.asyncDispose]()
  server = await SessionServer.start(sessionSocket(join(folder, 'files'), session), served(), { now: Date.now })
  await expect(restored(wish(['/etc/hosts'], { kind: 'beside' }, 7))).rejects.toMatchObject({
    type: 'NotFound',
    message: expect.stringContaining('not mounted') as string,
  })
  uuid = before
  const gone = { ...wish(['/etc/hosts'], { kind: 'folder', folder: '/data/0/x' }, 8), vm: { ...ref, id: 'nobody' } }
  await expect(restored(gone)).rejects.toMatchObject({ type: 'NotFound' })
})
