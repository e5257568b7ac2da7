/** Changing the keys of a repository that is in use. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { MiB } from '../../base/index.ts'
import { names, NO_FEATURES } from '../format/index.ts'
import { signFeat } from '../keys/index.ts'
import {
  deriveOnce,
  backUp,
  expectIdentical,
  GcScript,
  ModelDisk,
  noSignal,
  passphrase,
  RepositoryLab,
  seededBytes,
} from '../testing/index.ts'
import { openKeyAdminWith, type KeyAdmin } from './index.ts'

const location = { kind: 'posix', path: '/nowhere' } as const
const disk = new ModelDisk(4 * MiB)
disk.write(0, seededBytes(1, MiB))

let lab: RepositoryLab
beforeAll(async () => {
  lab = await RepositoryLab.create()
})
afterAll(async () => {
  await lab[Symbol.asyncDispose]()
})
const adminOf = async ({ bucket }: RepositoryLab): Promise<KeyAdmin> => {
  const secret = { kind: 'passphrase', passphrase } as const
  return await openKeyAdminWith({ location, secret }, { connect: () => bucket.connect(), derive: deriveOnce })
}

test(
  'points from before and after a rotation restore, and whoever has it open goes on',
  { timeout: 30_000 },
  async () => {
    const own = lab.over(lab.bucket.clone())
    await using open = await own.open()
    const before = await backUp(open, disk)
    using admin = await adminOf(own)
    await admin.rotateKek({ keep: [{ kind: 'recovery', text: lab.recoveryKey }] }, async () => undefined, noSignal)
    await admin.rotateKeys(['DEK', 'MDK', 'MK', 'SIG'], noSignal)
    // With the keys of before, and with the new ones; each deduplicates against what is there.
    const between = await backUp(open, disk)
    await using again = await own.open()
    expect(again.engine.ring.current('DEK').no).not.toBe(open.engine.ring.current('DEK').no)
    const changed = disk.clone()
    changed.write(2 * MiB, seededBytes(2, MiB))
    const after = await backUp(again, changed, { parent: before.stem })
    for (const { stem } of [before, between]) await expectIdentical(again, stem, disk)
    await expectIdentical(again, after.stem, changed)
    const report = await again.verify({ level: 'full', signal: noSignal, onProgress: () => undefined })
    expect(report.damages).toEqual([])
  },
)

test('a record of a newer maintenance key is no forgery: who opens the repository again goes on', async () => {
  const own = lab.over(lab.bucket.clone())
  await using open = await own.open()
  using admin = await adminOf(own)
  await admin.rotateKeys(['MK'], noSignal)
  await using again = await own.open()
  new GcScript(own.bucket, again.engine.ring).condemn(1, ['ab'.repeat(32)])
  await expect(backUp(open, disk)).rejects.toMatchObject({ code: 'KeyUnknown' })
  const { stem } = await backUp(again, disk)
  await expectIdentical(again, stem, disk)
})

test('keys are not changed where a newer version keeps rules that this one does not know', async () => {
  const own = lab.over(lab.bucket.clone())
  await using open = await own.open()
  const { ring } = open.engine
  const signer = ring.content.keys.find(({ no }) => no === ring.content.current.SIG)?.pub ?? ''
  const feat = signFeat({ repo: ring.repo, add: { ...NO_FEATURES, write: ['roles-2'] }, ms: 1, signer }, ring)
  own.bucket.set(names.feat(1, 'ab'.repeat(8)), feat)
  const there = own.bucket.names()
  using admin = await adminOf(own)
  expect(await admin.drill()).toHaveLength(1)
  await expect(admin.rotateKeys(['DEK'], noSignal)).rejects.toMatchObject({ code: 'FormatUnsupported' })
  await expect(admin.repair(noSignal)).rejects.toMatchObject({ code: 'FormatUnsupported' })
  expect(own.bucket.names()).toEqual(there)
})

test('a domain that was shredded is read no more, listed still, and takes no backup', async () => {
  const own = lab.over(lab.bucket.clone())
  await using open = await own.open()
  const { stem } = await backUp(open, disk)
  using admin = await adminOf(own)
  const { domain } = open.engine.ring
  await admin.shred(domain, domain, noSignal)
  await using again = await own.open()
  await expect(backUp(again, disk)).rejects.toMatchObject({ code: 'DomainShredded' })
  const points = await Array.fromAsync(again.listPoints())
  expect(points.map((point) => [point.stem, point.state])).toEqual([[stem, 'recovery-point']])
  await using point = await again.openPoint(stem)
  await expect(point.disk('disk').read(0, Buffer.alloc(MiB))).rejects.toMatchObject({ code: 'KeyUnknown' })
})

test('before a domain is shredded, every series says how many points it would lose', async () => {
  const own = lab.over(lab.bucket.clone())
  await using open = await own.open()
  const one = await backUp(open, disk, { vm: 'one', createdMs: 1_700_000_000_000 })
  const two = await backUp(open, disk, { vm: 'one', createdMs: 1_700_000_060_000 })
  const other = await backUp(open, disk, { vm: 'other', createdMs: 1_700_000_120_000 })
  const series = [one, other].map(({ stem }) => stem.split('/')[1])
  using admin = await adminOf(own)
  const there = own.bucket.names()
  const plan = await admin.shred(open.engine.ring.domain, undefined, noSignal)
  const [from, to, only] = [1_700_000_000_000, 1_700_000_060_000, 1_700_000_120_000]
  expect(plan.losses.toSorted((a, b) => b.points - a.points)).toEqual([
    { series: series[0], vm: 'vm', points: 2, oldestMs: from, newestMs: to },
    { series: series[1], vm: 'vm', points: 1, oldestMs: only, newestMs: only },
  ])
  expect(plan.unreadable).toEqual([])
  // What cannot be told is said, and counted for nobody.
  const body = Uint8Array.from(own.bucket.body(`${two.stem}.m`))
  body[300] = (body[300] ?? 0) ^ 1
  own.bucket.set(`${two.stem}.m`, body)
  const again = await admin.shred(open.engine.ring.domain, undefined, noSignal)
  expect(again.losses.map(({ points }) => points).sort()).toEqual([1, 1])
  expect(again.unreadable).toEqual([two.stem])
  expect(own.bucket.names()).toEqual(there)
})
