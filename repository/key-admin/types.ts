import type { Argon2Cost, KeyType } from '../format/index.ts'
import type { UnlockSecret } from '../types.ts'

/** What a slot says without any secret (§5.4). */
export interface SlotInfo {
  /** 16 hex digits, the last part of the object's name; how people name it. */
  readonly id: string
  readonly name: string
  readonly kekGen: number
  readonly role: string
  readonly type: string
  readonly label: string
  readonly createdMs: number
  /** Its bytes hash to its name. What is not sound does not count among the slots that must exist. */
  readonly sound: boolean
  /** Of the newest generation of the KEK. One of another generation is what a rotation has left, or has begun. */
  readonly isCurrent: boolean
  /** Type `shamir`. */
  readonly threshold?: number
  readonly shares?: number
  /** Type `hpke`: raw public key, hex. */
  readonly recipient?: string
}

export interface KeyListing {
  readonly repo: string
  /** Newest generation of the KEK. */
  readonly kekGen: number
  readonly slots: readonly SlotInfo[]
  readonly sets: readonly {
    readonly name: string
    readonly kekGen: number
    readonly rev: number
    readonly sound: boolean
  }[]
  readonly damaged: readonly { readonly name: string; readonly why: string }[]
  readonly unsupported: readonly string[]
  /** Two slots, one of them for recovery, and two sets, of the newest generation (§5.4). */
  readonly isComplete: boolean
}

/** A data key without its bytes. */
export interface DataKeyInfo {
  readonly no: number
  readonly type: KeyType
  readonly domain: string | null
  readonly createdMs: number
  readonly isCurrent: boolean
}

/** A slot to be written. */
export type NewSlot = { readonly label: string } & (
  | { readonly type: 'passphrase'; readonly passphrase: string; readonly argon2?: Pick<Argon2Cost, 'm' | 't' | 'p'> }
  /** The text is drawn and handed over. */
  | { readonly type: 'recovery' }
  /** The shares are drawn and handed over. */
  | { readonly type: 'shamir'; readonly threshold: number; readonly shares: number }
  /** `recipient`: `HFP1-…`. */
  | { readonly type: 'hpke'; readonly recipient: string }
)

/** A secret that was drawn. Shown to people once, stored nowhere. */
export interface PrintedSecret {
  readonly type: 'recovery' | 'shamir'
  readonly label: string
  readonly kekGen: number
  readonly texts: readonly string[]
  readonly threshold?: number
}

/**
 * Hands a drawn secret to somebody who keeps it. It is awaited before the slot exists that the secret opens: a slot that
 * nobody can open would count for nothing and look as if it did.
 */
export type Deliver = (printed: PrintedSecret) => Promise<void>

export interface RotateKek {
  /** Secrets, besides the one that opened, whose slots go on in the new generation. */
  readonly keep?: readonly UnlockSecret[]
  /** Slots that are made anew. */
  readonly add?: readonly NewSlot[]
  /** Ids of slots that do not go on. Every slot must go on or be named here. */
  readonly revoke?: readonly string[]
}

export interface RotatedKek {
  readonly kekGen: number
  readonly slots: readonly SlotInfo[]
  readonly revoked: readonly SlotInfo[]
  /** Names of older objects that could not be opened, and so were not removed: what is in them is not known. */
  readonly left: readonly string[]
}

export type RotatableKey = 'DEK' | 'MDK' | 'MK' | 'SIG'

/** Points of one VM whose data cannot be read without the keys of a domain. */
export interface ShredLoss {
  readonly series: string
  /** As its newest point calls it. */
  readonly vm: string
  readonly points: number
  readonly oldestMs: number
  readonly newestMs: number
}

export interface ShredPlan {
  readonly domain: string
  /** By series: what would be lost, or was. */
  readonly losses: readonly ShredLoss[]
  /** Points that cannot be read now: their data may be of this domain as well. */
  readonly unreadable: readonly string[]
  /** Key numbers of the DEKs that are destroyed. */
  readonly keys: readonly number[]
  /** Its data is what this repository is written with: it takes no more backups afterwards. */
  readonly isWritten: boolean
  /** Key sets that could not be opened and may hold the keys: while there are any, nothing is done. */
  readonly blockedBy: readonly string[]
  /** The store keeps old versions of deleted objects: the keys are in them until they are purged. */
  readonly isVersioned: boolean
  readonly done: boolean
}
