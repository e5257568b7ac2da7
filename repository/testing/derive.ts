import { argon2id, type DerivePassphrase } from '../keys/index.ts'

/** What Argon2id may cost at least: tests open a repository many times, and its cost is tested where it is derived. */
export const cheapArgon2 = { m: 19_456, t: 1, p: 1 }

const derived = new Map<string, Buffer>()

/** Argon2id in this process, once for the same passphrase and costs. */
export const deriveOnce: DerivePassphrase = async (text, cost) => {
  const key = JSON.stringify([text, cost])
  const known = derived.get(key) ?? argon2id(text, cost)
  derived.set(key, known)
  return Buffer.from(known)
}
