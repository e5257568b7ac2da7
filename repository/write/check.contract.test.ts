import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { GiB, MiB } from '../../base/index.ts'
import { abandonKind, tombstoneKind } from '../format/index.ts'
import { protectJson } from '../keys/index.ts'
import type { OpenedRepository } from '../repository.ts'
import { FaultyStore, type FaultPlan } from '../store/index.ts'
import {
  backUp,
  expectIdentical,
  GcScript,
  ModelBackup,
  ModelDisk,
  RepositoryLab,
  seededBytes,
  type BackupOptions,
} from '../testing/index.ts'

vi.setConfig({ testTimeout: 30_000 })

/** W2 (§7.4) against records of garbage collection that appear at the worst moment. */
let base: RepositoryLab
beforeAll(async () => {
  base = await RepositoryLab.create()
})
afterAll(async () => {
  await base[Symbol.asyncDispose]()
})

function disk(seed: number): ModelDisk {
  const model = new ModelDisk(GiB + 2 * MiB)
  model.write(MiB, seededBytes(seed, 2 * MiB))
  model.write(GiB, seededBytes(seed + 1, MiB))
  return model
}

interface Scene {
  readonly lab: RepositoryLab
  readonly repository: OpenedRepository
  readonly gc: GcScript
}

/** A copy of the repository in which something happens right after the manifest was put (W1). */
async function scene(afterManifest: (scene: Scene) => void = () => undefined): Promise<Scene> {
  const lab = base.over(base.bucket.clone())
  let put = false
  const plan: FaultPlan = ({ op, name }) => {
    if (op === 'put' && name.endsWith('.m')) put = true
    else if (put && op === 'list') {
      put = false
      afterManifest(made)
    }
    return undefined
  }
  let armed = false
  const repository = await lab.open({
    connect: () => new FaultyStore(lab.bucket.connect(), (call) => (armed ? plan(call) : undefined)),
  })
  const made: Scene = { lab, repository, gc: new GcScript(lab.bucket, repository.engine.ring) }
  armed = true
  return made
}

/** Copies, then lets garbage collection act after W1, then checks what came of it. */
async function commitUnder(
  afterManifest: (scene: Scene) => void,
  options: BackupOptions = {},
  prepare: (scene: Scene) => Promise<BackupOptions> = async () => ({}),
) {
  let live = false
  const at = await scene((made) => {
    if (live) afterManifest(made)
  })
  const model = disk(100)
  const prepared = await prepare(at)
  live = true
  const backup = new ModelBackup(at.repository, model, { ...options, ...prepared })
  await backup.open(at.repository)
  await backup.copy(at.repository)
  const result = await backup.commit(at.repository)
  return { ...at, model, result, backup }
}

/** What garbage collection may do with its finals: delete them. The point must restore all the same. */
async function expectSurvives(
  { lab, gc, model, result }: Awaited<ReturnType<typeof commitUnder>>,
  finals: readonly string[],
) {
  for (const pack of finals) gc.deletePack(pack)
  await using reader = await lab.open()
  await expectIdentical(reader, result.stem, model)
}

describe('the check after publishing', () => {
  it('passes once where nothing has happened', async () => {
    const { result } = await commitUnder(() => undefined)
    expect(result).toMatchObject({ passes: 1, rescued: 0 })
  })

  it('is not disturbed by a record that condemns other packs', async () => {
    const { result } = await commitUnder(({ gc }) => void gc.condemn(1, ['ab'.repeat(32)]))
    expect(result).toMatchObject({ passes: 1, rescued: 0 })
  })

  it('rescues every blob of packs that were condemned, and the point survives their deletion', async () => {
    let condemned: string[] = []
    const done = await commitUnder(({ gc }) => {
      condemned = gc.packs()
      gc.condemn(1, condemned)
    })
    // Three chunks and two pages.
    expect(done.result).toMatchObject({ passes: 2, rescued: 5 })
    await expectSurvives(done, condemned)
    await done.repository[Symbol.asyncDispose]()
  })

  it('rescues configuration parts too', async () => {
    let condemned: string[] = []
    const configs = [{ name: 'c', type: 'native', content: seededBytes(5, 5 * MiB) }] as const
    const done = await commitUnder(
      ({ gc }) => {
        condemned = gc.packs()
        gc.condemn(1, condemned)
      },
      { configs },
    )
    expect(done.result.rescued).toBe(7)
    await expectSurvives(done, condemned)
    await using reader = await done.lab.open()
    await using point = await reader.openPoint(done.result.stem)
    expect(Buffer.concat(await Array.fromAsync(point.config('c'))).equals(seededBytes(5, 5 * MiB))).toBe(true)
  })

  it('reads a chunk again from the source where its pack is gone already', async () => {
    let condemned: string[] = []
    const model = disk(100)
    const done = await commitUnder(
      ({ gc }) => {
        condemned = gc.packs(0)
        gc.finish(gc.condemn(1, condemned), condemned)
        for (const pack of condemned) gc.deletePack(pack)
      },
      { reread: async (_disk, at, into) => model.read(at, into) },
    )
    expect(done.result).toMatchObject({ passes: 2, rescued: 3 })
    await expectSurvives(done, [])
  })

  it('fails, and promises nothing, where a blob is gone and cannot be read again', async () => {
    let stem = ''
    const failing = commitUnder(({ gc, lab }) => {
      const condemned = gc.packs(0)
      gc.finish(gc.condemn(1, condemned), condemned)
      for (const pack of condemned) gc.deletePack(pack)
      stem = lab.bucket.names('snap/').find((name) => name.endsWith('.m')) ?? ''
    })
    await expect(failing).rejects.toMatchObject({ code: 'SessionInvalid' })
    expect(stem).not.toBe('')
  })

  it('relies on another home that the index knows, instead of rescuing', async () => {
    // The same disk in two series: the second finds everything; then the packs it has found are condemned after a copy
    // of each blob was made elsewhere.
    const model = disk(100)
    let first: string[] = []
    const done = await commitUnder(
      ({ gc }) => void gc.condemn(1, first),
      { vm: 'second' },
      async ({ repository, gc, lab }) => {
        await backUp(repository, model, { vm: 'first' })
        first = gc.packs()
        // A second home of all blobs: written by a process that does not know the index.
        const hidden = lab.bucket.names('idx/').map((name) => [name, lab.bucket.body(name)] as const)
        for (const [name] of hidden) lab.bucket.objects.delete(name)
        await using blind = await lab.open()
        await backUp(blind, model, { vm: 'third' })
        for (const [name, body] of hidden) lab.bucket.set(name, body)
        return {}
      },
    )
    expect(done.result.rescued).toBe(0)
    await expectSurvives(done, first)
  })

  it('establishes stale packs anew by HEAD, and treats those that are gone as missing', async () => {
    // Retirement during a long backup: the floor passes the stamps of what was uploaded.
    const done = await commitUnder(({ gc }) => gc.raiseFloor(5))
    expect(done.result).toMatchObject({ passes: 2, rescued: 0 })
    await expectSurvives(done, [])

    let gone: string[] = []
    const model = disk(100)
    const lossy = await commitUnder(
      ({ gc }) => {
        gone = gc.packs(0)
        for (const pack of gone) gc.deletePack(pack)
        gc.raiseFloor(5)
      },
      { reread: async (_disk, at, into) => model.read(at, into) },
    )
    expect(lossy.result.rescued).toBe(3)
    await expectSurvives(lossy, gone)
  })

  it('does not trust HEAD for a pack that a present record names', async () => {
    let condemned: string[] = []
    const done = await commitUnder(({ gc }) => {
      condemned = gc.packs()
      // Epoch 3 under a floor of 5: stale by the floor, and still in the dead set.
      gc.raiseFloor(5)
      gc.condemn(3, condemned, { floorSeen: 1 })
    })
    expect(done.result.rescued).toBe(5)
    await expectSurvives(done, condemned)
  })

  it('does not trust HEAD either where the record is older than the stamp', async () => {
    let condemned: string[] = []
    const done = await commitUnder(
      ({ gc }) => {
        condemned = gc.packs()
        // Stamps are 3 and the floor passes them: stale, not condemned. The dead set is what forbids to rely on HEAD.
        gc.raiseFloor(6)
        gc.condemn(2, condemned)
      },
      {},
      async ({ gc }) => {
        gc.raiseFloor(4)
        return {}
      },
    )
    expect(done.result.rescued).toBe(5)
    await expectSurvives(done, condemned)
  })

  it('is not passed by a collector that condemns again in every pass', async () => {
    const lab = base.over(base.bucket.clone())
    let epoch = 0
    let armed = false
    let manifest = false
    const plan: FaultPlan = ({ op, name }) => {
      if (op === 'put' && name.endsWith('.m')) manifest = true
      if (armed && manifest && op === 'list' && name === 'gc/') gc.condemn((epoch += 1), gc.packs())
      return undefined
    }
    await using repository = await lab.open({ connect: () => new FaultyStore(lab.bucket.connect(), plan) })
    const gc = new GcScript(lab.bucket, repository.engine.ring)
    armed = true
    const backup = new ModelBackup(repository, disk(100))
    await backup.open(repository)
    await backup.copy(repository)
    await expect(backup.commit(repository)).rejects.toMatchObject({ code: 'SessionInvalid' })
    expect(lab.bucket.names('snap/').filter((name) => name.endsWith('.ok'))).toEqual([])
  })

  it('exempts what is inherited while the parent lives, and looks each blob up once it does not', async () => {
    const prepare = async ({ repository }: Scene): Promise<BackupOptions> => {
      const { stem } = await backUp(repository, disk(100), { vm: 'chain' })
      return { parent: stem, vm: 'chain', source: { extents: [] } }
    }
    // The parent lives: its packs may be condemned by an abandoned record, and nothing is copied for the child.
    const living = await commitUnder(({ gc }) => void gc.condemn(1, gc.packs()), {}, prepare)
    expect(living.result).toMatchObject({ passes: 1, rescued: 0 })

    let condemned: string[] = []
    const tombstoned = await commitUnder(
      ({ lab, repository, gc }) => {
        const parent = lab.bucket.names('snap/').find((name) => name.endsWith('.ok')) ?? ''
        lab.bucket.set(parent.replace('.ok', '.t'), tombstone(repository, parent))
        condemned = gc.packs()
        gc.condemn(1, condemned)
      },
      {},
      prepare,
    )
    expect(tombstoned.result).toMatchObject({ passes: 2, rescued: 5 })
    await expectSurvives(tombstoned, condemned)
  })

  it('stores again what was quarantined after it was chosen', async () => {
    let bad = ''
    const done = await commitUnder(({ gc, repository, lab }) => {
      bad = gc.packs(0)[0] ?? ''
      void repository.engine.quarantines.report(lab.bucket.connect(), bad, 'L3')
    })
    expect(done.result).toMatchObject({ passes: 2, rescued: 3 })
    await expectSurvives(done, [bad])
  })
})

function tombstone(repository: OpenedRepository, name: string): Uint8Array {
  const snap = name.slice(name.lastIndexOf('-') + 1, name.lastIndexOf('.'))
  const fields = { repo: repository.id, snap, reason: 'retention', actor: 'test', decidedMs: 1 } as const
  return protectJson(tombstoneKind, fields, repository.engine.ring, 'maintenance')
}

function intent(repository: OpenedRepository, name: string): Uint8Array {
  const snap = name.slice(name.lastIndexOf('-') + 1, name.lastIndexOf('.'))
  const fields = { repo: repository.id, snap, owner: 'cd'.repeat(16), ms: 1 }
  return protectJson(abandonKind, fields, repository.engine.ring, 'maintenance')
}

describe('a commit', () => {
  it('reports failure if the point is being abandoned, whatever was stored', async () => {
    const failing = commitUnder(({ lab, repository }) => {
      const name = lab.bucket.names('snap/').find((each) => each.endsWith('.m')) ?? ''
      lab.bucket.set(name.replace('.m', '.a'), intent(repository, name))
    })
    await expect(failing).rejects.toMatchObject({ code: 'CommitRefused' })
  })

  it('repeated by another attempt publishes the same point, not a second one', async () => {
    const lab = base.over(base.bucket.clone())
    const model = disk(200)
    await using first = await lab.open()
    const backup = new ModelBackup(first, model)
    await backup.open(first)
    await backup.copy(first)
    const one = await backup.commit(first, 1)
    await using second = await lab.open()
    const two = await backup.commit(second, 2, 1)
    expect(two).toEqual(one)
    expect(lab.bucket.names('snap/').filter((name) => name.endsWith('.m'))).toHaveLength(1)
    await expectIdentical(second, two.stem, model)
  })

  it('adopts the manifest of an attempt that died before it was validated, and checks what that one names', async () => {
    const lab = base.over(base.bucket.clone())
    const model = disk(210)
    const plan: FaultPlan = ({ op, name }) =>
      op === 'put' && name.endsWith('.ok') ? { kind: 'fail', code: 'StoreUnavailable' } : undefined
    await using dying = await lab.open({ connect: () => new FaultyStore(lab.bucket.connect(), plan) })
    const configs = [{ name: 'c', type: 'native', content: Buffer.from('one') }] as const
    const backup = new ModelBackup(dying, model, { configs })
    await backup.open(dying)
    await backup.copy(dying)
    await expect(backup.commit(dying)).rejects.toMatchObject({ data: { side: 'store-write' } })
    const manifest = lab.bucket.names('snap/')
    await using next = await lab.open()
    const gc = new GcScript(lab.bucket, next.engine.ring)
    const condemned = gc.packs()
    gc.condemn(1, condemned)
    const { stem, rescued } = await backup.commit(next, 2, 1)
    expect(lab.bucket.names('snap/')).toEqual([...manifest, `${stem}.ok`])
    expect(rescued).toBe(6)
    for (const pack of condemned) gc.deletePack(pack)
    await using reader = await lab.open()
    await expectIdentical(reader, stem, model)
  })

  it('takes a lost answer for what it is: the object is there', async () => {
    const lab = base.over(base.bucket.clone())
    const model = disk(220)
    for (const suffix of ['.m', '.ok']) {
      let lost = 0
      const plan: FaultPlan = ({ op, name }) =>
        op === 'put' && name.endsWith(suffix) && lost++ === 0 ? { kind: 'lost-answer' } : undefined
      await using repository = await lab.open({ connect: () => new FaultyStore(lab.bucket.connect(), plan) })
      const backup = new ModelBackup(repository, model, { vm: suffix })
      await backup.open(repository)
      await backup.copy(repository)
      await expect(backup.commit(repository, 1)).rejects.toMatchObject({ code: 'StoreUnavailable' })
      const { stem } = await backup.commit(repository, 2)
      await expectIdentical(repository, stem, model)
    }
  })

  it('stops at a store that does not list what it has acknowledged', async () => {
    const lab = base.over(base.bucket.clone())
    const plan: FaultPlan = ({ op }) =>
      op === 'list' ? { kind: 'stale', hides: (name) => name.endsWith('.m') } : undefined
    await using repository = await lab.open({ connect: () => new FaultyStore(lab.bucket.connect(), plan) })
    const backup = new ModelBackup(repository, disk(230))
    await backup.open(repository)
    await backup.copy(repository)
    await expect(backup.commit(repository)).rejects.toMatchObject({ code: 'ListingIncomplete' })
  })

  it('does not use a home that is condemned when a session begins', async () => {
    const lab = base.over(base.bucket.clone())
    const model = disk(240)
    await using repository = await lab.open()
    const first = await backUp(repository, model, { vm: 'one' })
    expect(first.disks[0]?.newBytes).toBeGreaterThan(0)
    const gc = new GcScript(lab.bucket, repository.engine.ring)
    const condemned = gc.packs()
    gc.condemn(1, condemned)
    const second = await backUp(repository, model, { vm: 'two' })
    expect(second.disks[0]?.newBytes).toBe(first.disks[0]?.newBytes)
    expect(second).toMatchObject({ passes: 1, rescued: 0 })
    for (const pack of condemned) gc.deletePack(pack)
    await using reader = await lab.open()
    await expectIdentical(reader, second.stem, model)
  })

  it('by two writers at once gives two whole points', async () => {
    const lab = base.over(base.bucket.clone())
    await using one = await lab.open()
    await using two = await lab.open()
    const [a, b] = [disk(250), disk(250)]
    b.write(0, seededBytes(9, MiB))
    const [x, y] = await Promise.all([backUp(one, a, { vm: 'a' }), backUp(two, b, { vm: 'b' })])
    await using reader = await lab.open()
    await expectIdentical(reader, x.stem, a)
    await expectIdentical(reader, y.stem, b)
  })

  it('needs the floor: without it nothing is written, and everything can be read', async () => {
    const lab = base.over(base.bucket.clone())
    const model = disk(260)
    await using repository = await lab.open()
    const { stem } = await backUp(repository, model)
    for (const name of lab.bucket.names('floor/')) lab.bucket.objects.delete(name)
    await using other = await lab.open()
    await expect(backUp(other, model, { vm: 'x' })).rejects.toMatchObject({ code: 'FloorMissing' })
    await expectIdentical(other, stem, model)
  })
})
