/**
 * The rescue reader (rescue/rescue.py), which knows the format from its specification alone, against what this
 * implementation wrote: the golden repositories, whole, damaged and rearranged (docs/repository-format.md §17, §18).
 */
import { spawnSync } from 'node:child_process'
import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { cpSync, existsSync, mkdtempSync, openSync, readFileSync, readSync, readdirSync, rmSync } from 'node:fs'
import { closeSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { MiB } from '../../base/index.ts'
import {
  abandonKind,
  canonicalJson,
  decodePackHeader,
  encodePackHeader,
  encodePackTail,
  readTail,
  tombstoneKind,
  without,
} from '../../repository/format/index.ts'
import { expectedOf, readState, scene, type DiskState } from '../../repository/golden/index.ts'
import { encodeSlot, protectJson, signFeat, slotKeyOf, type KeyRing } from '../../repository/keys/index.ts'
import { openRepositoryWith } from '../../repository/repository.ts'
import { findPython, rescue, RescueServer, type Outcome } from './rescue-server.ts'

const combiner = new URL('../../rescue/combine.py', import.meta.url).pathname
const golden = new URL('../../repository/golden/', import.meta.url).pathname
const python = findPython()

interface Golden {
  readonly repository: string
  readonly passphrase: string
  readonly recovery: string
  readonly points: readonly {
    stem: string
    disks: { [id: string]: string }
    configs: { [name: string]: string }
  }[]
}

function goldenOf(version: string): Golden {
  const at = join(golden, version)
  const secrets = readFileSync(join(at, 'secrets.txt'), 'utf8')
  const secret = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(secrets)?.[1] ?? ''
  const { points } = JSON.parse(readFileSync(join(at, 'expected.json'), 'utf8')) as Pick<Golden, 'points'>
  return {
    repository: join(at, 'repository'),
    passphrase: secret('passphrase'),
    recovery: secret('recovery key'),
    points,
  }
}

const r1 = goldenOf('r1-v1')
const [older, newer] = r1.points.map(({ stem }) => stem) as [string, string]
let folder: string
let server: RescueServer
let serial = 0
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'rescue-'))
  server = new RescueServer(python, folder)
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})
const fresh = (name: string) => join(folder, `${++serial}-${name}`)

function copyOf({ repository }: Golden): string {
  const copy = fresh('copy')
  cpSync(repository, copy, { recursive: true })
  return copy
}

function objects(root: string, prefix = ''): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .filter((name) => name.startsWith(prefix))
    .sort()
}

function run(root: string, command: readonly string[], secret = r1.recovery): Promise<Outcome> {
  return server.run([root, ...command], { HOLDFAST_SECRET: secret, PYTHONUTF8: '1' })
}

/** Numbers of the MiBs of a file that are not a hole as a whole. */
async function written(path: string): Promise<Set<number>> {
  const found = new Set<number>()
  for (const [start, end] of await server.extents(path)) {
    for (let no = Math.floor(start / MiB); no * MiB < end; no++) found.add(no)
  }
  return found
}

const hashFile = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex')

/** Bytes that differ from the state of the disk must be zero and inside a range that the reader has named as lost. */
async function expectNoWrongBytes(path: string, state: DiskState, { err }: Outcome): Promise<number> {
  expect(statSync(path).size).toBe(state.bytes)
  const lost = [...err.matchAll(/^lost: .* bytes (\d+) to (\d+): /gm)].map(([, from, to]) => [Number(from), Number(to)])
  const wanted = Buffer.alloc(MiB)
  const zero = Buffer.alloc(MiB)
  // A disk is mostly holes. What is one in the file and in the state is zero, and not read.
  const looked = new Set([...state.chunks.keys(), ...(await written(path))])
  const file = openSync(path, 'r')
  for (const no of looked) {
    const at = no * MiB
    const right = wanted.subarray(0, Math.min(MiB, state.bytes - at))
    const piece = Buffer.alloc(right.length)
    expect(readSync(file, piece, 0, piece.length, at)).toBe(piece.length)
    readState(state, at, right)
    if (!piece.equals(right)) {
      expect(piece.equals(zero.subarray(0, piece.length))).toBe(true)
      const end = at + piece.length - 1
      expect(lost.some(([from = 0, to = 0]) => from <= at && end <= to)).toBe(true)
    }
  }
  closeSync(file)
  return lost.length
}

/** Restores one disk of a point of the scene and holds the outcome to the one rule: whole, or an error that names it. */
async function restore(root: string, stem: string, disk: string, options: readonly string[] = []): Promise<Outcome> {
  const target = fresh(disk)
  const outcome = await run(root, ['restore', stem, `disk:${disk}`, target, ...options])
  const state = scene.points[stem === older ? 0 : 1].disks[disk]
  if (state === undefined) throw new Error(`the scene has no ${disk}`)
  if (outcome.code === 0) {
    expect(await expectNoWrongBytes(target, state, { ...outcome, err: '' })).toBe(0)
  } else {
    expect(outcome.err).toMatch(/^error: /m)
    expect(existsSync(target)).toBe(false)
    if (existsSync(`${target}.partial`)) {
      expect(await expectNoWrongBytes(`${target}.partial`, state, outcome)).toBeGreaterThan(0)
    }
  }
  rmSync(target, { force: true })
  rmSync(`${target}.partial`, { force: true })
  return outcome
}

function flip(root: string, name: string, at: number): void {
  const bytes = readFileSync(join(root, name))
  const where = at < 0 ? bytes.length + at : at
  bytes.writeUInt8(bytes.readUInt8(where) ^ 1, where)
  writeFileSync(join(root, name), bytes)
}

/** What only a writer or an administrator of the repository can make. */
async function ringOf(root: string): Promise<KeyRing> {
  await using repository = await openRepositoryWith(
    {
      location: { kind: 'posix', path: root },
      secret: { kind: 'recovery', text: r1.recovery },
      cacheDir: fresh('cache'),
    },
    { warn: () => undefined },
  )
  return repository.engine.ring
}

test('it has at most 300 lines, all of them counted', () => {
  const source = readFileSync(rescue, 'utf8')
  expect(source.split('\n').length - 1).toBeLessThanOrEqual(300)
  expect(source.split('\n').filter((line) => line.length > 120)).toEqual([])
})

describe.each(readdirSync(golden, { withFileTypes: true }).filter((e) => e.isDirectory()))(
  'golden $name',
  ({ name }) => {
    const of = goldenOf(name)

    // Which secret opened is not to be seen behind the keys: the large disk once is enough.
    test.each(['passphrase', 'recovery'] as const)('disks and configurations by its %s', async (kind) => {
      const listed = await run(of.repository, ['list'], of[kind])
      expect(listed).toMatchObject({ code: 0, err: '' })
      for (const [index, { stem, configs }] of of.points.entries()) {
        expect(listed.out).toMatch(new RegExp(`^${stem} .* recovery point$`, 'm'))
        const whole = { code: 0, err: expect.stringMatching(/every one checked\n$/) as string }
        for (const [id, state] of Object.entries(scene.points[index]?.disks ?? {})) {
          if (kind === 'passphrase' && id === 'virtio0') continue
          const target = fresh('out')
          const outcome = await run(of.repository, ['restore', stem, `disk:${id}`, target], of[kind])
          expect(outcome).toMatchObject(whole)
          expect(await expectNoWrongBytes(target, state, { ...outcome, err: '' })).toBe(0)
          rmSync(target)
        }
        for (const [id, sha256] of Object.entries(configs)) {
          const target = fresh('out')
          expect(await run(of.repository, ['restore', stem, `config:${id}`, target], of[kind])).toMatchObject(whole)
          expect(hashFile(target)).toBe(sha256)
        }
      }
    })
  },
)

test('what is expected of every golden repository is what the scene says', () => {
  const said = scene.points.map(expectedOf)
  for (const { name } of readdirSync(golden, { withFileTypes: true }).filter((entry) => entry.isDirectory())) {
    expect(goldenOf(name).points.map(({ disks, configs }) => ({ disks, configs }))).toEqual(said)
  }
})

describe('a key in parts', () => {
  const of = goldenOf('r1-v1-rotated')
  const secrets = readFileSync(join(golden, 'r1-v1-rotated/secrets.txt'), 'utf8')
  const shares = [...secrets.matchAll(/^share: (.*)$/gm)].map(([, share = '']) => share)
  const escrow = /^escrow key: (.*)$/m.exec(secrets)?.[1] ?? ''

  function combine(root: string, kind: 'shares' | 'escrow', secret: string): Outcome {
    const file = fresh(kind)
    writeFileSync(file, `${secret}\n`)
    const { status, stdout, stderr } = spawnSync(python, [combiner, root, `--${kind}`, file], {
      env: { PYTHONUTF8: '1' },
      encoding: 'utf8',
    })
    return { code: status, out: stdout, err: stderr }
  }

  test.each([
    ['two of three shares', 'shares', `${shares[2]}\n\n${shares[0]?.toLowerCase()}`],
    ['all shares', 'shares', shares.join('\n')],
    ['the escrow key', 'escrow', escrow],
  ] as const)('%s restore as a passphrase does', async (_, kind, secret) => {
    const combined = combine(of.repository, kind, secret)
    expect(combined).toMatchObject({ code: 0, err: '', out: expect.stringMatching(/^HFK1-/) as string })
    const [point] = of.points.slice(-1)
    const target = fresh('disk')
    const outcome = await run(
      of.repository,
      ['restore', point?.stem ?? '', 'disk:virtio1', target],
      combined.out.trim(),
    )
    expect(outcome).toMatchObject({ code: 0 })
    expect(hashFile(target)).toBe(point?.disks['virtio1'])
  })

  test('too few, mistyped or foreign ones say so and give nothing', () => {
    const [one = '', two = ''] = shares
    const wrong: [Golden, 'shares' | 'escrow', string, RegExp][] = [
      [of, 'shares', one, /2 different shares are needed, 1 are here/],
      [of, 'shares', `${one}\n${one}`, /2 different shares are needed, 1 are here/],
      [of, 'shares', `${one}\n${two.replace('HFS1-N', 'HFS1-M')}`, /mistyped/],
      [r1, 'shares', shares.join('\n'), /fit no slot/],
      [r1, 'escrow', escrow, /no slot of this repository opens/],
      [of, 'escrow', escrow.slice(0, -1), /mistyped/],
    ]
    for (const [where, kind, secret, said] of wrong) {
      const outcome = combine(where.repository, kind, secret)
      expect(outcome).toMatchObject({ code: 1, out: '', err: expect.stringMatching(said) as string })
      expect(outcome.err).not.toContain(escrow)
    }
  })

  test('a key in parts of another repository opens none', async () => {
    const { out } = combine(of.repository, 'escrow', escrow)
    expect(await run(r1.repository, ['list'], out.trim())).toMatchObject({ code: 1 })
  })
})

test('a slot that a rotation left behind, which opens a key that wraps nothing, hides nothing', async () => {
  for (const bytes of [randomBytes(32), randomBytes(32), randomBytes(32)]) {
    const copy = copyOf(r1)
    const { repo } = await ringOf(copy)
    const slotKey = await slotKeyOf({ kind: 'recovery', text: r1.recovery }, undefined)
    const slot = encodeSlot('recovery', { repo, kekGen: 1, role: 'full', label: '', ms: 1 }, slotKey, bytes)
    writeFileSync(join(copy, slot.name), slot.bytes)
    expect(await run(copy, ['list'])).toMatchObject({ code: 0, err: '' })
  }
})

test('a stream is the disk, and a file has holes where the disk has them', async () => {
  const target = fresh('sparse')
  expect(await run(r1.repository, ['restore', newer.slice(-32), 'disk:virtio0', target])).toMatchObject({ code: 0 })
  const blocks = Number(spawnSync('stat', ['-c', '%b', target]).stdout.toString()) * 512
  expect(blocks).toBeLessThan(32 * MiB)
  const child = spawnSync(python, [rescue, r1.repository, 'restore', newer, 'disk:virtio1', '-'], {
    env: { HOLDFAST_SECRET: r1.recovery },
    maxBuffer: 64 * MiB,
  })
  expect(createHash('sha256').update(child.stdout).digest('hex')).toBe(r1.points[1]?.disks['virtio1'])
})

test('a secret comes from a file as from the environment; a wrong or mistyped one is told from damage', async () => {
  const file = fresh('secret')
  writeFileSync(file, `${r1.passphrase.normalize('NFD')}\n`)
  expect(await run(r1.repository, ['list', '--secret-file', file], 'not this')).toMatchObject({ code: 0, err: '' })
  for (const secret of ['another', r1.recovery.replace('LWPR', 'LWPQ')]) {
    const { code, err } = await run(r1.repository, ['list'], secret)
    expect(code).toBe(1)
    expect(err).toMatch(/opens no key slot: it is wrong or mistyped/)
    expect(err).not.toMatch(/is damaged:/)
  }
})

test('an existing file is never touched', async () => {
  const target = fresh('mine')
  writeFileSync(target, 'mine')
  expect(await run(r1.repository, ['restore', newer, 'disk:virtio1', target])).toMatchObject({ code: 1 })
  expect(readFileSync(target, 'utf8')).toBe('mine')
})

describe('a flipped byte', () => {
  const at = [0, 100, -1] as const
  const hit: string[] = []
  const kinds = [...new Set(objects(r1.repository).map((name) => name.split('/')[0] ?? ''))].sort()

  test('the golden repository has the kinds that the next tests damage', () => {
    expect(kinds).toEqual(['floor', 'fmt', 'fmt.1', 'fmt.2', 'idx', 'keys', 'pack', 'probe', 'sess', 'snap'])
  })

  test.each(['floor', 'idx', 'probe', 'sess'])('in %s/ is not noticed: a restore needs none of it', async (kind) => {
    const copy = copyOf(r1)
    for (const name of objects(copy, `${kind}/`)) flip(copy, name, 10)
    expect(await restore(copy, newer, 'virtio1')).toMatchObject({ code: 0 })
  })

  test.each(['fmt', 'fmt.1', 'fmt.2'])('in %s is named, and another replica serves', async (name) => {
    for (const where of at) {
      const copy = copyOf(r1)
      flip(copy, name, where)
      const outcome = await restore(copy, newer, 'virtio1')
      expect(outcome).toMatchObject({ code: 0, err: expect.stringContaining(`warning: ${name}: `) as string })
    }
  })

  test('in all three replicas is an error', async () => {
    const copy = copyOf(r1)
    for (const name of ['fmt', 'fmt.1', 'fmt.2']) flip(copy, name, 100)
    expect(await restore(copy, newer, 'virtio1')).toMatchObject({ code: 1 })
  })

  test.each(objects(r1.repository, 'keys/'))('in %s is named; the other slot or set serves', async (name) => {
    for (const where of at) {
      const copy = copyOf(r1)
      flip(copy, name, where)
      const outcomes = [await run(copy, ['list'], r1.recovery), await run(copy, ['list'], r1.passphrase)]
      for (const { err } of outcomes) expect(err).toContain(name)
      // A slot is one secret's; a set is there twice.
      expect(outcomes.filter(({ code }) => code !== 0).length).toBe(name.includes('-slot-') ? 1 : 0)
    }
  })

  test('in a manifest loses its point, and no other', async () => {
    for (const where of [...at, 125, 200]) {
      const copy = copyOf(r1)
      flip(copy, `${newer}.m`, where)
      const listed = await run(copy, ['list'])
      expect(listed.code).toBe(1)
      expect(listed.err).toContain(`lost: ${newer}: `)
      expect(listed.out).toMatch(new RegExp(`^${older} .* recovery point$`, 'm'))
      const outcome = await restore(copy, newer, 'virtio1', ['--any-state'])
      expect(outcome).toMatchObject({ code: 1, err: expect.stringContaining(newer) as string })
      expect(await restore(copy, older, 'virtio1')).toMatchObject({ code: 0 })
    }
  })

  test('in .ok leaves a point that is restored on request only', async () => {
    for (const where of at) {
      const copy = copyOf(r1)
      flip(copy, `${newer}.ok`, where)
      expect((await run(copy, ['list'])).out).toMatch(new RegExp(`^${newer} .* not validated$`, 'm'))
      const refused = await restore(copy, newer, 'virtio1')
      expect(refused).toMatchObject({
        code: 1,
        err: expect.stringMatching(/\.ok does not count[^]*not validated/) as string,
      })
      expect(await restore(copy, newer, 'virtio1', ['--any-state'])).toMatchObject({ code: 0 })
    }
  })

  test.each(objects(r1.repository, 'pack/'))('in %s loses what it hits, by name, and nothing else', async (name) => {
    const bytes = readFileSync(join(r1.repository, name))
    const { entries } = readTail(bytes, bytes.length)
    const { off, clen } = entries.at(-1) ?? { off: 0, clen: 0 }
    /** Items of the newer point that are not restored whole. */
    const lostBy = async (...places: number[]): Promise<string[]> => {
      const copy = copyOf(r1)
      for (const at of places) flip(copy, name, at)
      const lost: string[] = []
      for (const disk of ['virtio0', 'virtio1']) {
        const { code, err } = await restore(copy, newer, disk)
        if (code === 0) continue
        lost.push(disk)
        expect(err).toMatch(new RegExp(`^lost: disk:${disk}, bytes \\d+ to \\d+: ${name} at ${off}: `, 'm'))
      }
      const { code, err } = await run(copy, ['restore', newer, 'config:vm.xml', '-'])
      if (code !== 0) {
        lost.push('vm.xml')
        expect(err).toMatch(new RegExp(`^lost: config:vm.xml, bytes 0 to \\d+: ${name} at ${off}: `, 'm'))
      }
      rmSync(copy, { recursive: true })
      return lost
    }
    // Pack header, table of contents and footer are not needed to restore.
    expect(await lostBy(20, off + 72 + clen + 1, -1)).toEqual([])
    // Whether the last blob of the pack is hit in its header, its nonce or its content, the same is lost.
    const lost = await lostBy(off + 5)
    for (const at of [off + 20, off + 71 + clen]) expect(await lostBy(at)).toEqual(lost)
    hit.push(...lost)
  })

  test('and every kind of item was hit', () => {
    expect(new Set(hit)).toEqual(new Set(['virtio0', 'virtio1', 'vm.xml']))
  })

  test('ends a stream before the first byte that is not sure', async () => {
    const copy = copyOf(r1)
    for (const name of objects(copy, 'pack/')) {
      const bytes = readFileSync(join(copy, name))
      for (const { off, clen, ulen, type } of readTail(bytes, bytes.length).entries) {
        // The last chunk of virtio1 is the one of 512 bytes.
        if (type === 1 && ulen === 512) flip(copy, name, off + 71 + clen)
      }
    }
    const child = spawnSync(python, [rescue, copy, 'restore', newer, 'disk:virtio1', '-'], {
      env: { HOLDFAST_SECRET: r1.recovery },
      maxBuffer: 64 * MiB,
    })
    const state = scene.points[1].disks['virtio1'] as DiskState
    const wanted = Buffer.alloc(5 * MiB)
    readState(state, 0, wanted)
    expect(child.status).toBe(1)
    expect(child.stdout.equals(wanted)).toBe(true)
    expect(child.stderr.toString()).toMatch(/^lost: disk:virtio1, bytes 5242880 to 5243391: /m)
  })
})

describe('a pack that is not where manifests say', () => {
  /** Every pack is replaced by one with its blobs in the other order: as compaction or healing would, no hint holds. */
  function compact(root: string): string[] {
    return objects(root, 'pack/').map((name) => {
      const bytes = readFileSync(join(root, name))
      const { entries, footer } = readTail(bytes, bytes.length)
      const { random, ...header } = decodePackHeader(bytes.subarray(0, 64))
      let off = 64
      const moved = entries.toReversed().map((entry) => {
        const item = { from: entry.off, entry: { ...entry, off } }
        off += 72 + entry.clen
        return item
      })
      const pack = Buffer.concat([
        encodePackHeader({ ...header, random: Buffer.from(random).reverse() }),
        ...moved.map(({ from, entry }) => bytes.subarray(from, from + 72 + entry.clen)),
        encodePackTail(
          moved.map(({ entry }) => entry),
          footer.repo,
        ),
      ])
      const sha = createHash('sha256').update(pack).digest('hex')
      rmSync(join(root, name))
      const next = `pack/${sha.slice(0, 2)}/${sha}`
      mkdirSync(dirname(join(root, next)), { recursive: true })
      writeFileSync(join(root, next), pack)
      return next
    })
  }

  async function expectAll(root: string): Promise<string> {
    let said = ''
    for (const { stem, disks, configs } of r1.points) {
      for (const disk of Object.keys(disks)) {
        const outcome = await restore(root, stem, disk)
        expect(outcome).toMatchObject({ code: 0 })
        said += outcome.err
      }
      for (const [name, sha256] of Object.entries(configs)) {
        const { code, out } = await run(root, ['restore', stem, `config:${name}`, '-'])
        expect(code).toBe(0)
        expect(createHash('sha256').update(out).digest('hex')).toBe(sha256)
      }
    }
    return said
  }

  test('is found by its table of contents', async () => {
    const copy = copyOf(r1)
    compact(copy)
    const said = await expectAll(copy)
    expect(said).toContain('note: a blob is not sound where its manifest says')
    expect(said).not.toContain('warning')
  })

  test.each([
    ['footer', -1],
    ['header', 20],
  ] as const)('is found by scanning if its %s is damaged', async (_, where) => {
    const copy = copyOf(r1)
    for (const name of compact(copy)) flip(copy, name, where)
    expect(await expectAll(copy)).toContain('it is scanned')
  })

  test('and is nowhere else is lost, range by range', async () => {
    const copy = copyOf(r1)
    for (const name of objects(copy, 'pack/')) {
      if (readFileSync(join(copy, name)).readUInt8(10) === 0) rmSync(join(copy, name))
    }
    const outcome = await restore(copy, newer, 'virtio0')
    expect(outcome.code).toBe(1)
    expect(outcome.err).toMatch(/^lost: disk:virtio0, bytes 0 to 1048575: pack\/.*No such file/m)
  })
})

describe('states', () => {
  const tombstone = { snap: newer.slice(-32), reason: 'operator', actor: 'a', decidedMs: 1 } as const

  test('a tombstoned point is restored on request, a held one as it stands', async () => {
    const copy = copyOf(r1)
    const ring = await ringOf(copy)
    writeFileSync(
      join(copy, `${newer}.t`),
      protectJson(tombstoneKind, { repo: ring.repo, ...tombstone }, ring, 'maintenance'),
    )
    expect((await run(copy, ['list'])).out).toMatch(new RegExp(`^${newer} .* recovery point, tombstoned$`, 'm'))
    expect(await restore(copy, newer, 'virtio1')).toMatchObject({ code: 1 })
    expect(await restore(copy, newer, 'virtio1', ['--any-state'])).toMatchObject({ code: 0 })
    expect(await restore(copy, older, 'virtio1')).toMatchObject({ code: 0 })
    mkdirSync(join(copy, 'hold'))
    writeFileSync(join(copy, `hold/${newer.slice(-32)}-0123456789abcdef`), 'of any content')
    expect((await run(copy, ['list'])).out).toMatch(new RegExp(`^${newer} .* recovery point, held, tombstoned$`, 'm'))
    expect(await restore(copy, newer, 'virtio1')).toMatchObject({ code: 0 })
  })

  test('what is no tombstone of this point hides nothing', async () => {
    const copy = copyOf(r1)
    const ring = await ringOf(copy)
    const good = protectJson(tombstoneKind, { repo: ring.repo, ...tombstone }, ring, 'maintenance')
    const flipped = Buffer.from(good)
    flipped.writeUInt8(flipped.readUInt8(12) ^ 1, 12)
    const forged = [
      flipped,
      Buffer.from('{}'),
      // A genuine object of another kind, point or repository, put under the name of a tombstone.
      protectJson(
        abandonKind,
        { repo: ring.repo, snap: tombstone.snap, owner: '0f'.repeat(16), ms: 1 },
        ring,
        'maintenance',
      ),
      protectJson(tombstoneKind, { repo: ring.repo, ...tombstone, snap: older.slice(-32) }, ring, 'maintenance'),
      protectJson(tombstoneKind, { repo: 'ab'.repeat(16), ...tombstone }, ring, 'maintenance'),
    ]
    for (const bytes of forged) {
      writeFileSync(join(copy, `${newer}.t`), bytes)
      const outcome = await restore(copy, newer, 'virtio1')
      expect(outcome).toMatchObject({ code: 0, err: expect.stringContaining('.t does not count') as string })
    }
  })

  test('a lost manifest is named, one that was removed is not', async () => {
    const copy = copyOf(r1)
    rmSync(join(copy, `${newer}.m`))
    expect(await run(copy, ['list'])).toMatchObject({
      code: 1,
      err: expect.stringContaining(`lost: ${newer}`) as string,
    })
    writeFileSync(join(copy, `${newer}.t`), '{}')
    expect(await run(copy, ['list'])).toMatchObject({ code: 0, err: '' })
  })
})

describe('what signs', () => {
  test('a replica that somebody else signed is ignored and named', async () => {
    const copy = copyOf(r1)
    const { publicKey, privateKey } = generateKeyPairSync('ed25519')
    const genuine = JSON.parse(readFileSync(join(copy, 'fmt'), 'utf8')) as { sig: string; packTarget: number }
    const signer = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32).toString('hex')
    const fields = { ...without(genuine, 'sig'), packTarget: 16 * MiB, signer }
    const sig = sign(null, Buffer.concat([Buffer.from('holdfast/r1/fmt\0'), canonicalJson(fields)]), privateKey)
    writeFileSync(join(copy, 'fmt'), canonicalJson({ ...fields, sig: sig.toString('hex') }))
    const outcome = await restore(copy, newer, 'virtio1')
    expect(outcome).toMatchObject({
      code: 0,
      err: expect.stringContaining('warning: fmt: it is signed with a foreign key') as string,
    })
  })

  test('an unknown read feature that was switched on later is refused', async () => {
    const copy = copyOf(r1)
    const ring = await ringOf(copy)
    const { key } = ring.current('SIG')
    expect(key.length).toBe(32)
    const [signer = ''] = ring.signers
    mkdirSync(join(copy, 'feat'))
    const feat = (read: string[]) =>
      signFeat({ repo: ring.repo, add: { read, write: [], gc: ['g'] }, ms: 1, signer }, ring)
    writeFileSync(join(copy, 'feat/001ffe74301a9800-0123456789abcdef'), feat([]))
    expect(await run(copy, ['list'])).toMatchObject({ code: 0, err: '' })
    writeFileSync(join(copy, 'feat/001ffe74301a97ff-0123456789abcdef'), feat(['aead-2']))
    expect(await run(copy, ['list'])).toMatchObject({ code: 1, err: expect.stringContaining('aead-2') as string })
    flip(copy, 'feat/001ffe74301a97ff-0123456789abcdef', 30)
    expect(await run(copy, ['list'])).toMatchObject({
      code: 0,
      err: expect.stringContaining('adds no feature') as string,
    })
  })
})
