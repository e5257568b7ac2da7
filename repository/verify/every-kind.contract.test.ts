import { afterAll, beforeAll, expect, it } from 'vitest'
import { holdKind, names, ownerKind, parseName, tombstoneKind } from '../format/index.ts'
import { protectJson, signFeat } from '../keys/index.ts'
import type { OpenedRepository } from '../repository.ts'
import { backUp, expectIdentical, GcScript, noSignal, RepositoryLab, smallDisk, uuid } from '../testing/index.ts'

let lab: RepositoryLab
let stem: string
const disk = smallDisk(1)
beforeAll(async () => {
  lab = await RepositoryLab.create()
  await using repository = await lab.open()
  const config = { name: 'xml', type: 'native', content: Buffer.from('<vm/>') } as const
  stem = (await backUp(repository, disk, { configs: [config] })).stem
  plant(repository)
})
afterAll(async () => {
  await lab[Symbol.asyncDispose]()
})

/** One of each kind that a plain backup does not make. */
function plant({ engine: { ring } }: OpenedRepository): void {
  const { repo } = ring
  const gc = new GcScript(lab.bucket, ring)
  const gone = 'ab'.repeat(32)
  gc.finish(gc.condemn(1, [gone]), [gone])
  const snap = uuid()
  const removed = names.stem(stem.split('/')[1] ?? '', 1_600_000_000_000, snap)
  const by = { actor: 'test', ms: 1 }
  const tombstone = { repo, snap, reason: 'retention', actor: 'test', decidedMs: 1 } as const
  lab.bucket.set(`${removed}.t`, protectJson(tombstoneKind, tombstone, ring, 'maintenance'))
  const hold = { repo, snap, type: 'pin', reason: 'test', ...by } as const
  lab.bucket.set(`hold/${snap}-${'1'.repeat(16)}`, protectJson(holdKind, hold, ring, 'maintenance'))
  const owner = { repo, series: stem.split('/')[1] ?? '', installation: uuid(), name: 'one', ms: 1 }
  lab.bucket.set(names.owner(owner.series, 1, '1'.repeat(16)), protectJson(ownerKind, owner, ring, 'writer'))
  const [signer = ''] = ring.signers
  const feat = { repo, add: { read: [], write: [], gc: [] }, ms: 1, signer }
  lab.bucket.set(names.feat(1, '1'.repeat(16)), signFeat(feat, ring))
}

/** Kinds without any protection (§4.11): a false one costs space, never data, and nobody can tell. */
const unprotected = ['quarantine', 'probe']

it('one flipped byte in each kind of object: verify names exactly that object, and no other point is affected', async () => {
  const seen = new Map<string, string>()
  for (const name of lab.bucket.names()) {
    const kind = parseName(name)?.kind
    if (kind === undefined || unprotected.includes(kind)) continue
    // The slot of the passphrase is what the verify opens with.
    const opens = kind === 'key-slot' && Buffer.from(lab.bucket.body(name)).includes('"type":"passphrase"')
    if (!opens) seen.set(kind, name)
  }
  expect([...seen.keys()].sort()).toEqual(
    ['condemned', 'feat', 'final', 'floor', 'fmt', 'hold', 'key-set', 'key-slot', 'manifest'].concat([
      'owner',
      'pack',
      'segment',
      'session',
      'tombstone',
      'validated',
    ]),
  )
  const sound = await check(lab)
  expect(sound.damages).toEqual([])
  for (const [kind, name] of seen) {
    const bucket = lab.bucket.clone()
    const body = Uint8Array.from(bucket.body(name))
    const at = kind === 'pack' ? 64 + 72 + 20 : body.length >> 1
    body[at] = (body[at] ?? 0) ^ 4
    bucket.set(name, body)
    const { damages } = await check(lab.over(bucket))
    const named = new Set(damages.map(({ object }) => object))
    // That a slot or a set is missing among those that must exist is said besides.
    named.delete('keys/')
    expect([kind, [...named]]).toEqual([kind, [name]])
    if (kind === 'pack' || kind === 'manifest' || kind === 'validated') continue
    expect(damages.flatMap(({ affects }) => affects)).toEqual([])
    await using repository = await lab.over(bucket).open()
    await expectIdentical(repository, stem, disk)
  }
})

async function check(of: RepositoryLab) {
  await using repository = await of.open()
  return await repository.verify({ level: 'full', signal: noSignal, onProgress: () => undefined })
}
