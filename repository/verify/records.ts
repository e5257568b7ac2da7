import { HoldfastError } from '../../base/index.ts'
import {
  abandonKind,
  decodeCondemned,
  decodeFinal,
  decodeFloor,
  decodeRoster,
  formatError,
  holdKind,
  ownerKind,
  parseName,
  probeKind,
  quarantineKind,
  tombstoneKind,
  type JsonKind,
  type ParsedName,
  type RecordMac,
} from '../format/index.ts'
import { openFeat, openJson, openSession, verifyRecord, type KeyRing, type MacBy } from '../keys/index.ts'
import { getObject, listAll } from '../store/index.ts'
import type { Context } from './context.ts'

const PREFIXES = ['feat/', 'floor/', 'gc/', 'hold/', 'own/', 'bad/', 'probe/', 'snap/'] as const

/**
 * §12.1 L1 of what is neither data nor a point: each object can be decoded, says what its name says, and its MAC or signature
 * holds as far as keys are at hand. No bytes of a disk depend on them, but what collects, prunes and holds does. Session
 * objects, the largest of them, are looked at with the levels that read packs.
 */
export async function checkRecords({ engine, ring, level, log, reread, signal }: Context): Promise<void> {
  const prefixes = level === 'quick' ? PREFIXES : [...PREFIXES, 'sess/']
  for (const prefix of prefixes) {
    for (const { name } of await listAll(engine.store, prefix)) {
      const parsed = parseName(name)
      const check = parsed && checkOf(parsed, ring)
      if (check === undefined) continue
      const reading = await reread.read(name, async (store) => {
        const repo = check(await getObject(store, name, signal), name)
        if (repo !== undefined && repo !== engine.fmt.repo) throw formatError(name, `belongs to repository ${repo}`)
      })
      // Removed since the listing.
      if (reading.sound || reading.error.code === 'ObjectAbsent') continue
      const { error, proved } = reading
      log.add({ pack: null, object: name, found: 'L1', message: error.message, proved })
    }
  }
}

/** Throws what is wrong; the repository that the object says it belongs to. */
type Check = (bytes: Uint8Array, name: string) => string | undefined

/** undefined: another step looks at it, or it is not ours. */
function checkOf(parsed: ParsedName, ring: KeyRing | undefined): Check | undefined {
  switch (parsed.kind) {
    case 'floor':
      return record(decodeFloor, ring, ({ n }) => n === parsed.n)
    case 'condemned':
      return record(decodeCondemned, ring, ({ epoch, nonce }) => epoch === parsed.epoch && nonce === parsed.nonce)
    case 'final':
      return record(decodeFinal, ring, ({ epoch, nonce }) => epoch === parsed.epoch && nonce === parsed.nonce)
    case 'roster':
      return record(decodeRoster, ring, ({ epoch, nonce }) => epoch === parsed.epoch && nonce === parsed.nonce)
    case 'hold':
      return json(holdKind, ring, 'maintenance', ({ snap }) => snap === parsed.snap)
    case 'tombstone':
      return json(tombstoneKind, ring, 'maintenance', ({ snap }) => snap === parsed.snap)
    case 'abandon':
      return json(abandonKind, ring, 'maintenance', ({ snap }) => snap === parsed.snap)
    case 'owner':
      return json(ownerKind, ring, 'writer', ({ series }) => series === parsed.series)
    case 'quarantine':
      return json(quarantineKind, undefined, undefined, ({ pack }) => pack === parsed.pack)
    case 'probe':
      return json(probeKind, undefined, undefined, () => true)
    case 'feat':
      return ring && ((bytes) => featRepo(bytes, ring))
    case 'session':
      return ring && ((bytes, name) => openSession(ring, bytes, name).object.repo)
    default:
      return undefined
  }
}

function featRepo(bytes: Uint8Array, ring: KeyRing): string {
  const opened = openFeat(bytes, ring.signers)
  if ('why' in opened) throw opened.why
  return opened.feat.repo
}

function record<T extends RecordMac & { readonly repo: string }>(
  decode: (bytes: Uint8Array) => T,
  ring: KeyRing | undefined,
  agrees: (value: T) => boolean,
): Check {
  return (bytes, name) => {
    const value = decode(bytes)
    if (!agrees(value)) throw formatError(name, 'says something else than its name')
    if (ring !== undefined && verifyRecord(value, ring) === 'bad') throw formatError(name, 'its MAC does not hold')
    return value.repo
  }
}

function json<T extends { readonly repo: string }>(
  kind: JsonKind<T>,
  ring: KeyRing | undefined,
  by: MacBy | undefined,
  agrees: (value: T) => boolean,
): Check {
  return (bytes, name) => {
    const value = ring === undefined || by === undefined ? kind.read(kind.parse(bytes)) : opened(kind, bytes, ring, by)
    if (!agrees(value)) throw formatError(name, 'says something else than its name')
    return value.repo
  }
}

function opened<T>(kind: JsonKind<T>, bytes: Uint8Array, ring: KeyRing, by: MacBy): T {
  const object = openJson(kind, bytes, ring, by)
  if (object.mac !== 'bad') return object.value
  throw new HoldfastError('FormatError', object.why.message, { cause: object.why })
}
