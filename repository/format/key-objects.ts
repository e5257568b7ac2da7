import { z } from 'zod'
import { bounds } from './bounds.ts'
import { demand, formatError } from './errors.ts'
import { canonicalJson, parseCanonicalObject } from './canonical-json.ts'
import { jsonKind } from './json-object.ts'
import { base64url, checkSchema, checkVersion, hash, hexOf, integer, optional, text, uuid } from './schema.ts'

const keyNumber = integer.min(1).max(0xffffffff)
const nonce = hexOf(12)
const kekGen = integer.min(1).max(0xffffffff)
const { mMin, mMax, tMax, pMax } = bounds.argon2

/** §4.12: Argon2id costs; m in KiB. */
export const argon2Cost = z.object({
  alg: z.literal('argon2id'),
  m: integer.min(mMin).max(mMax),
  t: integer.min(1).max(tMax),
  p: integer.min(1).max(pMax),
  salt: hexOf(16),
})
export type Argon2Cost = z.infer<typeof argon2Cost>

const slot = z.object({
  repo: uuid,
  kekGen,
  role: text,
  /** R1 opens "passphrase", "recovery", "hpke" and "shamir"; others are passed over. */
  type: text,
  label: text,
  ms: integer,
  check: hexOf(16),
  kdf: optional(argon2Cost),
  nonce: optional(nonce),
  wrapped: optional(hexOf(48)),
  /** hpke: which algorithms, the raw public key, and the encapsulated key. */
  suite: optional(text),
  recipient: optional(hexOf(32)),
  enc: optional(base64url),
  /** shamir: how many shares are needed, and how many were printed. */
  threshold: optional(integer.min(2).max(255)),
  shares: optional(integer.min(2).max(255)),
})

/** `keys/…-slot-…` (§5.4): one way to unwrap a KEK. Which members are there depends on the type. */
export type KeySlot = z.infer<typeof slot>
export const keySlotKind = jsonKind('key-slot', bounds.json.keys, slot, (fields, what) => {
  if (fields.type === 'passphrase' || fields.type === 'recovery') {
    demand(fields.nonce !== undefined && fields.wrapped !== undefined, what, 'nonce or wrapped is missing')
    demand((fields.kdf !== undefined) === (fields.type === 'passphrase'), what, 'kdf does not fit the type')
  } else if (fields.type === 'hpke') {
    const { suite, recipient, enc } = fields
    demand(
      suite !== undefined && recipient !== undefined && enc !== undefined,
      what,
      'suite, recipient or enc is missing',
    )
    demand(fields.wrapped !== undefined, what, 'wrapped is missing')
  } else if (fields.type === 'shamir') {
    const { threshold, shares } = fields
    demand(threshold !== undefined && shares !== undefined, what, 'threshold or shares is missing')
    demand(threshold <= shares, what, 'more shares are needed than there are')
  }
})

const set = z.object({ repo: uuid, kekGen, role: text, rev: integer, ms: integer, nonce, wrapped: base64url })
/** `keys/…-set-…` (§5.3): data keys wrapped by a KEK. */
export type KeySet = z.infer<typeof set>
export const keySetKind = jsonKind('key-set', bounds.json.keys, set)

/** CIK and PIK are derived keys as phase-2 roles hold them (§5.5). */
const keyType = z.enum(['IDK', 'DEK', 'MDK', 'MK', 'SIG', 'CIK', 'PIK'])
export type KeyType = z.infer<typeof keyType>

const key = z.object({
  no: keyNumber,
  type: keyType,
  /** For IDK and DEK. */
  domain: optional(uuid),
  createdMs: integer,
  key: hash,
  /** For SIG. */
  pub: optional(hash),
})
export type KeyEntry = z.infer<typeof key>

const content = z.object({
  v: z.literal(1),
  repo: uuid,
  role: text,
  rev: integer,
  keys: z.array(key),
  current: z.object({
    IDK: z.record(text, keyNumber),
    DEK: z.record(text, keyNumber),
    MDK: keyNumber,
    MK: keyNumber,
    SIG: keyNumber,
  }),
})
/** Plaintext of a key set. `current` names, by type (and domain), the key that new data is written with. */
export type KeySetContent = z.infer<typeof content>

export function encodeKeySetContent(fields: KeySetContent): Buffer {
  const bytes = canonicalJson(fields, 'key set')
  decodeKeySetContent(bytes)
  return bytes
}

/** Throws FormatError or FormatUnsupported. Every current key must be in the set. */
export function decodeKeySetContent(bytes: Uint8Array): KeySetContent {
  const what = 'key set'
  const raw = parseCanonicalObject(bytes, bounds.json.keys, what)
  checkVersion(raw, what)
  const fields = checkSchema(content, raw, what)
  const byNumber = new Map<number, KeyEntry>()
  for (const entry of fields.keys) {
    demand(!byNumber.has(entry.no), what, `key number ${entry.no} is used twice`)
    demand(entry.type !== 'SIG' || entry.pub !== undefined, what, `SIG key ${entry.no} has no public key`)
    const ofDomain = entry.type === 'IDK' || entry.type === 'DEK'
    demand(!ofDomain || entry.domain !== undefined, what, `key ${entry.no} has no domain`)
    byNumber.set(entry.no, entry)
  }
  const expect = (type: KeyType, no: number, domain?: string) => {
    const entry = byNumber.get(no)
    if (entry?.type !== type || entry.domain !== domain)
      throw formatError(what, `current ${type} ${no} is not in the set`)
  }
  for (const type of ['MDK', 'MK', 'SIG'] as const) expect(type, fields.current[type])
  for (const type of ['IDK', 'DEK'] as const) {
    for (const [domain, no] of Object.entries(fields.current[type])) expect(type, no, domain)
  }
  return fields
}
