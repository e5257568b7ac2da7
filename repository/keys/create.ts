import { randomBytes } from 'node:crypto'
import { toHex, type KeyEntry, type KeySetContent } from '../format/index.ts'
import type { UnlockSecret } from '../types.ts'
import { DEFAULT_ARGON2 } from './argon2.ts'
import { drawKey } from './draw.ts'
import { encodeRecovery } from './printed.ts'
import { slotKeyOf, type DerivePassphrase } from './secrets.ts'
import { encodeSet } from './sets.ts'
import { encodeSlot, type KeyObject } from './slots.ts'

export interface NewKeys {
  readonly content: KeySetContent
  /** Two slots (passphrase, recovery) and two sets: what §3.4 step 3 puts and reads back. */
  readonly objects: readonly KeyObject[]
  /** To be shown once and kept outside (§5.4): `HFR1-…`. */
  readonly recoveryText: string
}

/**
 * §3.4 step 3: draws all keys of a repository with one domain and role `full`, and makes its key objects. Runs Argon2id
 * once, in a child process unless `derive` is given. `random` is for deterministic fixtures only.
 */
export async function createKeys(options: {
  readonly repo: string
  readonly domain: string
  /** The IDK of the domain in another repository: ids are then equal in both (§13). Default: a new one. */
  readonly identity?: KeyEntry
  readonly passphrase: string
  readonly ms: number
  readonly argon2?: { readonly m: number; readonly t: number; readonly p: number }
  readonly derive?: DerivePassphrase
  readonly random?: (bytes: number) => Buffer
}): Promise<NewKeys> {
  const { repo, domain, ms, random = randomBytes } = options
  const content = drawKeys(repo, domain, options.identity, ms, random)
  const kek = random(32)
  const label = { repo, kekGen: 1, role: content.role, ms }
  const { m, t, p } = options.argon2 ?? DEFAULT_ARGON2
  const kdf = { alg: 'argon2id' as const, m, t, p, salt: toHex(random(16)) }
  const passphrase: UnlockSecret = { kind: 'passphrase', passphrase: options.passphrase }
  const recoveryText = encodeRecovery(random(32))
  const recovery: UnlockSecret = { kind: 'recovery', text: recoveryText }
  const passphraseKey = await slotKeyOf(passphrase, kdf, options.derive)
  const objects = [
    encodeSlot('passphrase', { ...label, label: 'passphrase', kdf }, passphraseKey, kek, random(12)),
    encodeSlot('recovery', { ...label, label: 'recovery key' }, await slotKeyOf(recovery, undefined), kek, random(12)),
    encodeSet({ kekGen: 1, ms }, content, kek, random(12)),
    encodeSet({ kekGen: 1, ms }, content, kek, random(12)),
  ]
  kek.fill(0)
  passphraseKey.fill(0)
  return { content, objects, recoveryText }
}

/** §5.1: one current key of each type. */
function drawKeys(
  repo: string,
  domain: string,
  identity: KeyEntry | undefined,
  ms: number,
  random: (bytes: number) => Buffer,
): KeySetContent {
  const taken = new Set<number>(identity && [identity.no])
  const idk = identity ?? drawKey({ type: 'IDK', domain }, ms, taken, random)
  const dek = drawKey({ type: 'DEK', domain }, ms, taken, random)
  const mdk = drawKey({ type: 'MDK' }, ms, taken, random)
  const mk = drawKey({ type: 'MK' }, ms, taken, random)
  const sig = drawKey({ type: 'SIG' }, ms, taken, random)
  return {
    v: 1,
    repo,
    role: 'full',
    rev: 1,
    keys: [idk, dek, mdk, mk, sig],
    current: { IDK: { [domain]: idk.no }, DEK: { [domain]: dek.no }, MDK: mdk.no, MK: mk.no, SIG: sig.no },
  }
}
