import { spawn } from 'node:child_process'
import {
  createReadStream,
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { HoldfastError } from '../../base/index.ts'
import { openCatalog, type Catalog } from '../../catalog/index.ts'
import { aPoint, aRun, pointIdOf } from '../../catalog/testing.ts'
import {
  catalogParts,
  catalogVm,
  createRepository,
  mirrorRepository,
  openRepository,
  type PointEntry,
  type Repository,
} from '../../repository/index.ts'
import { homeOf, makeHome } from '../config.ts'
import { takePlace } from '../place.ts'
import { rebuild, type RebuildOptions, type RebuildReport } from './index.ts'
import { reconcile } from './reconcile.ts'

const passphrase = 'correct horse battery staple'
const installation = 'ab'.repeat(16)
const scope = '11111111-2222-3333-4444-555555555555'
const main = fileURLToPath(new URL('../../cli/main.ts', import.meta.url))
const { signal } = new AbortController()
const id32 = (): string => randomBytes(16).toString('hex')

/** A repository with two points of two VMs, made once; each test has a copy. */
let base: string
let recoveryKey: string
let folder: string
let baseStems: string[]
beforeAll(async () => {
  base = mkdtempSync(join(tmpdir(), 'holdfast-rebuild-base-'))
  const location = { kind: 'posix', path: join(base, 'repo') } as const
  ;({ recoveryKey } = await createRepository({ location, passphrase, argon2: { m: 19_456, t: 2, p: 1 } }))
  baseStems = await opened(base, async (repository) => [
    await putPoint(repository, 'web', 1_790_000_000_000),
    await putPoint(repository, 'db', 1_790_000_100_000),
  ])
})
afterAll(() => rmSync(base, { recursive: true, force: true }))
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-rebuild-'))
  cpSync(join(base, 'repo'), join(folder, 'repo'), { recursive: true })
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const home = (): string => join(folder, 'home')
const repositoryPath = (): string => join(folder, 'repo')
const snapOf = (stem: string): string => stem.slice(-32)

async function opened<T>(at: string, work: (repository: Repository) => Promise<T>): Promise<T> {
  const location = { kind: 'posix', path: join(at, 'repo') } as const
  const secret = { kind: 'passphrase', passphrase } as const
  await using repository = await openRepository({ location, secret, cacheDir: join(at, 'cache'), threads: 1 })
  return await work(repository)
}

/** A point of one disk of one MiB, all zero but for a configuration. */
async function putPoint(repository: Repository, vm: string, createdMs: number): Promise<string> {
  const session = id32()
  const bytes = 1024 * 1024
  await repository.openSession(
    {
      session,
      snap: id32(),
      series: repository.series({ platform: 'image', scope, vm }),
      createdMs,
      parentStem: null,
      owner: installation,
      parts: [{ part: 1, disk: 'disk0', firstPage: 0, nPages: 1 }],
      point: null,
    },
    signal,
  )
  const source = {
    size: bytes,
    readable: 'all' as const,
    maxInFlight: 1,
    extents: async function* (start: number, end: number) {
      yield { offset: start, length: end - start, kind: 'data' as const }
    },
    read: async (at: number, into: Uint8Array) => void into.fill((at / 1024) % 251 || 7),
  }
  await repository.copyPart({
    session,
    part: 1,
    attempt: 1,
    diskBytes: bytes,
    source,
    mode: 'full',
    signal,
    onProgress: () => undefined,
  })
  const { stem } = await repository.commit({
    session,
    attempt: 1,
    results: [{ part: 1, attempt: 1 }],
    vm: { id: vm, name: vm, platform: 'image', scope, tags: ['lab'] },
    point: { origin: 'manual', startedMs: createdMs, run: `backup/${vm}` },
    consistency: { level: 'crash', detail: '{"freezeDurationMs":12}' },
    hypervisor: { platform: 'image', version: '1', host: 'h' },
    disks: [{ id: 'disk0', label: 'disk0', bytes, sectorSize: 512, changeRef: null, mode: 'full', why: 'no-parent' }],
    configs: [],
    retention: { class: 'critical', policy: '' },
    signal,
    onProgress: () => undefined,
  })
  await repository.endSession(session, 'committed')
  return stem
}

/** As the workflow does it. */
async function putCatalog(
  repository: Repository,
  catalog: Catalog,
  createdMs: number,
  of = installation,
): Promise<string> {
  const path = join(folder, 'copy.db')
  const copy = await catalog.own.copyTo(path, { onProgress: () => undefined })
  const session = id32()
  await repository.openSession(
    {
      session,
      snap: id32(),
      series: repository.series(catalogVm(of)),
      createdMs,
      parentStem: null,
      owner: of,
      parts: [],
      point: null,
    },
    signal,
  )
  const { stem } = await repository.commit({
    session,
    attempt: 1,
    results: [],
    vm: { id: 'catalog', name: 'Catalog of test', platform: 'holdfast', scope: of, tags: [] },
    point: { origin: 'catalog', startedMs: createdMs, run: 'housekeeping/own-backup/main' },
    consistency: { level: 'application', detail: JSON.stringify({ schema: copy.schema, repositoryId: 'main' }) },
    hypervisor: { platform: 'holdfast', version: '', host: 'h' },
    disks: [],
    configs: catalogParts(copy.bytes, createReadStream(path)),
    retention: { class: '', policy: 'own-backup' },
    signal,
    onProgress: () => undefined,
  })
  await repository.endSession(session, 'committed')
  return stem
}

/** The installation as it was: one hypervisor, VM web with its point and one that is gone by now, a run with its history. */
async function lived(): Promise<Catalog> {
  const catalog = openCatalog({ path: join(folder, 'old.db') })
  catalog.installation.adopt(installation, 'old-host')
  const options = { scope }
  catalog.endpoints.add({
    name: 'files',
    platform: 'image',
    address: '/srv/vms',
    site: 'local',
    credentialRef: 'file:/srv/none',
    options,
  })
  const facts = { power: 'stopped', tags: [], disks: [], guest: { agent: 'absent', os: null } } as const
  catalog.vms.recordDiscovered('files', 'l', [
    { vm: { scope, id: 'web', name: 'web' }, ...facts, foreignSnapshots: 0, owner: null, findings: [] },
  ])
  catalog.repositories.add({
    name: 'main',
    site: 'local',
    location: { kind: 'posix', path: '/mnt/where/it/was' },
    credentialRef: 'file:/home/old/secrets/repository-main',
  })
  catalog.sites.put('lyon', {})
  catalog.alerts.putChannel({
    ...{ name: 'on-call', kind: 'slack', url: null, mail: null, chat: null, allowPrivate: false, enabled: true },
    credentialRef: 'file:/home/old/secrets/slack',
    route: { severity: 'warning', tags: [], quiet: null, digestAt: null, timeZone: 'UTC' },
  })
  const [stem = ''] = baseStems
  catalog.points.record(aPoint(1, { id: snapOf(stem), stem, vmId: 'web', createdMs: 1_790_000_000_000 }))
  catalog.points.record(aPoint(2, { vmId: 'web' }))
  catalog.runs.started(aRun(1, { vmId: 'web', workflowId: 'backup/web' }))
  catalog.runs.observe('run-1', { state: 'completed', endedMs: 1_790_000_000_900 })
  await catalog.histories.archive({ runId: 'run-1', workflowId: 'backup/web', eventCount: 1 }, '{"events":[1]}')
  return catalog
}

const run = (over: Partial<RebuildOptions> = {}) =>
  rebuild({
    env: { HOLDFAST_HOME: home() },
    locations: [{ kind: 'posix', path: repositoryPath() }],
    secret: { kind: 'recovery', text: recoveryKey },
    dryRun: false,
    reconcile: false,
    now: () => 1_791_000_000_000,
    signal,
    onProgress: () => undefined,
    ...over,
  })

test('everything comes back from the repository and one key, and is compared with what is really there', async () => {
  using old = await lived()
  const stem = await opened(folder, (repository) => putCatalog(repository, old, 1_790_000_200_000))
  const report = await run()
  expect(report).toMatchObject({
    catalog: { stem, installation, createdMs: 1_790_000_200_000 },
    installation: { uuid: installation, name: 'old-host' },
    skipped: [],
    reconciled: [{ repositoryId: 'main', added: 1, gone: 1, back: 0, unreadable: 0, newVms: 1, newHypervisors: [] }],
    notLookedAt: [],
    withoutAddress: [],
    withoutToken: ['lyon'],
  })
  expect(report.missing.map(({ kind, id }) => [kind, id])).toEqual([
    ['channel', 'on-call'],
    ['hypervisor', 'files'],
    ['repository', 'main'],
  ])
  expect(report.missing[0]?.command).toBe('install -D -m 600 /dev/stdin /home/old/secrets/slack')
  expect(report.missing[2]?.command).toContain(`holdfast repo key add ${repositoryPath()} --type passphrase`)
  expect(JSON.parse(readFileSync(join(home(), 'installation.json'), 'utf8'))).toMatchObject({ uuid: installation })
  using back = openCatalog({ path: join(home(), 'catalog.db') })
  expect(back.integrity()).toBe('ok')
  expect(back.endpoints.get('files')).toMatchObject({ address: '/srv/vms', vms: 2 })
  expect(back.points.list({ limit: 9 }).items.map(({ vmId, validatedMs }) => [vmId, validatedMs !== null])).toEqual([
    ['db', true],
    ['web', true],
  ])
  expect(back.points.get(pointIdOf(2))).toMatchObject({ goneMs: 1_791_000_000_000, validatedMs: null })
  expect(await back.histories.read('run-1')).toBe('{"events":[1]}')
  expect(back.repositories.get('main').location).toEqual({ kind: 'posix', path: repositoryPath() })
  expect(back.own.backup('main').madeMs).toBeNull()
})

test('a store that the catalog knows under two names is the one that says so; two places of it are looked at once', async () => {
  using old = await lived()
  const stem = await opened(folder, (repository) => {
    const location = { kind: 'posix', path: '/mnt/twin' } as const
    old.repositories.add({ name: 'twin', site: 'local', location, credentialRef: 'file:/srv/none' })
    old.repositories.identify('twin', repository.id)
    return putCatalog(repository, old, 1_790_000_200_000)
  })
  symlinkSync(repositoryPath(), join(folder, 'alias'))
  const report = await run({
    locations: [
      { kind: 'posix', path: repositoryPath() },
      { kind: 'posix', path: join(folder, 'alias') },
    ],
  })
  expect(report).toMatchObject({ catalog: { stem }, reconciled: [{ repositoryId: 'twin' }], notLookedAt: ['main'] })
  expect(report.reconciled).toHaveLength(1)
})

test('a point that lies in two repositories is one point with two copies, each with the name that it has there', async () => {
  const other = { kind: 'posix', path: join(folder, 'mirror') } as const
  await createRepository({ location: other, passphrase, argon2: { m: 19_456, t: 2, p: 1 } })
  const secret = { kind: 'passphrase', passphrase } as const
  const [web = '', db = ''] = baseStems
  let fresh = ''
  await opened(folder, async (from) => {
    await using to = await openRepository({ location: other, secret, cacheDir: join(folder, 'there'), threads: 1 })
    const mirror = (points: readonly string[]) =>
      mirrorRepository(from, to, { points, signal, onProgress: () => undefined })
    // The newest of a VM is removed by nobody.
    await mirror([web, db, await putPoint(from, 'web', 1_790_000_300_000)])
    const { tombstoned } = await to.prune({
      remove: [{ stem: web }],
      reason: 'operator',
      actor: 'ann',
      maxShare: 1,
      signal,
    })
    expect(tombstoned).toEqual([web])
    const { points } = await mirror([web])
    fresh = points[0]?.target ?? ''
  })
  expect(fresh.slice(-32)).not.toBe(snapOf(web))
  const locations = [{ kind: 'posix', path: repositoryPath() } as const, other]
  const report = await run({ locations, secret, installation: 'cd'.repeat(16) })
  expect(report.reconciled.map(({ added, unreadable }) => [added, unreadable])).toEqual([
    [3, 0],
    [3, 0],
  ])
  const again = await run({ locations, secret, reconcile: true })
  expect(again.reconciled.map(({ added, gone, back }) => [added, gone, back])).toEqual([
    [0, 0, 0],
    [0, 0, 0],
  ])
  using back = openCatalog({ path: join(home(), 'catalog.db') })
  expect(back.points.list({ limit: 9 }).total).toBe(3)
  expect(back.copies.of(snapOf(web))).toMatchObject([
    { repositoryId: 'repo', sourceId: null, stem: web, state: 'done' },
    { repositoryId: 'mirror', sourceId: 'repo', stem: fresh, state: 'done' },
  ])
  expect(back.copies.of(snapOf(db))).toMatchObject([{ stem: db }, { sourceId: 'repo', stem: db }])
})

test('a passphrase that opened the repository is kept for its workers, for their eyes alone', async () => {
  using old = await lived()
  await opened(folder, (repository) => putCatalog(repository, old, 1_790_000_200_000))
  const { missing } = await run({ secret: { kind: 'passphrase', passphrase } })
  expect(missing.map(({ id }) => id)).toEqual(['on-call', 'files'])
  const path = join(home(), 'secrets', 'repository-main')
  expect(readFileSync(path, 'utf8')).toBe(`${passphrase}\n`)
  expect(statSync(path).mode & 0o777).toBe(0o600)
  using back = openCatalog({ path: join(home(), 'catalog.db') })
  expect(back.repositories.get('main').credentialRef).toBe(`file:${path}`)
})

test('without any catalog points and VMs come from manifests alone, and what only a person knows is said', async () => {
  const report = await run({ installation: 'cd'.repeat(16) })
  expect(report).toMatchObject({
    catalog: null,
    installation: { uuid: 'cd'.repeat(16) },
    reconciled: [{ added: 2, gone: 0, newVms: 2, newHypervisors: ['image-11111111'] }],
    withoutAddress: ['image-11111111'],
  })
  using back = openCatalog({ path: join(home(), 'catalog.db') })
  expect(back.endpoints.get('image-11111111').options).toEqual({ scope })
  expect(back.vms.get('web')).toMatchObject({ externalId: 'web', scope, tags: ['lab'], category: 'critical' })
  expect(back.points.newestValidated('web')).toMatchObject({ freezeDurationMs: 12, origin: 'manual', mode: 'full' })
})

test('a dry run says the same and changes nothing', async () => {
  using old = await lived()
  await opened(folder, (repository) => putCatalog(repository, old, 1_790_000_200_000))
  const before = readdirSync(repositoryPath(), { recursive: true }).sort()
  const dry = await run({ dryRun: true })
  expect(existsSync(home())).toBe(false)
  const real = await run()
  expect({ ...dry, tookMs: 0, dryRun: false }).toEqual({ ...real, tookMs: 0 })
  expect(readdirSync(repositoryPath(), { recursive: true }).sort()).toEqual(before)
})

test('a newest version that is damaged is said, and the one before it is used', async () => {
  using old = await lived()
  const first = await opened(folder, (repository) => putCatalog(repository, old, 1_790_000_200_000))
  const packs = (): string[] =>
    readdirSync(join(repositoryPath(), 'pack'), { recursive: true, encoding: 'utf8' }).filter(
      (name) => name.length > 60,
    )
  const before = new Set(packs())
  old.runs.started(aRun(9))
  const second = await opened(folder, (repository) => putCatalog(repository, old, 1_790_000_300_000))
  for (const name of packs().filter((one) => !before.has(one))) rmSync(join(repositoryPath(), 'pack', name))
  const report = await run()
  expect(report.catalog?.stem).toBe(first)
  expect(report.skipped.map(({ stem }) => stem)).toEqual([second])
})

test('catalogs of two installations are not guessed between', async () => {
  using old = await lived()
  await opened(folder, (repository) => putCatalog(repository, old, 1_790_000_200_000))
  old.installation.adopt('ef'.repeat(16), 'other')
  await opened(folder, (repository) => putCatalog(repository, old, 1_790_000_300_000, 'ef'.repeat(16)))
  await expect(run()).rejects.toMatchObject({
    code: 'InvalidRequest',
    hint: expect.stringContaining(installation) as string,
  })
  expect(existsSync(join(home(), 'catalog.db'))).toBe(false)
  await expect(run({ installation: '00'.repeat(16) })).rejects.toMatchObject({ code: 'NotFound' })
  expect((await run({ installation })).installation.uuid).toBe(installation)
})

test('a home with a catalog is never written over; it can be compared, dry and for good', async () => {
  await run({ installation })
  await expect(run()).rejects.toMatchObject({
    code: 'ConfigInvalid',
    hint: expect.stringContaining('--reconcile') as string,
  })
  const stem = await opened(folder, (repository) => putPoint(repository, 'new', 1_790_000_900_000))
  const dry = await run({ reconcile: true, dryRun: true })
  expect(dry.reconciled).toMatchObject([{ added: 1, gone: 0 }])
  {
    using catalog = openCatalog({ path: join(home(), 'catalog.db') })
    expect(catalog.points.find(snapOf(stem))).toBeUndefined()
  }
  expect((await run({ reconcile: true })).reconciled).toMatchObject([{ added: 1, gone: 0 }])
  expect((await run({ reconcile: true })).reconciled).toMatchObject([{ added: 0, gone: 0 }])
  rmSync(join(home(), 'catalog.db'))
  await expect(run({ reconcile: true })).rejects.toMatchObject({ code: 'ConfigInvalid' })
})

test('a point that cannot be read is neither there nor gone, and a listing that breaks off marks nothing', async () => {
  using old = await lived()
  const [stem = ''] = baseStems
  const look = (
    repository: Repository,
    change: (entry: PointEntry) => PointEntry,
  ): Promise<Pick<RebuildReport['reconciled'][number], 'added' | 'gone' | 'unreadable'>> => {
    const listPoints = async function* (...args: Parameters<Repository['listPoints']>) {
      for await (const entry of repository.listPoints(...args)) yield change(entry)
    }
    const seen = new Proxy(repository, {
      get: (target, name) => {
        if (name === 'listPoints') return listPoints
        const member: unknown = Reflect.get(target, name, target)
        return typeof member === 'function' ? (member.bind(target) as unknown) : member
      },
    })
    return reconcile(old, seen, 'main', { now: () => 5, signal, onProgress: () => undefined })
  }
  await opened(folder, async (repository) => {
    const broken = (): never => {
      throw new HoldfastError('StoreUnavailable', 'the store does not answer')
    }
    await expect(look(repository, broken)).rejects.toMatchObject({ code: 'StoreUnavailable' })
    expect(old.points.get(snapOf(stem)).goneMs).toBeNull()
    const unreadable = await look(repository, (entry) =>
      entry.stem === stem ? { ...entry, state: 'unreadable', validatedMs: null } : entry,
    )
    expect(unreadable).toMatchObject({ unreadable: 1, gone: 1 })
    expect(old.points.get(snapOf(stem))).toMatchObject({ goneMs: null })
    const tombstoned = await look(repository, (entry) =>
      entry.stem === stem ? { ...entry, state: 'tombstoned' } : entry,
    )
    expect(tombstoned).toMatchObject({ unreadable: 0, gone: 1 })
    expect(old.points.get(snapOf(stem)).validatedMs).toBeNull()
    expect(await look(repository, (entry) => entry)).toMatchObject({ back: 1, gone: 0 })
    expect(old.points.get(snapOf(stem)).validatedMs).not.toBeNull()
  })
})

test('beside a server that runs nothing is touched', async () => {
  const at = homeOf({ HOLDFAST_HOME: home() })
  makeHome(at)
  using _server = await takePlace(at, 'server')
  await expect(run()).rejects.toMatchObject({ code: 'AlreadyRunning' })
})

test('killed at each of its stages, it is started again and finishes', async () => {
  using old = await lived()
  await opened(folder, (repository) => putCatalog(repository, old, 1_790_000_200_000))
  const key = join(folder, 'key')
  writeFileSync(key, `${recoveryKey}\n`, { mode: 0o600 })
  const args = ['--disable-warning=ExperimentalWarning', main, 'rebuild', '--repository', repositoryPath()]
  const attempt = async (
    killWhen: ((said: string) => boolean) | null,
  ): Promise<{ code: number | null; out: string }> => {
    const child = spawn(process.execPath, [...args, '--recovery-key-file', key, '--json'], {
      env: { ...process.env, HOLDFAST_HOME: home() },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let out = ''
    let said = ''
    child.stdout.on('data', (piece: Buffer) => (out += piece.toString()))
    child.stderr.on('data', (piece: Buffer) => (said += piece.toString()))
    const looking = setInterval(() => void (killWhen?.(said) === true && child.kill('SIGKILL')), 1)
    const code = await new Promise<number | null>((resolve) => child.once('exit', resolve))
    clearInterval(looking)
    return { code, out }
  }
  const stages: ((said: string) => boolean)[] = [
    (said) => said.includes('opening'),
    (said) => said.includes('looking for a catalog'),
    () => existsSync(join(home(), 'catalog.db.rebuilding')),
    (said) => said.includes('points looked at'),
  ]
  for (const stage of stages) {
    const { code } = await attempt(stage)
    // Whoever was killed has not finished, and nothing that looks finished is there.
    expect([code, existsSync(join(home(), 'catalog.db'))]).toEqual([null, false])
  }
  const { code, out } = await attempt(null)
  expect(code).toBe(3)
  expect(JSON.parse(out)).toMatchObject({ reconciled: [{ added: 1, gone: 1 }] })
  using back = openCatalog({ path: join(home(), 'catalog.db') })
  expect(back.integrity()).toBe('ok')
  expect(back.points.countAll()).toBe(2)
  expect(readdirSync(home()).filter((name) => name.includes('rebuilding'))).toEqual([])
})
