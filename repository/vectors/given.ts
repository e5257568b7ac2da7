/**
 * What Appendix A of docs/repository-format.md starts from, and helpers to state its values as they stand there. The tests
 * beside it assert every vector literally.
 */
import {
  encodePackHeader,
  encodePackTail,
  type KeySetContent,
  type PackHeader,
  type TocEntry,
} from '../format/index.ts'
import { decodeBlobHeader } from '../format/index.ts'
import { createKeyRing, publicKeyOf, sha256 } from '../keys/index.ts'

/** Bytes from groups of hex digits, blanks ignored. */
export const hex = (text: string): Buffer => Buffer.from(text.replace(/\s/g, ''), 'hex')
export const times = (n: number, byte: number): Buffer => Buffer.alloc(n, byte)
export const sha = (bytes: Uint8Array): string => sha256(bytes).toString('hex')

export const repo = '000102030405060708090a0b0c0d0e0f'
export const domain = 'd0'.repeat(16)
export const nonce = hex('000102030405060708090a0b')
export const ms = 1_700_000_000_000
export const snap = 'f0'.repeat(16)
export const series = '61aa80a44c0b1f0f03cfd366af12af75'
export const kek = times(32, 0x55)
export const idk = times(32, 0x11)
export const dek = times(32, 0x22)
export const mdk = times(32, 0x33)
export const mk = times(32, 0x44)
export const sigSeed = times(32, 0x66)
export const P1 = '5490cde0c25040a5342a3f2e15dd8c4083dde369e6ba75c48bffe2e8e829052a'
export const P2 = '5bf632f1d22245d1d32e2909894de4e1675fc68a34b675c26895a71854517dd2'
export const P3 = '0867e7064f5aeab0b191a0243a73062d8c265ced9beb0a280997615073839c5f'

const entry = (no: number, key: Buffer) => ({ no, createdMs: ms, key: key.toString('hex') })

export const content: KeySetContent = {
  v: 1,
  repo,
  role: 'full',
  rev: 1,
  keys: [
    { ...entry(1, idk), type: 'IDK', domain },
    { ...entry(2, dek), type: 'DEK', domain },
    { ...entry(3, mdk), type: 'MDK' },
    { ...entry(4, mk), type: 'MK' },
    { ...entry(5, sigSeed), type: 'SIG', pub: publicKeyOf(sigSeed).toString('hex') },
  ],
  current: { IDK: { [domain]: 1 }, DEK: { [domain]: 2 }, MDK: 3, MK: 4, SIG: 5 },
}
export const ring = createKeyRing(content)

/** A pack of these blobs with the header that the appendix gives. */
export function packOf(kind: 0 | 1, random: string, ...blobs: readonly Buffer[]): Buffer {
  const header: PackHeader = {
    kind,
    flags: 0,
    repo,
    random: hex(random),
    createdMs: ms,
    seriesHash: hex('c0c1c2c3'),
  }
  const entries: TocEntry[] = []
  let off = 64
  for (const blob of blobs) {
    entries.push({ ...decodeBlobHeader(blob), off })
    off += blob.length
  }
  return Buffer.concat([encodePackHeader(header), ...blobs, encodePackTail(entries, repo)])
}
