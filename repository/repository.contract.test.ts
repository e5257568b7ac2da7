import * as fs from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { GiB, MiB } from '../base/index.ts'
import { createRepositoryWith } from './create.ts'
import { names, tombstoneKind, holdKind, NO_FEATURES } from './format/index.ts'
import { protectJson, signFeat } from './keys/index.ts'
import { openRepositoryWith, type OpenedRepository } from './repository.ts'
import { FaultClock, FaultyStore, PosixStore, SMALL_PROBE } from './store/index.ts'
import {
  backUp,
  expectIdentical,
  GcScript,
  cheapArgon2,
  deriveOnce,
  MemoryBucket,
  ModelBackup,
  ModelDisk,
  RepositoryLab,
  seededBytes,
} from './testing/index.ts'

vi.setConfig({ testTimeout: 30_000 })

const argon2 = cheapArgon2
const derive = deriveOnce
let home = ''
let made = 0
beforeAll(async () => {
  home = await fs.mkdtemp(join(tmpdir(), 'holdfast-room-'))
})
afterAll(() => fs.rm(home, { recursive: true, force: true }))
const place = () => ({ kind: 'posix', path: join(home, `repository-${(made += 1)}`) }) as const
const cacheDir = () => join(home, 'cache')

describe('creating a repository', () => {
  const create = (location: ReturnType<typeof place>, resume = false) =>
    createRepositoryWith({ location, passphrase: 'x', argon2, resume }, { probeSize: SMALL_PROBE, derive })

  it('makes one that opens with the passphrase and with the recovery key', async () => {
    const location = place()
    const { id, recoveryKey } = await create(location)
    for (const secret of [
      { kind: 'passphrase', passphrase: 'x' },
      { kind: 'recovery', text: recoveryKey.toLowerCase() },
    ] as const) {
      await using repository = await openRepositoryWith({ location, secret, cacheDir: cacheDir() }, { derive })
      expect(repository.id).toBe(id)
    }
    const store = new PosixStore(location.path, { reserveBytes: 0 })
    const { objects } = await store.list('')
    const kinds = objects.map(({ name }) => name.replace(/\/.*/, ''))
    expect(kinds).toEqual(['floor', 'fmt', 'fmt.1', 'fmt.2', 'keys', 'keys', 'keys', 'keys', 'probe'])
    expect(await fs.readdir(join(location.path, 'pack'))).toHaveLength(256)
  })

  it('refuses a place that has a repository, or something else', async () => {
    const location = place()
    await create(location)
    await expect(create(location)).rejects.toMatchObject({ code: 'RepositoryExists' })
    await expect(create(location, true)).rejects.toMatchObject({ code: 'RepositoryExists' })
    const other = place()
    await fs.mkdir(other.path)
    await fs.writeFile(join(other.path, 'README'), 'mine')
    await expect(create(other)).rejects.toMatchObject({
      code: 'RepositoryForeign',
      message: expect.stringContaining('README') as string,
    })
    const file = place()
    await fs.writeFile(file.path, '')
    await expect(create(file)).rejects.toMatchObject({ code: 'RepositoryForeign' })
  })

  it('refuses an empty passphrase', async () => {
    await expect(createRepositoryWith({ location: place(), passphrase: '' })).rejects.toMatchObject({
      code: 'ConfigInvalid',
    })
  })

  it('that was interrupted at any store call is completed by resuming, and its new recovery key works', async () => {
    const clock = new FaultClock()
    const whole = new MemoryBucket()
    const location = place()
    const options = { location, passphrase: 'x', argon2 }
    await createRepositoryWith(options, {
      connect: () => new FaultyStore(whole.connect(), () => undefined, clock),
      probeSize: SMALL_PROBE,
      derive,
    })
    const first = clock.calls.findIndex(({ op, name }) => op === 'put' && name.startsWith('keys/'))
    for (let n = first + 1; n <= clock.calls.length; n++) {
      const bucket = new MemoryBucket()
      const own = new FaultClock()
      const dying = () =>
        new FaultyStore(
          bucket.connect(),
          (call) => (call.n >= n ? { kind: 'fail', code: 'StoreUnavailable' } : undefined),
          own,
        )
      await expect(
        createRepositoryWith(options, { connect: dying, probeSize: SMALL_PROBE, derive }),
      ).rejects.toMatchObject({ code: 'StoreUnavailable' })
      const connect = () => bucket.connect()
      if (bucket.objects.has(names.floor(1))) continue
      const { recoveryKey, id } = await createRepositoryWith(
        { ...options, resume: true },
        { connect, probeSize: SMALL_PROBE, derive },
      )
      const secret = { kind: 'recovery', text: recoveryKey } as const
      await using repository = await openRepositoryWith(
        { location, secret, cacheDir: join(home, `resume-${n}`) },
        { connect, derive },
      )
      expect(repository.id).toBe(id)
      const recovery = repository.engine.inventory.slots.filter(
        ({ slot }) => slot.type === 'recovery' && slot.repo === id,
      )
      expect(recovery).toHaveLength(1)
    }
  }, 60_000)
})

describe('opening a repository', () => {
  let lab: RepositoryLab
  beforeAll(async () => {
    lab = await RepositoryLab.create()
  })
  afterAll(async () => {
    await lab[Symbol.asyncDispose]()
  })
  const openWith = (bucket: MemoryBucket, passphrase: string) =>
    openRepositoryWith(
      { location: place(), secret: { kind: 'passphrase', passphrase }, cacheDir: cacheDir() },
      { connect: () => bucket.connect(), derive },
    )

  it('tells a wrong passphrase from a damaged key, and a missing repository from both', async () => {
    await expect(openWith(lab.bucket.clone(), 'wrong')).rejects.toMatchObject({ code: 'WrongSecret' })
    await expect(openWith(new MemoryBucket(), 'x')).rejects.toMatchObject({ code: 'RepositoryMissing' })
    const damaged = lab.bucket.clone()
    for (const name of damaged.names('keys/')) {
      const body = Uint8Array.from(damaged.body(name))
      body[body.length - 20] = (body[body.length - 20] ?? 0) ^ 1
      damaged.set(name, body)
    }
    await expect(openWith(damaged, 'correct horse')).rejects.toMatchObject({ code: 'KeysDamaged' })
  })

  it('goes by any valid replica of the descriptor', async () => {
    const bucket = lab.bucket.clone()
    bucket.objects.delete('fmt')
    bucket.set('fmt.1', bucket.body('fmt.2').subarray(0, 100))
    await using repository = await openWith(bucket, 'correct horse')
    expect(repository.id).toMatch(/^[0-9a-f]{32}$/)
  })

  it('reads, and takes no backup, until two slots are there, one of them for recovery', async () => {
    const own = lab.over(lab.bucket.clone())
    await using before = await own.open()
    const recovery = before.engine.inventory.slots.find(({ slot }) => slot.type === 'recovery')
    own.bucket.objects.delete(recovery?.name ?? '')
    await using repository = await own.open()
    await expect(backUp(repository, new ModelDisk(MiB))).rejects.toMatchObject({ code: 'KeysIncomplete' })
    expect(await Array.fromAsync(repository.listPoints())).toEqual([])
  })

  it('refuses features that it does not know: reading, or writing only', async () => {
    await using repository = await lab.open()
    const { ring } = repository.engine
    const signer = ring.content.keys.find(({ no }) => no === ring.content.current.SIG)?.pub ?? ''
    const activate = (add: object) =>
      signFeat({ repo: ring.repo, add: { ...NO_FEATURES, ...add }, ms: 1, signer }, ring)
    const reading = lab.over(lab.bucket.clone())
    reading.bucket.set(names.feat(1, 'ab'.repeat(8)), activate({ read: ['aead-2'] }))
    await expect(reading.open()).rejects.toMatchObject({ code: 'FormatUnsupported' })
    const writing = lab.over(lab.bucket.clone())
    writing.bucket.set(names.feat(1, 'ab'.repeat(8)), activate({ write: ['multi-domain-1'] }))
    await using readOnly = await writing.open()
    await expect(backUp(readOnly, new ModelDisk(MiB))).rejects.toMatchObject({ code: 'FormatUnsupported' })
    // Not signed by a key of this repository: it adds nothing, and is reported.
    const forged = lab.over(lab.bucket.clone())
    const body = activate({ read: ['aead-2'] })
    body[body.length - 10] = (body[body.length - 10] ?? 0) ^ 1
    forged.bucket.set(names.feat(1, 'ab'.repeat(8)), body)
    await using open = await forged.open()
    expect(open.id).toBe(ring.repo)
    expect(forged.warnings.join()).toContain('feat/')
  })
})

describe('points', () => {
  let base: RepositoryLab
  let lab: RepositoryLab
  let repository: OpenedRepository
  let stem = ''
  const disk = new ModelDisk(4 * MiB)
  disk.write(0, seededBytes(1, MiB))
  beforeAll(async () => {
    base = await RepositoryLab.create()
    await using first = await base.open()
    stem = (await backUp(first, disk)).stem
  })
  beforeEach(async () => {
    lab = base.over(base.bucket.clone())
    repository = await lab.open()
    return () => repository[Symbol.asyncDispose]()
  })
  afterAll(() => base[Symbol.asyncDispose]())
  const states = async () => {
    await using reader = await lab.open()
    return (await Array.fromAsync(reader.listPoints())).map(({ state }) => state)
  }
  const snap = () => stem.slice(-32)
  const tombstone = () => {
    const fields = { repo: repository.id, snap: snap(), reason: 'retention', actor: 'x', decidedMs: 1 } as const
    return protectJson(tombstoneKind, fields, repository.engine.ring, 'maintenance')
  }
  const hold = () => {
    const fields = { repo: repository.id, snap: snap(), type: 'pin', actor: 'x', reason: '', ms: 1 } as const
    return protectJson(holdKind, fields, repository.engine.ring, 'maintenance')
  }

  it('are what counts, not what is present', async () => {
    expect(await states()).toEqual(['recovery-point'])
    lab.bucket.set(`${stem}.a`, Buffer.from('x'))
    expect(await states()).toEqual(['recovery-point'])
    // A tombstone that is not genuine does not count.
    lab.bucket.set(`${stem}.t`, Buffer.from('{}'))
    expect(await states()).toEqual(['recovery-point'])
    expect(lab.warnings.join()).toContain('tombstone')
    lab.bucket.set(`${stem}.t`, tombstone())
    expect(await states()).toEqual(['tombstoned'])
    // A hold counts by its name alone.
    lab.bucket.set(names.hold(snap(), 'ab'.repeat(8)), Buffer.from('damaged'))
    expect(await states()).toEqual(['held'])
    lab.bucket.set(names.hold(snap(), 'cd'.repeat(8)), hold())
    expect(await states()).toEqual(['held'])
  })

  it('are not validated without an `.ok` that counts', async () => {
    const ok = lab.bucket.body(`${stem}.ok`)
    lab.bucket.objects.delete(`${stem}.ok`)
    expect(await states()).toEqual(['not-validated'])
    const broken = Uint8Array.from(ok)
    broken[20] = (broken[20] ?? 0) ^ 1
    lab.bucket.set(`${stem}.ok`, broken)
    expect(await states()).toEqual(['not-validated'])
    expect(lab.warnings.join()).toContain('validation')
  })

  it('are lost with their manifest, and remembered when they were removed', async () => {
    lab.bucket.objects.delete(`${stem}.m`)
    expect(await states()).toEqual(['manifest-lost'])
    await using reader = await lab.open()
    await expect(reader.openPoint(stem, { explicit: true })).rejects.toMatchObject({ code: 'PointNotRestorable' })
    lab.bucket.set(`${stem}.t`, tombstone())
    expect(await states()).toEqual([])
    await expect(reader.openPoint(stem)).rejects.toMatchObject({ code: 'NotFound' })
  })

  it('open as they stand only if they are recovery points, and on request at the reader’s risk', async () => {
    lab.bucket.objects.delete(`${stem}.ok`)
    await using reader = await lab.open()
    await expect(reader.openPoint(stem)).rejects.toMatchObject({ code: 'PointNotRestorable' })
    await expectIdentical(reader, stem, disk, { explicit: true })
  })

  it('do not open with a manifest that is damaged', async () => {
    const body = Uint8Array.from(lab.bucket.body(`${stem}.m`))
    body[200] = (body[200] ?? 0) ^ 1
    lab.bucket.set(`${stem}.m`, body)
    await using reader = await lab.open()
    await expect(reader.openPoint(stem, { explicit: true })).rejects.toMatchObject({ code: 'FormatError' })
  })

  it('are listed newest first inside their series', async () => {
    await backUp(repository, disk)
    await backUp(repository, disk, { vm: 'other' })
    const own = await Array.fromAsync(repository.listPoints({ series: stem.split('/')[1] ?? '' }))
    expect(own.map(({ createdMs }) => createdMs)).toEqual(own.map(({ createdMs }) => createdMs).sort((a, b) => b - a))
    expect(own).toHaveLength(2)
    expect(await Array.fromAsync(repository.listPoints())).toHaveLength(3)
  })

  const heads = async () => {
    await using reader = await lab.open()
    return await Array.fromAsync(reader.heads(new AbortController().signal))
  }

  it('have a head of each series: the newest that counts, and what else stands', async () => {
    const newer = await backUp(repository, disk)
    const other = await backUp(repository, disk, { vm: 'other' })
    const found = await heads()
    expect(found).toHaveLength(2)
    const own = found.find(({ series }) => stem.includes(series))
    expect(own).toMatchObject({
      newest: { stem: newer.stem, state: 'recovery-point' },
      standing: [newer.stem.slice(-32), snap()],
      unreadable: null,
    })
    // An older one counts by its names; a newest one that does not count is none.
    lab.bucket.set(`${stem}.t`, tombstone())
    lab.bucket.set(`${newer.stem}.ok`, Buffer.from('{}'))
    expect((await heads()).find(({ series }) => stem.includes(series))).toMatchObject({ newest: null, standing: [] })
    expect((await heads()).find(({ series }) => other.stem.includes(series))?.standing).toEqual([other.stem.slice(-32)])
    lab.bucket.set(names.hold(snap(), 'ab'.repeat(8)), hold())
    expect((await heads()).find(({ series }) => stem.includes(series))).toMatchObject({
      newest: { stem, state: 'held' },
      standing: [snap()],
    })
  })

  it('say what a restore needs to know', async () => {
    await using point = await repository.openPoint(stem)
    expect(point.info).toMatchObject({
      state: 'recovery-point',
      parentSnap: null,
      vm: { platform: 'image', name: 'vm' },
      point: { origin: 'manual', run: 'test' },
      disks: [{ id: 'disk', bytes: 4 * MiB, mode: 'full', readBytes: MiB }],
    })
    const runs = await Array.fromAsync(point.disk('disk').runs(512, 4 * MiB))
    expect(runs).toEqual([
      { offset: 512, length: MiB - 512, kind: 'data' },
      { offset: MiB, length: 3 * MiB, kind: 'hole' },
    ])
    expect(() => point.disk('none')).toThrow('no disk none')
  })

  it('can be a parent only as recovery points', async () => {
    lab.bucket.set(`${stem}.t`, tombstone())
    await using other = await lab.open()
    await expect(backUp(other, disk, { parent: stem })).rejects.toMatchObject({ code: 'SessionInvalid' })
  })

  it('and what they share are what usage counts', async () => {
    await backUp(repository, disk)
    const usage = await repository.usage()
    expect(usage).toMatchObject({ points: 2, series: 1, packs: 2, uniqueBytes: MiB, logicalBytes: 2 * MiB })
    expect(usage.storedBytes).toBeGreaterThan(MiB)
    expect(new GcScript(lab.bucket, repository.engine.ring).packs()).toHaveLength(2)
  })
})

describe('on a disk that is full', () => {
  it('a copy fails with the reason, earlier points stay, and after space is made it goes on where it stopped', async () => {
    await using lab = await RepositoryLab.create()
    const disk = new ModelDisk(GiB)
    disk.write(0, seededBytes(3, 60 * MiB))
    let full = false
    await using repository = await lab.open({
      connect: () =>
        new FaultyStore(lab.bucket.connect(), ({ op, name }) =>
          full && op === 'put' && name.startsWith('pack/') ? { kind: 'fail', code: 'StoreFull' } : undefined,
        ),
    })
    const before = await backUp(repository, disk, { vm: 'full' })
    const next = disk.clone()
    next.write(0, seededBytes(4, 60 * MiB))
    const backup = new ModelBackup(repository, next, {
      vm: 'full',
      journalSourceBytes: 2 * MiB,
      source: { onRead: (at) => void (full = full || at >= 48 * MiB) },
    })
    await backup.open(repository)
    await expect(backup.copy(repository)).rejects.toMatchObject({ code: 'StoreFull', data: { side: 'store-write' } })
    await expectIdentical(repository, before.stem, disk)
    full = false
    const again = new ModelBackup(repository, next, { ...backup.spec, vm: 'full' })
    const [result] = await again.copy(repository, 2)
    expect(result?.bytesResumed).toBeGreaterThanOrEqual(4 * MiB)
    expect((result?.bytesResumed ?? 0) + (result?.bytesReadThisAttempt ?? 0)).toBe(60 * MiB)
    const { stem } = await again.commit(repository, 1, 2)
    await expectIdentical(repository, stem, next)
  }, 30_000)
})
