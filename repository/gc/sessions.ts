import { HoldfastError, isHoldfastError } from '../../base/index.ts'
import type { Engine } from '../engine.ts'
import { names, parseName, sessionKind, type SessionOpen } from '../format/index.ts'
import { openSession } from '../keys/index.ts'
import { getWhole, listAll, throwIfAborted, type ObjectInfo } from '../store/index.ts'
import { DEFAULT_LEASE_SEC } from '../write/session-log.ts'
import { removeObject } from './remove.ts'

/** Objects of a session stay so long after it ended or its lease lapsed (§3.2). */
const SWEEP_MS = 7 * 24 * 60 * 60 * 1000

/** A session as its objects in `sess/` show it, by the store's clock. Liveness carries no safety (§7.1). */
export interface SessionState {
  readonly session: string
  /** Unix ms of its `open` object, or of the oldest that is left. */
  readonly startedMs: number
  /** Unix ms when its lease lapses, or when it ended. */
  readonly endMs: number
  readonly ended: boolean
  /** In the order of the listing. */
  readonly objects: readonly ObjectInfo[]
}

export function isLive(session: SessionState, nowMs: number): boolean {
  return !session.ended && session.endMs > nowMs
}

/** Every session in `sess/`. What cannot be understood counts as alive for the default lease. */
export async function* readSessions(engine: Engine, signal: AbortSignal): AsyncGenerator<SessionState> {
  let group: ObjectInfo[] = []
  let session: string | undefined
  for (const info of await listAll(engine.store, 'sess/')) {
    const parsed = parseName(info.name)
    if (parsed?.kind !== 'session') continue
    if (session !== undefined && parsed.sess !== session) {
      yield await stateOf(engine, session, group, signal)
      group = []
    }
    session = parsed.sess
    group.push(info)
  }
  if (session !== undefined) yield await stateOf(engine, session, group, signal)
}

async function stateOf(
  engine: Engine,
  session: string,
  objects: readonly ObjectInfo[],
  signal: AbortSignal,
): Promise<SessionState> {
  throwIfAborted(signal)
  const times = objects.map(({ modified }) => Number(modified))
  const startedMs = Math.min(...times)
  const newestMs = Math.max(...times)
  // Its `end` is the last object of part 0.
  const last = objects.filter(({ name }) => partOf(name) === 0).at(-1) ?? objects[0]
  const seen = last && (await clearOf(engine, last.name, signal))
  const leaseMs = 1000 * (seen?.leaseSec ?? DEFAULT_LEASE_SEC)
  const ended = seen?.type === 'end'
  return { session, startedMs, endMs: ended ? newestMs : newestMs + leaseMs, ended, objects }
}

async function clearOf(engine: Engine, name: string, signal: AbortSignal) {
  try {
    const bytes = await getWhole(engine.store, name, signal)
    return bytes && sessionKind.read(sessionKind.parse(bytes))
  } catch (error) {
    if (isHoldfastError(error) && error.code.startsWith('Format')) return undefined
    throw error
  }
}

function partOf(name: string): number | undefined {
  const parsed = parseName(name)
  return parsed?.kind === 'session' ? parsed.part : undefined
}

/** Every session with what its `open` object fixes; `plan` undefined: it cannot be understood, or is gone. */
export async function* readPlans(
  engine: Engine,
  signal: AbortSignal,
): AsyncGenerator<SessionState & { readonly plan: SessionOpen | undefined }> {
  for await (const session of readSessions(engine, signal)) {
    const name = names.session(session.session, 0, 1, 0)
    yield { ...session, plan: await planOf(engine, name, signal) }
  }
}

async function planOf(engine: Engine, name: string, signal: AbortSignal): Promise<SessionOpen | undefined> {
  try {
    const bytes = await getWhole(engine.store, name, signal)
    const content = bytes && openSession(engine.ring, bytes, name).content
    return content?.type === 'open' ? content : undefined
  } catch (error) {
    if (isHoldfastError(error) && (error.code.startsWith('Format') || error.code === 'KeyUnknown')) return undefined
    throw error
  }
}

/** Removes what is left of sessions that are long over. The `open` object goes last: without it a session cannot be entered. */
export async function sweepSessions(engine: Engine, signal: AbortSignal): Promise<number> {
  const nowMs = Number(await engine.store.now())
  let swept = 0
  for await (const session of readSessions(engine, signal)) {
    if (session.endMs + SWEEP_MS > nowMs) continue
    let left = 0
    for (const { name } of session.objects.toReversed()) {
      if ((await removeObject(engine.store, name)) === 'locked') left += 1
    }
    if (left === 0) swept += 1
  }
  return swept
}

/** Where a store's clock and this process's differ by more than this, nothing is pruned (§11.1). */
export const MAX_SKEW_MS = 5 * 60_000

/** Throws RetentionRefused if the clocks differ too much to decide by time. */
export async function requireClock(engine: Engine): Promise<number> {
  const nowMs = Number(await engine.store.now())
  const skewMs = nowMs - engine.clock()
  if (Math.abs(skewMs) <= MAX_SKEW_MS) return nowMs
  throw new HoldfastError(
    'RetentionRefused',
    `the store's clock differs from this host's by ${Math.round(skewMs / 1000)} s`,
    {
      hint: 'Nothing was removed. Set both clocks right.',
      data: { skewMs },
    },
  )
}
