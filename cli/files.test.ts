import { mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { HoldfastError } from '../base/index.ts'
import { bench, type Bench } from '../api/testing/bench.ts'
import { aPoint } from '../catalog/testing.ts'
import type { FileGateway, Question } from '../files/types.ts'
import { ran, type Ran } from './testing.ts'

const session = 'b'.repeat(32)
const entry = {
  ...{ name: 'hostname', path: '/etc/hostname', kind: 'file', size: 5, mode: 0o4755, uid: 1000, gid: 7 },
  ...{ modifiedMs: 1_700_000_000_000, target: null },
} as const
const volume = {
  ...{ id: 'd0p1', kind: 'partition', state: 'files', disk: 'virtio0', size: 1_048_576, fileSystem: 'ext4' },
  ...{ label: 'root', uuid: null, isJournalReplayed: false, error: null },
} as const

let here: Bench
let dir: string
let asked: Question[]
/** How often the point is not open yet. */
let early: number
let breaksAfter: number
let bytes: Buffer
let whileItComes: () => void
beforeEach(() => {
  ;[asked, early, breaksAfter, bytes] = [[], 0, Infinity, Buffer.from('hello')]
  whileItComes = () => undefined
  dir = mkdtempSync(join(tmpdir(), 'hf-cli-files-'))
  const answers = {
    volumes: [volume],
    stat: entry,
    list: { items: [entry], next: null, total: 1, isComplete: true },
    search: { items: [entry], lookedAt: 1, isComplete: true, unreadable: 0 },
  }
  const files: FileGateway = {
    sandbox: () => Promise.resolve({ user: 'own', isApart: false, whyNot: 'Operation not permitted' }),
    ask: async (_id, question: Question) => {
      asked.push(question)
      early -= 1
      if (early >= 0) throw new HoldfastError('NoWorker', 'the point is not open on this machine now')
      return answers[question.what as keyof typeof answers] as never
    },
    stream: async (_id, question) => {
      asked.push(question)
      const body = async function* (): AsyncGenerator<Uint8Array> {
        whileItComes()
        yield bytes.subarray(0, breaksAfter)
        if (breaksAfter < bytes.length) throw new Error('cut')
      }
      return { size: null, body: body(), cut: new AbortController().signal }
    },
  }
  here = bench({ files, vms: ['web-01'] })
  here.catalog.points.record(aPoint(1))
})
afterEach(() => {
  here[Symbol.dispose]()
  rmSync(dir, { recursive: true })
})

const holdfast = (...argv: string[]): Promise<Ran> => ran(here, argv)

test('open waits until the point is open, and says what it has', async () => {
  early = 3
  const { code, out } = await holdfast('files', 'open', 'web-01')
  expect(code).toBe(0)
  expect(out).toMatch(/d0p1 +virtio0 +1\.0 MiB +ext4 +root +files; its journal is not replayed/)
  expect(asked).toHaveLength(4)
})

test('a folder is shown as ls does', async () => {
  const { out } = await holdfast('files', 'ls', session, 'd0p1:/etc')
  expect(out).toBe('-rwsr-xr-x 1000:7             5 B 2023-11-14 22:13:20Z hostname\n')
  expect(asked[0]).toMatchObject({ what: 'list', volume: 'd0p1', path: '/etc' })
  expect(await holdfast('files', 'ls', session, '/etc')).toMatchObject({ code: 2 })
})

test('a disk is exported as the ending of the file says, whole or not at all, and the point is closed', async () => {
  const file = join(dir, 'disk.qcow2')
  const take = (...more: string[]): Promise<Ran> => holdfast('point', 'export', 'web-01', 'latest', ...more)
  const { code, out } = await take(file, '--disk', 'virtio0')
  expect([code, readFileSync(file, 'utf8'), out]).toEqual([0, 'hello', expect.stringContaining('5 B of qcow2')])
  expect(asked.at(-1)).toMatchObject({ what: 'image', format: 'qcow2' })
  expect(here.engine.started[0]?.input).toMatchObject({ view: 'disks', disks: ['virtio0'] })
  expect(here.engine.started).toHaveLength(1)
  // Closed: the next one is a session of its own.
  expect(await take(file, '--disk', 'virtio0')).toMatchObject({ code: 5 })
  expect(await take(join(dir, 'z'))).toMatchObject({ code: 2 })
  expect(await take(join(dir, 'z'), '--disk', 'sdz')).toMatchObject({ code: 4 })
  breaksAfter = 2
  const cut = await take(join(dir, 'y.raw'), '--disk', 'virtio0', '--format', 'vmdk')
  expect([cut.code, cut.err]).toEqual([1, expect.stringContaining('cut off')])
  expect(asked.at(-1)).toMatchObject({ format: 'vmdk' })
  expect(readdirSync(dir)).toEqual(['disk.qcow2'])
})

test('files go back into the guest beside what is there, unless something else is said', async () => {
  await holdfast('files', 'open', 'web-01')
  const restore = (...more: string[]): Promise<Ran> =>
    holdfast('files', 'restore', 'web-01', 'd0p1:/etc/hosts', ...more)
  expect(await restore('d0p1:/srv')).toMatchObject({
    code: 0,
    out: expect.stringContaining('Started restore/files/') as string,
  })
  expect(here.engine.started.at(-1)?.input).toMatchObject({ paths: ['/etc/hosts', '/srv'], place: { kind: 'beside' } })
  expect((await restore('--to', '/srv/back')).code).toBe(0)
  expect(here.engine.started.at(-1)?.input).toMatchObject({ place: { kind: 'folder', folder: '/srv/back' } })
  expect((await restore('--replace')).code).toBe(2)
  expect((await restore('--replace', '--confirm', 'web-01')).code).toBe(0)
  expect((await restore('--replace', '--to', '/x')).code).toBe(2)
  expect((await restore('d0p2:/x')).code).toBe(2)
})

test('a download takes nobody’s file away: neither a part that lies there, nor one that is made while it comes', async () => {
  const file = join(dir, 'x')
  writeFileSync(`${file}.part`, 'theirs')
  expect((await holdfast('files', 'get', session, 'd0p1:/x', '-o', file)).code).toBe(0)
  breaksAfter = 2
  expect((await holdfast('files', 'get', session, 'd0p1:/x', '-o', join(dir, 'y'))).code).not.toBe(0)
  breaksAfter = Infinity
  expect(readdirSync(dir).toSorted()).toEqual(['x', 'x.part'])
  expect(readFileSync(`${file}.part`, 'utf8')).toBe('theirs')
  symlinkSync(join(dir, 'nowhere'), join(dir, 'link'))
  expect((await holdfast('files', 'get', session, 'd0p1:/x', '-o', join(dir, 'link'))).err).toContain('exists already')
  whileItComes = () => writeFileSync(join(dir, 'late'), 'theirs')
  expect((await holdfast('files', 'get', session, 'd0p1:/x', '-o', join(dir, 'late'))).err).toContain('exists already')
  expect(readFileSync(join(dir, 'late'), 'utf8')).toBe('theirs')
  expect(readdirSync(dir).toSorted()).toEqual(['late', 'link', 'x', 'x.part'])
})

test('a download is a new file, whole or not at all', async () => {
  const file = join(dir, 'x')
  expect((await holdfast('files', 'get', session, 'd0p1:/etc/hostname', '-o', file)).code).toBe(0)
  expect(readFileSync(file, 'utf8')).toBe('hello')

  writeFileSync(file, 'mine')
  expect((await holdfast('files', 'get', session, 'd0p1:/x', '-o', file)).err).toContain('exists already')
  expect(readFileSync(file, 'utf8')).toBe('mine')

  breaksAfter = 2
  const cut = await holdfast('files', 'get', session, 'd0p1:/x', '-o', join(dir, 'cut'))
  expect(cut.code).not.toBe(0)
  expect(readdirSync(dir)).toEqual(['x'])
})

test('of two points of one VM that are open neither is guessed', async () => {
  const open = async (): Promise<string> => {
    await holdfast('files', 'open', 'web-01')
    await here.deps.live.tick()
    return here.engine.started.at(-1)?.workflowId ?? ''
  }
  const first = await open()
  expect((await holdfast('files', 'ls', 'web-01', 'd0p1:/')).code).toBe(0)
  await open()
  const refused = await holdfast('files', 'ls', 'web-01', 'd0p1:/')
  expect(refused.code).toBe(2)
  expect(refused.err).toContain(first.replace('files/', ''))
})

test('an archive that is not whole ends with a failure, and is kept', async () => {
  bytes = Buffer.concat([Buffer.alloc(9_000), Buffer.from('HOLDFAST-UNREADABLE.txt\0'), Buffer.alloc(100)])
  const file = join(dir, 'a.tar')
  const { code, err } = await holdfast('files', 'tar', session, 'd0p1:/etc', 'd0p1:/var', '-o', file)
  expect(code).toBe(1)
  expect(err).toContain('not whole')
  expect(readFileSync(file).equals(bytes)).toBe(true)
  expect(asked).toMatchObject([{ what: 'archive', volume: 'd0p1', paths: ['/etc', '/var'] }])
  expect((await holdfast('files', 'tar', session, 'd0p1:/a', 'd0p2:/b', '-o', join(dir, 'b'))).err).toContain(
    'one volume',
  )
})
