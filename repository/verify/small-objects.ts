import { isHoldfastError } from '../../base/index.ts'
import { checkSegment, fmtKind, formatError, names, parseName, toHex } from '../format/index.ts'
import { checkSigner, inspectKeys, openFmt, sha256, type KeyObject } from '../keys/index.ts'
import { getObject, listAll } from '../store/index.ts'
import type { StoredEngine } from '../engine.ts'
import type { Context } from './context.ts'
import type { DamageLog } from './damage-log.ts'

/** The three replicas of the descriptor: each is there, signed by us and the same (§4.11). */
export async function checkDescriptor({ engine, ring, log, reread, signal }: Context): Promise<void> {
  for (const replica of [0, 1, 2] as const) {
    const name = names.fmt(replica)
    const reading = await reread.read(name, async (store) => {
      const bytes = await getObject(store, name, signal)
      const { fmt, ignored } = openFmt([{ name, bytes }])
      for (const { why } of ignored) throw formatError(name, why)
      if (ring !== undefined) checkSigner(fmt, ring)
      if (JSON.stringify(fmtKind.write(fmt)) !== JSON.stringify(fmtKind.write(engine.fmt))) {
        throw formatError(name, 'differs from the other replicas')
      }
    })
    if (reading.sound) continue
    const { error, proved } = reading
    const message = error.code === 'ObjectAbsent' ? 'this replica of the descriptor is missing' : error.message
    log.add({ pack: null, object: name, found: 'L1', message, proved: proved || error.code === 'RecordForged' })
  }
}

/** §12.1 L1, §5.4: each object in `keys/` hashes to its name; the rule of two slots and two sets still holds. */
export async function checkKeys({ engine, log, reread, signal }: Context): Promise<void> {
  const objects: KeyObject[] = []
  for (const { name } of await listAll(engine.store, 'keys/')) {
    if (parseName(name) === undefined) continue
    const reading = await reread.read(name, async (store) => {
      const object = { name, bytes: await getObject(store, name, signal) }
      const [damaged] = inspectKeys([object], engine.fmt.repo).damaged
      if (damaged !== undefined) throw formatError(name, damaged.why)
      return object
    })
    if (reading.sound) objects.push(reading.value)
    else log.add({ pack: null, object: name, found: 'keys', message: reading.error.message, proved: reading.proved })
  }
  const { slots, sets } = inspectKeys(objects, engine.fmt.repo)
  const recovery = slots.filter(({ slot }) => slot.type === 'recovery' || slot.type === 'hpke')
  if (slots.length >= 2 && recovery.length >= 1 && sets.length >= 2) return
  const found = `${slots.length} sound slots (${recovery.length} for recovery) and ${sets.length} sound key sets`
  const message = `${found}: two slots, one of them for recovery, and two sets must exist`
  log.add({ pack: null, object: 'keys/', found: 'keys', message, proved: true })
}

/** Every segment hashes to its name and is consistent in itself (§4.6). A bad one costs deduplication, no data. */
export async function checkSegments({ engine, log, reread, signal }: Context): Promise<void> {
  for (const { name, size } of await listAll(engine.store, 'idx/')) {
    const parsed = parseName(name)
    if (parsed?.kind !== 'segment') continue
    const reading = await reread.read(name, async (store) => {
      const grant = await engine.budget.acquire(Math.min(size, engine.budget.limit), signal)
      try {
        const bytes = await getObject(store, name, signal)
        if (toHex(sha256(bytes)) !== parsed.sha) throw formatError(name, 'its bytes do not hash to its name')
        return checkSegment(bytes).repo
      } finally {
        grant.release()
      }
    })
    if (reading.sound) {
      if (reading.value !== engine.fmt.repo) log.note(`${name} belongs to repository ${reading.value} and is not used`)
      continue
    }
    // Merged into another one since the listing.
    if (reading.error.code === 'ObjectAbsent') continue
    log.add({ pack: null, object: name, found: 'L1', message: reading.error.message, proved: reading.proved })
  }
}

/** The state of garbage collection, if it can be read: without a floor everything but reading stops (§15). */
export async function readGcState(engine: StoredEngine, log: DamageLog, signal: AbortSignal): Promise<Context['gc']> {
  try {
    return await engine.gc.read(engine.store, signal)
  } catch (error) {
    const told = ['FloorMissing', 'ListingIncomplete', 'RecordForged', 'FormatError']
    if (!isHoldfastError(error) || !told.includes(error.code)) throw error
    if (error.code === 'RecordForged' || error.code === 'FormatError') {
      // Which object it is, checkRecords finds out.
      log.note(`nothing is excused by garbage collection: ${error.message}`)
      return undefined
    }
    const object = error.code === 'FloorMissing' ? 'floor/' : 'gc/'
    log.add({ pack: null, object, found: 'L1', message: error.message, proved: true })
    return undefined
  }
}
