import { randomBytes } from 'node:crypto'
import { HoldfastError } from '../../base/index.ts'
import {
  canonicalJson,
  decodeKeySetContent,
  encodeKeySetContent,
  fromBase64url,
  fromHex,
  keySetKind,
  names,
  toBase64url,
  toHex,
  without,
  type JsonObject,
  type KeyEntry,
  type KeySet,
  type KeySetContent,
} from '../format/index.ts'
import { open, seal } from './aead.ts'
import { keySetWrapKey, sha256 } from './derive.ts'
import type { KeyObject } from './slots.ts'

/** §5.3: a key set wrapped by a KEK. The nonce is random unless given (vectors). */
export function encodeSet(
  fields: Pick<KeySet, 'kekGen' | 'ms'>,
  content: KeySetContent,
  kek: Uint8Array,
  nonce: Uint8Array = randomBytes(12),
): KeyObject {
  const { repo, role, rev } = content
  const draft = { ...fields, repo, role, rev, nonce: toHex(nonce), wrapped: '' }
  const wrapped = seal(keySetWrapKey(kek), nonce, setAad(keySetKind.write(draft)), encodeKeySetContent(content))
  const bytes = canonicalJson(keySetKind.write({ ...draft, wrapped: toBase64url(wrapped) }))
  return { name: names.keySet(fields.kekGen, toHex(sha256(bytes))), bytes }
}

/** Plaintext of a set; undefined if it does not open under this KEK. Throws FormatError or FormatUnsupported after that. */
export function openSet(raw: JsonObject, set: KeySet, kek: Uint8Array): Buffer | undefined {
  const nonce = fromHex(set.nonce, 12, 'key set nonce')
  return open(keySetWrapKey(kek), nonce, setAad(raw), fromBase64url(set.wrapped, 'key set'))
}

/** A set that has been opened. */
export interface OpenSet {
  readonly name: string
  readonly plaintext: Uint8Array
}

export interface MergedSets {
  readonly content: KeySetContent
  /**
   * Names of sets of the highest `rev` whose plaintexts differ (two administrators at once): reading is possible, writing,
   * collecting and pruning wait for a set with a higher `rev`. Empty if all is well.
   */
  readonly conflict: readonly string[]
}

/** §5.3: the union of the keys, `current` of the highest `rev`, of the greater object name where two differ. */
export function mergeSets(sets: readonly OpenSet[]): MergedSets {
  const decoded = sets
    .map((set) => ({ ...set, content: decodeKeySetContent(set.plaintext) }))
    .sort((a, b) => b.content.rev - a.content.rev || (a.name < b.name ? 1 : -1))
  const [newest] = decoded
  if (newest === undefined) throw new HoldfastError('KeysDamaged', 'No key set opens.')
  const keys = new Map<number, KeyEntry>()
  for (const { name, content } of decoded) {
    for (const entry of content.keys) {
      const known = keys.get(entry.no)
      if (
        known !== undefined &&
        (known.key !== entry.key || known.type !== entry.type || known.domain !== entry.domain)
      ) {
        throw new HoldfastError('KeysDamaged', `Two different keys have the number ${entry.no}; one is in ${name}.`)
      }
      if (known === undefined) keys.set(entry.no, entry)
    }
  }
  const same = decoded.filter(
    ({ content }) => content.rev === newest.content.rev && content.role === newest.content.role,
  )
  const conflict = same.some((set) => Buffer.compare(set.plaintext, newest.plaintext) !== 0)
  return {
    content: { ...newest.content, keys: [...keys.values()] },
    conflict: conflict ? same.map((set) => set.name) : [],
  }
}

function setAad(raw: JsonObject): Buffer {
  return Buffer.concat([Buffer.from('holdfast/r1/key-set\0', 'latin1'), canonicalJson(without(raw, 'wrapped'))])
}
