import { randomBytes } from 'node:crypto'
import { describeError, HoldfastError } from '../../base/index.ts'
import type { Engine } from '../engine.ts'
import { holdKind, names, parseName, parseStem, toHex } from '../format/index.ts'
import { openJson, protectJson } from '../keys/index.ts'
import { getSmall } from '../read/manifest.ts'
import { listAll } from '../store/index.ts'
import { putSmall } from '../write/session-log.ts'
import { removeObject } from './remove.ts'
import type { HoldEntry, HoldRequest } from './types.ts'

/**
 * §11.2: publish, then look. The hold stands if no `.t` was seen after it, and then the `.ok`: whoever sees a tombstone later
 * sees the hold in the listing that follows. Throws HoldRefused; the hold is then taken back. What the store throws on the way
 * leaves the hold where it is: it keeps too much, never too little.
 */
export async function placeHold(engine: Engine, request: HoldRequest, signal: AbortSignal): Promise<string> {
  const { stem, type, actor, reason } = request
  const { snap } = parseStem(stem)
  const { store, ring } = engine
  if ((await store.head(names.snap(stem, 'tombstone'))) !== undefined) throw tooLate(stem, 'has a tombstone')
  const name = names.hold(snap, toHex(randomBytes(8)))
  const fields = { repo: ring.repo, snap, type, actor, reason, ms: engine.clock() }
  await putSmall(store, name, protectJson(holdKind, fields, ring, 'maintenance'), signal)
  // In this order: removal deletes `.ok` first and `.t` last (§7.5, §11.3).
  const tombstone = await store.head(names.snap(stem, 'tombstone'))
  const validated = tombstone === undefined ? await store.head(names.snap(stem, 'validated')) : undefined
  if (validated !== undefined) return name
  const refused = tooLate(
    stem,
    tombstone === undefined ? 'is not validated, or no longer there' : 'has got a tombstone',
  )
  try {
    if ((await removeObject(store, name)) === 'locked') throw new Error('it is under retention')
  } catch (error) {
    throw new HoldfastError(
      'HoldRefused',
      `${refused.message}; the hold could not be taken back: ${describeError(error)}`,
      {
        cause: error,
        hint: `Remove ${name} with \`holdfast repo release\`.`,
        data: { stem, hold: name },
      },
    )
  }
  throw refused
}

/** Every hold, whether or not its content counts: the name alone keeps (§3.3). */
export async function listHolds(engine: Engine, signal: AbortSignal): Promise<HoldEntry[]> {
  const holds: HoldEntry[] = []
  for (const { name } of await listAll(engine.store, 'hold/')) {
    const parsed = parseName(name)
    if (parsed?.kind !== 'hold') continue
    const bytes = await getSmall(engine.store, name, signal)
    if (bytes === undefined) continue
    const opened = openJson(holdKind, bytes, engine.ring, 'maintenance')
    if (opened.counts) {
      const { type, actor, reason, ms } = opened.value
      holds.push({ name, snap: parsed.snap, type, actor, reason, ms })
    } else {
      engine.warn(`${name} is not genuine; it keeps its snapshot until an administrator removes it`)
      holds.push({ name, snap: parsed.snap, type: 'unknown', actor: '', reason: '', ms: null })
    }
  }
  return holds
}

/** Releases one hold by its name. Again: yes. */
export async function releaseHold(engine: Engine, name: string): Promise<void> {
  if (parseName(name)?.kind !== 'hold') {
    throw new HoldfastError('InvalidRequest', `not a hold: ${name}`, { hint: 'Give its name (hold/…).' })
  }
  if ((await removeObject(engine.store, name)) === 'removed') return
  throw new HoldfastError('StoreLocked', `${name} is under retention: the bucket locks objects by itself`, {
    data: { object: name },
  })
}

function tooLate(stem: string, why: string): HoldfastError {
  return new HoldfastError('HoldRefused', `${stem} ${why}`, { data: { stem } })
}
