import { randomBytes } from 'node:crypto'
import { toHex, type KeyEntry } from '../format/index.ts'
import { publicKeyOf } from './ed25519.ts'

/** What a new key is for. A CIK or PIK is derived, never drawn (§5.5). */
export type NewKey = { readonly type: 'IDK' | 'DEK'; readonly domain: string } | { readonly type: 'MDK' | 'MK' | 'SIG' }

/** §5.1: 32 random bytes under a random number that is not zero and not in `taken`, to which it is added. */
export function drawKey(
  what: NewKey,
  createdMs: number,
  taken: Set<number>,
  random: (bytes: number) => Buffer = randomBytes,
): KeyEntry {
  let no = 0
  while (no === 0 || taken.has(no)) no = random(4).readUInt32LE(0)
  taken.add(no)
  const key = random(32)
  const entry = { ...what, no, createdMs, key: toHex(key) }
  return what.type === 'SIG' ? { ...entry, pub: toHex(publicKeyOf(key)) } : entry
}
