import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { isHoldfastError, millis } from '../../base/index.ts'
import { expect, putOutcome } from './probe-expect.ts'
import type { ObjectStore } from './store.ts'

/** Milliseconds. */
export interface LockTimes {
  readonly locked: number
  readonly extended: number
  /** Stores and we round to whole seconds. */
  readonly rounding: number
}
/** Long enough for a slow store to answer some requests in it. */
const TIMES: LockTimes = { locked: 15_000, extended: 20_000, rounding: 2_000 }

/** Check 9: a locked object stays, its retention can be extended, and it can be removed once that is over. */
export async function probeLock(store: ObjectStore, name: string, times = TIMES): Promise<string> {
  const now = await store.now()
  const until = millis(now + times.locked)
  await putOutcome(store, name, randomBytes(64), { retainUntil: until })
  const there = await store.head(name)
  expect((there?.retainUntil ?? 0) >= until, 'the retention that was set with the put is not there')
  expect(await isRefused(store, name), 'an object under retention was deleted')
  const later = millis(now + times.extended)
  await store.extendRetention?.(name, later)
  expect(((await store.head(name))?.retainUntil ?? 0) >= later, 'the retention was not extended')
  // It never shortens; asked to, it leaves what is there.
  await store.extendRetention?.(name, until)
  expect(((await store.head(name))?.retainUntil ?? 0) >= later, 'the retention was shortened')
  await sleep(Math.max(0, later - (await store.now()) + times.rounding))
  await store.delete(name)
  expect((await store.head(name)) === undefined, 'an object whose retention is over cannot be deleted')
  return 'a locked object stays, its retention can be extended, and ends'
}

async function isRefused(store: ObjectStore, name: string): Promise<boolean> {
  try {
    await store.delete(name)
    return false
  } catch (error) {
    if (isHoldfastError(error) && error.code === 'StoreLocked') return true
    throw error
  }
}
