import { createHash } from 'node:crypto'
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { MiB } from '../../base/index.ts'
import { readTail, rootsOfDisk } from '../format/index.ts'
import { loadManifest } from '../read/manifest.ts'
import { openRepositoryWith, type OpenedRepository } from '../repository.ts'
import { listAll } from '../store/index.ts'
import type { DiskReader, UnlockSecret } from '../types.ts'
import { readState, scene } from './index.ts'

// A passphrase and whole disks: on a busy machine that takes a while.
vi.setConfig({ testTimeout: 60_000 })

const { signal } = new AbortController()

async function hashDisk(disk: DiskReader): Promise<string> {
  const hash = createHash('sha256')
  const zeroes = Buffer.alloc(MiB)
  let at = 0
  const zeroTo = (end: number) => {
    for (; at < end; at += Math.min(MiB, end - at)) hash.update(zeroes.subarray(0, Math.min(MiB, end - at)))
  }
  for await (const { offset, data } of disk.stream(0, disk.info.bytes, signal)) {
    zeroTo(offset)
    hash.update(data)
    at = offset + data.length
  }
  zeroTo(disk.info.bytes)
  return hash.digest('hex')
}

/** What every version must read of a golden repository, for ever. `version`: its folder. */
export function goldenSuite(version: string): void {
  const golden = new URL(`./${version}/`, import.meta.url).pathname
  const secrets = readFileSync(join(golden, 'secrets.txt'), 'utf8')
  const secretOf = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(secrets)?.[1] ?? ''
  const passphrase: UnlockSecret = { kind: 'passphrase', passphrase: secretOf('passphrase') }
  const recovery: UnlockSecret = { kind: 'recovery', text: secretOf('recovery key') }
  const expected = JSON.parse(readFileSync(join(golden, 'expected.json'), 'utf8')) as {
    id: string
    points: { stem: string; disks: { [id: string]: string }; configs: { [name: string]: string } }[]
  }

  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'golden-'))
    // A copy: what is committed is never written to.
    cpSync(join(golden, 'repository'), join(folder, 'repository'), { recursive: true })
  })
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true })
  })

  const warnings: string[] = []
  const open = (secret: UnlockSecret): Promise<OpenedRepository> =>
    openRepositoryWith(
      { location: { kind: 'posix', path: join(folder, 'repository') }, secret, cacheDir: join(folder, 'cache') },
      { warn: (message) => warnings.push(message) },
    )

  test('every disk and configuration of every point is what it was', async () => {
    await using repository = await open(passphrase)
    expect(repository.id).toBe(expected.id)
    const found: string[] = []
    for await (const { stem, state } of repository.listPoints()) {
      expect(state).toBe('recovery-point')
      found.push(stem)
    }
    expect(found.sort()).toEqual(expected.points.map(({ stem }) => stem).sort())
    for (const { stem, disks, configs } of expected.points) {
      await using point = await repository.openPoint(stem)
      expect(point.info.vm).toEqual(scene.vm)
      for (const [id, sha256] of Object.entries(disks)) expect(await hashDisk(point.disk(id))).toBe(sha256)
      expect(point.info.configs.map(({ name }) => name).sort()).toEqual(Object.keys(configs).sort())
      for (const [name, sha256] of Object.entries(configs)) {
        const hash = createHash('sha256')
        for await (const piece of point.config(name)) hash.update(piece)
        expect(hash.digest('hex')).toBe(sha256)
      }
    }
  })

  test('both of its secrets open the same keys', async () => {
    await using one = await open(passphrase)
    await using two = await open(recovery)
    expect(one.engine.ring.content).toEqual(two.engine.ring.content)
    await expect(open({ kind: 'passphrase', passphrase: 'another' })).rejects.toMatchObject({ code: 'WrongSecret' })
  })

  test('any range of it is read at random, across chunks, pages and holes', async () => {
    await using repository = await open(recovery)
    for (const [index, { stem }] of expected.points.entries()) {
      await using point = await repository.openPoint(stem)
      for (const [id, state] of Object.entries(scene.points[index]?.disks ?? {})) {
        const ranges = [
          [0, 512],
          [MiB - 7, 20],
          [5 * MiB - 512, 1024],
          [state.bytes - 700, 700],
          [Math.max(0, state.bytes - 2 * MiB), 2 * MiB],
          [1024 * MiB - 512, 1024],
        ] as const
        for (const [at, length] of ranges.filter(([from, size]) => from + size <= state.bytes)) {
          const into = Buffer.alloc(length, 0xee)
          const wanted = Buffer.alloc(length)
          await point.disk(id).read(at, into, signal)
          readState(state, at, wanted)
          expect(into.equals(wanted)).toBe(true)
        }
      }
    }
  })

  test('a full verify finds nothing', async () => {
    await using repository = await open(recovery)
    const report = await repository.verify({ level: 'full', signal, onProgress: () => undefined })
    expect(report).toMatchObject({ points: 2, damages: [], notes: [] })
    expect(warnings).toEqual([])
  })

  test('it holds every kind of page, entry and blob', async () => {
    await using repository = await open(recovery)
    const { store, ring, blobs } = repository.engine
    const kinds = new Set<string>()
    for (const { stem } of expected.points) {
      const manifest = await loadManifest(store, ring, stem, signal)
      for (const disk of manifest?.body.json.disks ?? []) {
        for (const [pageNo, root] of manifest === undefined ? [] : rootsOfDisk(manifest.body, disk).entries()) {
          kinds.add(`page ${root.kind}`)
          if (root.kind !== 'page') continue
          const page = await blobs.page(root, pageNo, disk.bytes)
          for (const entry of page.entries) kinds.add(`entry ${entry.kind}`)
        }
      }
    }
    for (const { name, size } of await listAll(store, 'pack/')) {
      const bytes = await store.get(name, 128 * MiB, signal)
      for (const { type, comp } of readTail(bytes, size).entries) kinds.add(`blob ${type} comp ${comp}`)
    }
    expect([...kinds].sort()).toEqual([
      'blob 1 comp 0',
      'blob 1 comp 1',
      'blob 2 comp 0',
      'blob 3 comp 0',
      'entry chunk',
      'entry unallocated',
      'entry zero',
      'page page',
      'page zero',
    ])
  })

  const texts = [...secrets.matchAll(/^share: (.*)$/gm)].map(([, text = '']) => text)
  if (texts.length > 0) {
    test('shares and the escrow key open the same keys, and old data keys are kept', async () => {
      await using one = await open(recovery)
      for (const secret of [
        { kind: 'shares', texts: texts.slice(1) },
        { kind: 'escrow', text: secretOf('escrow key') },
      ] as const) {
        await using other = await open(secret)
        expect(other.engine.ring.content).toEqual(one.engine.ring.content)
      }
      const types = one.engine.ring.content.keys.map(({ type }) => type)
      expect(types.sort()).toEqual(['DEK', 'DEK', 'IDK', 'MDK', 'MDK', 'MK', 'MK', 'SIG', 'SIG'])
    })
  }
}
