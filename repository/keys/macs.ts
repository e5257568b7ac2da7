import { timingSafeEqual } from 'node:crypto'
import { isHoldfastError, type HoldfastError } from '../../base/index.ts'
import {
  canonicalJson,
  formatError,
  isHex,
  without,
  type BinarySigner,
  type JsonKind,
  type JsonObject,
  type RecordMac,
} from '../format/index.ts'
import { hmac } from './derive.ts'
import type { KeyRing, MacBy } from './ring.ts'

const label = Buffer.from('holdfast/r1/json\0', 'latin1')

/** What a MAC says. `unverifiable`: no key of the kind is held at all (a role without the MK, §5.5). */
export type MacState = 'good' | 'bad' | 'unverifiable'

/**
 * A protected object as §3.3 needs it: it counts, or it does not and `why` says so. An object whose MAC holds but whose
 * version is unknown is neither: reading it throws FormatUnsupported.
 */
export type Opened<T> =
  | { readonly counts: true; readonly mac: 'good'; readonly value: T }
  | { readonly counts: false; readonly mac: 'bad'; readonly why: HoldfastError }
  | { readonly counts: false; readonly mac: 'unverifiable'; readonly value: T }

/** Bytes of a JSON object with the current writer or maintenance MAC (§4.1). `fields` come without `macKey`. */
export function protectJson<T extends { readonly macKey: number }>(
  kind: JsonKind<T>,
  fields: Omit<T, 'macKey'>,
  ring: KeyRing,
  by: MacBy,
): Buffer {
  const { no } = ring.current(by === 'writer' ? 'MDK' : 'MK')
  // Omit<T, 'macKey'> & { macKey } is T, which the compiler cannot see for a generic T.
  return signJson(kind.write({ ...fields, macKey: no } as unknown as T), ring, by)
}

/** Adds `mac` to an object that has its `macKey` already. */
export function signJson(raw: JsonObject, ring: KeyRing, by: MacBy): Buffer {
  const key = ring.macKey(by, Number(raw['macKey']))
  if (key === undefined) throw formatError('JSON object', `no key ${JSON.stringify(raw['macKey'])} to sign it with`)
  return canonicalJson({ ...raw, mac: jsonMac(key, raw).toString('hex') })
}

/** Canonical form, then MAC, then version and members (§4.1). Throws FormatUnsupported only. */
export function openJson<T>(kind: JsonKind<T>, bytes: Uint8Array, ring: KeyRing, by: MacBy): Opened<T> {
  try {
    const raw = kind.parse(bytes)
    const mac = verifyJson(raw, ring, by)
    if (mac === 'bad') return { counts: false, mac, why: formatError(`${kind.kind} object`, 'its MAC does not hold') }
    const value = kind.read(raw)
    return mac === 'good' ? { counts: true, mac, value } : { counts: false, mac, value }
  } catch (error) {
    if (isHoldfastError(error) && error.code === 'FormatError') return { counts: false, mac: 'bad', why: error }
    throw error
  }
}

export function verifyJson(raw: JsonObject, ring: KeyRing, by: MacBy): MacState {
  const { mac, macKey } = raw
  if (typeof mac !== 'string' || !isHex(mac, 32) || typeof macKey !== 'number') return 'bad'
  return compare(ring, by, macKey, Buffer.from(mac, 'hex'), (key) => jsonMac(key, raw))
}

/** Signs binary records with the current MK (§4.1). */
export function recordSigner(ring: KeyRing): BinarySigner {
  const { no } = ring.current('MK')
  const key = ring.macKey('maintenance', no)
  if (key === undefined) throw formatError(`key ${no}`, 'is no maintenance key')
  return { keyNo: no, sign: (preceding) => hmac(key, preceding) }
}

export function verifyRecord(record: RecordMac, ring: KeyRing): MacState {
  return compare(ring, 'maintenance', record.macKey, record.mac, (key) => hmac(key, record.covered))
}

/**
 * Whether a maintenance MAC holds. Throws KeyUnknown for a key that is not in the sets that were opened: after a rotation of
 * the MK that is no forgery, and whoever opens the repository again knows.
 */
export function isGenuine(record: RecordMac, ring: KeyRing): boolean {
  if (ring.holds('MK')) ring.key('MK', record.macKey)
  return verifyRecord(record, ring) === 'good'
}

function compare(ring: KeyRing, by: MacBy, no: number, found: Uint8Array, expected: (key: Buffer) => Buffer): MacState {
  if (!ring.holds(by === 'writer' ? 'MDK' : 'MK')) return 'unverifiable'
  const key = ring.macKey(by, no)
  return key !== undefined && timingSafeEqual(expected(key), found) ? 'good' : 'bad'
}

function jsonMac(key: Uint8Array, raw: JsonObject): Buffer {
  return hmac(key, Buffer.concat([label, canonicalJson(without(raw, 'mac'))]))
}
