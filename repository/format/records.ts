import { slice } from './bytes.ts'
import { demand } from './errors.ts'

/** Bytes of the HMAC that ends every binary record (§4.1). */
export const RECORD_MAC = 32

/** Makes the MAC of a binary record: HMAC-SHA256 under the maintenance MAC key with number `keyNo`. */
export interface BinarySigner {
  readonly keyNo: number
  sign(preceding: Uint8Array): Uint8Array
}

/** What every decoded record carries: the number of its MAC key and the bytes to check it with. */
export interface RecordMac {
  /** Key number of the MK. */
  readonly macKey: number
  /** Everything before the MAC. */
  readonly covered: Buffer
  readonly mac: Buffer
}

/** Appends the MAC. */
export function signRecord(preceding: Buffer, signer: BinarySigner): Buffer {
  return Buffer.concat([preceding, signer.sign(preceding)])
}

/** Splits a record of exactly `length` bytes, MAC included. The MAC is not verified here: that needs the MK. */
export function splitMac(bytes: Uint8Array, length: number, macKey: number, what: string): RecordMac {
  demand(bytes.length === length, what, `${bytes.length} bytes instead of ${length}`)
  return {
    macKey,
    covered: slice(bytes, 0, length - RECORD_MAC, what),
    mac: slice(bytes, length - RECORD_MAC, RECORD_MAC, what),
  }
}
