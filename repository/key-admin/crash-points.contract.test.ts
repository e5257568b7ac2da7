/**
 * The administrator dies at every store call of every change of keys, in three ways: the call is not made, its answer is
 * lost, or a put leaves half an object. The repository must open at once with whatever opened it before or after, and the
 * same command, given again, must end what was begun.
 */
import { beforeAll, describe, expect, test } from 'vitest'
import { inspectKeys, requireComplete } from '../keys/index.ts'
import { keyObjects } from '../objects.ts'
import { FaultClock, FaultyStore, type Fault } from '../store/index.ts'
import type { UnlockSecret } from '../types.ts'
import { atCrashPoints } from '../testing/crash-points.ts'
import type { KeyAdmin } from './admin.ts'
import { listKeys } from './listing.ts'
import { argon2, domain, KeyLab, noSignal, nothing, passphrase, repo } from './testing.ts'

let base: KeyLab
let escrow: UnlockSecret
let shares: UnlockSecret
const leaver = passphrase('leaver')
beforeAll(async () => {
  base = await KeyLab.create()
  await base.addPassphrase('leaver')
  escrow = (await base.addEscrow()).secret
  shares = { kind: 'shares', texts: (await base.addShares(2, 3)).texts }
})

interface Change {
  readonly name: string
  readonly run: (admin: KeyAdmin, lab: KeyLab) => Promise<unknown>
  /** What opens the repository at every moment, and when all is done. */
  readonly always: () => readonly UnlockSecret[]
  /** What does not open it any more when all is done. */
  readonly never?: () => readonly UnlockSecret[]
}

const rest = () => [base.first, base.recovery, escrow, shares, leaver]
const idOf = async (lab: KeyLab, label: string) =>
  (await listKeys(lab.bucket.connect(), repo)).slots.find((slot) => slot.label === label)?.id ?? ''

const changes: readonly Change[] = [
  {
    name: 'rotating the KEK',
    run: async (admin, lab) => {
      const slots = (await listKeys(lab.bucket.connect(), repo)).slots.filter(({ isCurrent }) => isCurrent)
      const revoke = slots.filter(({ label }) => ['leaver', 'board'].includes(label)).map(({ id }) => id)
      await admin.rotateKek({ keep: [base.recovery], revoke }, nothing, noSignal)
    },
    always: () => [base.first, base.recovery, escrow],
    never: () => [leaver, shares],
  },
  {
    name: 'rotating the data keys',
    run: (admin) => admin.rotateKeys(['DEK', 'MDK', 'MK', 'SIG'], noSignal),
    always: rest,
  },
  {
    name: 'adding a slot',
    run: (admin) => admin.addSlot({ type: 'passphrase', passphrase: 'new', label: 'new', argon2 }, nothing, noSignal),
    always: rest,
  },
  {
    name: 'removing a slot',
    run: async (admin, lab) => {
      const id = await idOf(lab, 'leaver')
      if (id !== '') await admin.removeSlot(id, noSignal)
    },
    always: () => [base.first, base.recovery, escrow, shares],
    never: () => [leaver],
  },
  { name: 'repairing', run: (admin) => admin.repair(noSignal), always: rest },
]

type Death = (isPut: boolean) => Fault
const deaths: { readonly [name: string]: Death } = {
  'before the call': () => ({ kind: 'fail', code: 'StoreUnavailable' }),
  'before its answer': () => ({ kind: 'lost-answer' }),
  'half-way through a put': (isPut) => (isPut ? { kind: 'torn' } : { kind: 'fail', code: 'StoreUnavailable' }),
}

/** Runs a change whose process dies at its n-th store call. */
async function attempt(
  lab: KeyLab,
  change: Change,
  n: number,
  death: Death,
): Promise<{ readonly lived: boolean; readonly calls: number }> {
  const clock = new FaultClock()
  const store = new FaultyStore(
    lab.bucket.connect(),
    (call) => {
      if (call.n === n) return death(call.op === 'put')
      return call.n > n ? { kind: 'fail', code: 'StoreUnavailable' } : undefined
    },
    clock,
  )
  try {
    using admin = lab.admin(base.first, store)
    await change.run(admin, lab)
    return { lived: true, calls: clock.calls.length }
  } catch (error) {
    expect(error).toMatchObject({ code: 'StoreUnavailable' })
    return { lived: false, calls: clock.calls.length }
  }
}

async function expectWhole(lab: KeyLab, change: Change, known: readonly number[]): Promise<void> {
  requireComplete(inspectKeys(await keyObjects(lab.bucket.connect()), repo))
  for (const secret of change.always()) {
    const { ring } = await lab.unlock(secret)
    expect(ring.content.keys.map(({ no }) => no)).toEqual(expect.arrayContaining([...known]) as number[])
    for (const type of ['IDK', 'DEK', 'MDK', 'MK', 'SIG'] as const) expect(ring.current(type).key).toHaveLength(32)
  }
}

/** A change that has been made: nothing of an older generation or revision is left, but halves of objects that nobody can open. */
async function expectDone(lab: KeyLab, change: Change, known: readonly number[], way: string): Promise<void> {
  await expectWhole(lab, change, known)
  for (const secret of change.never?.() ?? []) expect(await lab.opens(secret)).toBe(false)
  const listing = await listKeys(lab.bucket.connect(), repo)
  const sound = listing.sets.filter((set) => set.sound)
  expect(new Set(sound.map(({ rev, kekGen }) => `${rev} ${kekGen}`)).size).toBe(1)
  expect(sound.length).toBe(2)
  if (way !== 'half-way through a put') expect(listing.slots.every(({ isCurrent }) => isCurrent)).toBe(true)
}

describe.each(changes)('$name', (change) => {
  test.each(Object.keys(deaths))('survives a death %s, whichever it is, and is ended by the next try', async (way) => {
    const known = (await base.unlock(base.first)).ring.content.keys.map(({ no }) => no)
    const death = deaths[way]
    if (death === undefined) throw new Error(way)
    const whole = base.clone()
    const { calls } = await attempt(whole, change, Infinity, death)
    expect(calls).toBeGreaterThan(5)
    await expectDone(whole, change, known, way)
    let died = 0
    await atCrashPoints(calls, 3, async (n) => {
      const lab = base.clone()
      if ((await attempt(lab, change, n, death)).lived) return
      died++
      await expectWhole(lab, change, known)
      expect(await attempt(lab, change, Infinity, death)).toMatchObject({ lived: true })
      await expectDone(lab, change, known, way)
    })
    expect(died).toBeGreaterThan(0)
  })
})

test('shredding either has not happened, or has for good; a second try ends it', async () => {
  const [dek = 0] = Object.values((await base.unlock(base.first)).ring.content.current.DEK)
  const shred: Change = {
    name: '',
    run: (admin) => admin.shred(domain, domain, noSignal),
    always: rest,
  }
  for (let n = 1, lived = false; !lived; n++) {
    const lab = base.clone()
    lived = (await attempt(lab, shred, n, () => ({ kind: 'fail', code: 'StoreUnavailable' }))).lived
    if (!lived) await attempt(lab, shred, Infinity, () => ({ kind: 'lost-answer' }))
    for (const secret of rest()) {
      const { ring } = await lab.unlock(secret)
      expect(() => ring.key('DEK', dek)).toThrow(expect.objectContaining({ code: 'KeyUnknown' }))
      expect(ring.current('MDK').key).toHaveLength(32)
    }
  }
})
