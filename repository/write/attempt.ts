import { describeError } from '../../base/index.ts'
import type { Engine } from '../engine.ts'
import type { ObjectStore } from '../store/index.ts'

/**
 * Runs one attempt of a part or commit over a connection of its own. The first failure stops everything under way, and what
 * was put and not flushed is given up: nobody else could use it, and every retry would fill the store further.
 */
export async function inAttempt<T>(
  engine: Engine,
  outer: AbortSignal,
  work: (store: ObjectStore, controller: AbortController) => Promise<T>,
): Promise<T> {
  const controller = new AbortController()
  const onAbort = () => controller.abort(outer.reason)
  outer.addEventListener('abort', onAbort, { once: true })
  if (outer.aborted) onAbort()
  const store = engine.connect()
  try {
    return await work(store, controller)
  } catch (error) {
    controller.abort(error)
    await giveUp(engine, store)
    throw error
  } finally {
    outer.removeEventListener('abort', onAbort)
  }
}

/** The attempt's own error counts; what could not be removed is swept by the store after a day. */
async function giveUp(engine: Engine, store: ObjectStore): Promise<void> {
  try {
    await store.discard()
  } catch (error) {
    engine.warn(`what a failed attempt had written is still there: ${describeError(error)}`)
  }
}
