import { createHash } from 'node:crypto'
import { isHoldfastError } from '../../base/index.ts'
import { createKeys, drawEscrowKeys, unlock, type DerivePassphrase, type Unlocked } from '../keys/index.ts'
import { keyObjects } from '../objects.ts'
import { noSignal } from '../testing/lab.ts'
import { MemoryBucket } from '../testing/memory-store.ts'
import type { ObjectStore } from '../store/index.ts'
import type { UnlockSecret } from '../types.ts'
import { KeyAdmin } from './admin.ts'
import type { Deliver, PrintedSecret } from './types.ts'

/** For tests: what a passphrase costs is tested where it is derived; here it is one hash. */
export const derive: DerivePassphrase = async (passphrase, { salt }) =>
  createHash('sha256').update(`${salt} ${passphrase}`).digest()
export const argon2 = { m: 19_456, t: 1, p: 1 }
export const repo = '0a'.repeat(16)
export const domain = 'd0'.repeat(16)
export const passphrase = (text: string): UnlockSecret => ({ kind: 'passphrase', passphrase: text })

/** `keys/` of a repository in memory, as init leaves it: the passphrase "first" and a recovery key. */
export class KeyLab {
  readonly bucket: MemoryBucket
  readonly first = passphrase('first')
  readonly recovery: UnlockSecret
  #ms = 1000

  private constructor(bucket: MemoryBucket, recovery: UnlockSecret) {
    this.bucket = bucket
    this.recovery = recovery
  }

  static async create(): Promise<KeyLab> {
    const made = await createKeys({ repo, domain, passphrase: 'first', ms: 1, argon2, derive })
    const bucket = new MemoryBucket()
    for (const { name, bytes } of made.objects) bucket.set(name, bytes)
    return new KeyLab(bucket, { kind: 'recovery', text: made.recoveryText })
  }

  clone(): KeyLab {
    return new KeyLab(this.bucket.clone(), this.recovery)
  }

  admin(secret: UnlockSecret = this.first, store: ObjectStore = this.bucket.connect()): KeyAdmin {
    return new KeyAdmin(store, repo, secret, { derive, clock: () => this.#ms++ })
  }

  async unlock(secret: UnlockSecret, store: ObjectStore = this.bucket.connect()): Promise<Unlocked> {
    return await unlock(await keyObjects(store), repo, secret, derive)
  }

  /** Whether it opens the repository as it is now. Beside a damaged slot nobody can tell a wrong secret. */
  async opens(secret: UnlockSecret): Promise<boolean> {
    try {
      await this.unlock(secret)
      return true
    } catch (error) {
      if (isHoldfastError(error) && ['WrongSecret', 'KeysDamaged'].includes(error.code)) return false
      throw error
    }
  }

  names(kind: 'slot' | 'set'): string[] {
    return this.bucket.names('keys/').filter((name) => name.includes(`-${kind}-`))
  }

  /** Adds one more slot of a type. */
  async addPassphrase(text: string): Promise<string> {
    using admin = this.admin()
    const wish = { type: 'passphrase', passphrase: text, label: text, argon2 } as const
    return (await admin.addSlot(wish, nothing, noSignal)).id
  }

  async addEscrow(as: UnlockSecret = this.first): Promise<{ readonly id: string; readonly secret: UnlockSecret }> {
    using admin = this.admin(as)
    const { privateText, publicText } = await drawEscrowKeys()
    const { id } = await admin.addSlot({ type: 'hpke', recipient: publicText, label: 'notary' }, nothing, noSignal)
    return { id, secret: { kind: 'escrow', text: privateText } }
  }

  async addShares(
    threshold: number,
    shares: number,
    as: UnlockSecret = this.first,
  ): Promise<{ readonly id: string; readonly texts: readonly string[] }> {
    using admin = this.admin(as)
    const delivered: PrintedSecret[] = []
    const wish = { type: 'shamir', threshold, shares, label: 'board' } as const
    const { id } = await admin.addSlot(wish, collect(delivered), noSignal)
    return { id, texts: delivered[0]?.texts ?? [] }
  }
}

export const nothing: Deliver = async () => undefined
export const collect =
  (into: PrintedSecret[]): Deliver =>
  async (printed) => {
    into.push(printed)
  }
export { noSignal }
