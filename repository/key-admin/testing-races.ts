/**
 * Administrators and writers at once, their store calls in every order that fast-check comes upon, some of them dying on the
 * way. What must hold: a data key that any writer was ever given for new data is never lost.
 */
import fc from 'fast-check'
import { expect } from 'vitest'
import { isHoldfastError } from '../../base/index.ts'
import { inspectKeys, requireComplete } from '../keys/index.ts'
import { keyObjects } from '../objects.ts'
import { FaultClock, FaultyStore, type ObjectStore } from '../store/index.ts'
import type { MemoryBucket } from '../testing/memory-store.ts'
import type { UnlockSecret } from '../types.ts'
import { listKeys } from './listing.ts'
import { argon2, KeyLab, noSignal, nothing, passphrase, repo } from './testing.ts'

const leaver = passphrase('leaver')

/** What an actor may end with, besides success. */
const expected = ['KeysConflict', 'KeysSuperseded', 'StoreUnavailable', 'KeysIncomplete', 'NotFound', 'InvalidRequest']

type Actor = 'rotate-kek' | 'rotate-dek' | 'add' | 'remove' | 'repair' | 'write' | 'write as leaver'
const actor = fc.record({
  does: fc.constantFrom<Actor>('rotate-kek', 'rotate-dek', 'add', 'remove', 'repair', 'write', 'write as leaver'),
  /** Store call at which it dies. */
  dies: fc.option(fc.integer({ min: 1, max: 40 }), { nil: Infinity }),
})

/** A connection whose calls are let through in the order of the scheduler. */
function scheduled(bucket: MemoryBucket, scheduler: fc.Scheduler, dies: number): ObjectStore {
  const plan = (call: { readonly n: number }) =>
    call.n >= dies ? ({ kind: 'fail', code: 'StoreUnavailable' } as const) : undefined
  const inner = new FaultyStore(bucket.connect(), plan, new FaultClock())
  return new Proxy(inner, {
    get(target, property) {
      const member: unknown = Reflect.get(target, property, target)
      if (typeof member !== 'function') return member
      return async (...args: unknown[]): Promise<unknown> => {
        await scheduler.schedule(Promise.resolve(), String(property))
        return await (member as (...args: unknown[]) => Promise<unknown>).apply(target, args)
      }
    },
  })
}

/** Runs the property; a failure prints its seed. Returns what happened in all runs together. */
export async function runRaces(
  numRuns: number,
): Promise<{ readonly kekRotations: number; readonly collisions: number; readonly written: number }> {
  const base = await KeyLab.create()
  await base.addPassphrase('leaver')
  let [kekRotations, collisions, written] = [0, 0, 0]
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), fc.array(actor, { minLength: 2, maxLength: 5 }), async (scheduler, actors) => {
      const lab = base.clone()
      const used = new Set<number>()
      const write = async (secret: UnlockSecret, store: ObjectStore) => {
        const objects = await keyObjects(store)
        requireComplete(inspectKeys(objects, repo))
        const { ring, conflict, superseded } = await lab.unlock(secret, store)
        // As requireWritable has it.
        if (conflict.length === 0 && superseded === undefined) used.add(ring.current('DEK').no)
      }
      const act = async ({ does, dies }: { does: Actor; dies: number }, index: number) => {
        const store = scheduled(lab.bucket, scheduler, dies)
        if (does === 'write') return await write(lab.first, store)
        if (does === 'write as leaver') return await write(leaver, store)
        using admin = lab.admin(lab.first, store)
        if (does === 'rotate-dek') return void (await admin.rotateKeys(['DEK'], noSignal))
        if (does === 'repair') return void (await admin.repair(noSignal))
        if (does === 'add') {
          const wish = { type: 'passphrase', passphrase: `p${index}`, label: '', argon2 } as const
          return void (await admin.addSlot(wish, nothing, noSignal))
        }
        const id = (await listKeys(store, repo)).slots.find(({ label }) => label === 'leaver')?.id ?? 'gone'
        if (does === 'remove') return void (await admin.removeSlot(id, noSignal))
        await admin.rotateKek({ keep: [lab.recovery], revoke: [id] }, nothing, noSignal)
        kekRotations++
      }
      const ends = Promise.allSettled(actors.map(act))
      await scheduler.waitFor(ends)
      for (const end of await ends) {
        if (end.status === 'fulfilled') continue
        const reason: unknown = end.reason
        const isLeaver = isHoldfastError(reason) && reason.code === 'WrongSecret'
        if (!isLeaver && !(isHoldfastError(reason) && expected.includes(reason.code))) throw reason
        if (isHoldfastError(reason) && reason.code === 'KeysConflict') collisions++
      }
      written += used.size
      // Both secrets that every rotation keeps open the repository, now and after a repair.
      for (const tidy of [false, true]) {
        if (tidy) {
          using admin = lab.admin()
          await admin.repair(noSignal)
        }
        for (const secret of [lab.first, lab.recovery]) {
          const { ring, superseded } = await lab.unlock(secret)
          expect(superseded).toBeUndefined()
          for (const no of used) expect(ring.key('DEK', no)).toHaveLength(32)
        }
      }
      requireComplete(inspectKeys(await keyObjects(lab.bucket.connect()), repo))
    }),
    { numRuns },
  )
  return { kekRotations, collisions, written }
}
