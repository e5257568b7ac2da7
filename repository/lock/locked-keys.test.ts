import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { openKeyAdminWith } from '../key-admin/index.ts'
import {
  backUp,
  deriveOnce,
  expectIdentical,
  noSignal,
  passphrase,
  RepositoryLab,
  smallDisk,
  type MemoryBucket,
} from '../testing/index.ts'
import { DAY_MS } from './index.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const DAYS = 10
const GENERATION = 5
const secret = { kind: 'passphrase', passphrase } as const

let lab: RepositoryLab
beforeAll(async () => {
  lab = await RepositoryLab.create(undefined, { days: DAYS, generationDays: GENERATION })
})
afterAll(async () => {
  await lab[Symbol.asyncDispose]()
})

let bucket: MemoryBucket
beforeEach(() => {
  bucket = lab.bucket.clone()
})

const admin = () => {
  const location = { kind: 'posix', path: '/nowhere' } as const
  return openKeyAdminWith({ location, secret }, { connect: () => bucket.connect(), derive: deriveOnce })
}
const recovery = () => ({ kind: 'recovery', text: lab.recoveryKey }) as const
const opens = async (by: Parameters<typeof openKeyAdminWith>[0]['secret']) => {
  const location = { kind: 'posix', path: '/nowhere' } as const
  using keys = await openKeyAdminWith({ location, secret: by }, { connect: () => bucket.connect(), derive: deriveOnce })
  return await keys.dataKeys().then(
    () => true,
    () => false,
  )
}

test('every key object is locked from the moment at which it is put', async () => {
  using keys = await admin()
  await keys.addSlot({ type: 'recovery', label: 'more' }, async () => undefined, noSignal)
  const names = bucket.names('keys/')
  expect(names).toHaveLength(5)
  for (const name of names) expect([name, bucket.lockedUntil(name) > bucket.now()]).toEqual([name, true])
})

test('a slot under retention is not removed, and the way to take its secret back is named', async () => {
  using keys = await admin()
  const slot = await keys.addSlot({ type: 'recovery', label: 'more' }, async () => undefined, noSignal)
  const before = bucket.names()
  await expect(keys.removeSlot(slot.id, noSignal)).rejects.toMatchObject({
    code: 'StoreLocked',
    hint: expect.stringContaining('key rotate --kek') as string,
  })
  expect(bucket.names()).toEqual(before)
})

test('a rotation leaves the old generation until its retention is over; a repair then removes it', async () => {
  {
    using keys = await admin()
    const old = bucket.names('keys/')
    const wish = { keep: [recovery()], add: [] }
    const done = await keys.rotateKek(wish, async () => undefined, noSignal)
    expect(done.kekGen).toBe(2)
    expect([...done.left].sort()).toEqual(old)
    expect(bucket.names('keys/')).toEqual(expect.arrayContaining(old))
  }
  // A backup extends what is in force, and nothing that was revoked.
  bucket.aheadMs += GENERATION * DAY_MS
  const model = smallDisk(1)
  await using repository = await lab.over(bucket).open({ clock: () => bucket.now() })
  const { stem } = await backUp(repository, model)
  const until = (await repository.points.load(stem, false)).manifest.header.lockUntilSec * 1000
  for (const name of bucket.names('keys/')) {
    expect([name, bucket.lockedUntil(name) >= until]).toEqual([name, name.startsWith('keys/00000002-')])
  }
  bucket.aheadMs += DAYS * DAY_MS
  using later = await admin()
  // It writes sets anew; those that they replace are locked still, and of the same generation.
  expect((await later.repair(noSignal)).filter((name) => !name.startsWith('keys/00000002-set-'))).toEqual([])
  expect(bucket.names('keys/').every((name) => name.startsWith('keys/00000002-'))).toBe(true)
  expect(await opens(recovery())).toBe(true)
  await expectIdentical(repository, stem, model)
})

test('a domain is not shredded while a key set under retention still holds its keys: nothing is changed', async () => {
  using keys = await admin()
  const domain = (await keys.dataKeys()).find(({ type }) => type === 'DEK')?.domain ?? ''
  const before = bucket.names()
  await expect(keys.shred(domain, domain, noSignal)).rejects.toMatchObject({
    code: 'StoreLocked',
    message: expect.stringContaining('under retention until') as string,
  })
  expect(bucket.names()).toEqual(before)
})
