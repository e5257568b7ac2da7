import { Aes128Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from '@hpke/core'
import type { webcrypto } from 'node:crypto'
import { expect, test } from 'vitest'
import { keySlotKind } from '../format/index.ts'
import { encodeEscrowSlot, encodeSharesSlot, inspectKeys, slotOpener, type KeyObject } from '../keys/index.ts'
import { encodePrinted } from '../keys/printed.ts'
import { combineShares, encodeShare } from '../keys/shares.ts'
import type { UnlockSecret } from '../types.ts'
import { hex, kek, ms, repo, times } from './given.ts'

const SHARES = [
  'HFS1-AAAQ-EAYE-AUDA-OCAJ-BIFQ-YDIO-B4AQ-AAAA-AIAV-KVCX-KZIV-AU2S-LVOF-6XSZ-LBNV-URKE-I5DE-CQCD-IJGU-YT2O-JFEE-WSSS-XWDS-Y',
  'HFS1-AAAQ-EAYE-AUDA-OCAJ-BIFQ-YDIO-B4AQ-AAAA-AIBF-KV2R-KNOV-6WK3-IVDU-CQ2N-J5EU-W5LX-OFZX-273Z-PNSW-OYLD-NVXW-S22K-V5GR-C',
  'HFS1-AAAQ-EAYE-AUDA-OCAJ-BIFQ-YDIO-B4AQ-AAAA-AIBV-KVST-KBMV-UX24-JVHE-WSCB-IJDU-IZLG-MNQG-S2TP-NR6X-463Y-OFZH-O5HU-OH3M-K',
] as const
const SHARES_SLOT =
  '{"check":"e7649939eca2cb849b460750155b9d57","kekGen":1,"kind":"key-slot","label":"a","ms":1700000000000,"repo":"000102030405060708090a0b0c0d0e0f","role":"full","shares":3,"threshold":2,"type":"shamir","v":1}'
const PRIVATE = 'HFE1-RCEI-RCEI-RCEI-RCEI-RCEI-RCEI-RCEI-RCEI-RCEI-RCEI-RCEI-RCEI-RCED-GRXN-YI'
const PUBLIC = 'HFP1-GDJ4-QZNE-R7HL-HVQR-QV34-6LS7-EKGW-75UY-MYTE-OV3Y-LMST-ZN5E-QBVD-N2SH-YQ'
const ESCROW_SLOT =
  '{"check":"e7649939eca2cb849b460750155b9d57","enc":"UkyUxrPA9EDnt0FTa_EJcTfd0hSMs-LP6lv2UC6xM2s","kekGen":1,"kind":"key-slot","label":"a","ms":1700000000000,"recipient":"30d3c865a48fceb3d6118577cf2e5f228d6ff69866264757785b253cb7a4806a","repo":"000102030405060708090a0b0c0d0e0f","role":"full","suite":"x25519-hkdf-sha256-aes-256-gcm","type":"hpke","v":1,"wrapped":"6ce223dbaa167c29942963d117a7bacc64142d1721d7c19126f32b430dc74f1885657b04d156f31d43b4d5a96e26e84e"}'
const RECIPIENT = hex('30d3c865a48fceb3d6118577cf2e5f228d6ff69866264757785b253cb7a4806a')
const label = { repo, kekGen: 1, role: 'full', label: 'a', ms }

async function opened(object: KeyObject, secret: UnlockSecret): Promise<string> {
  const [item] = inspectKeys([object], repo).slots
  if (item?.sound !== true) throw new Error('the slot is not sound')
  const opening = await (await slotOpener(secret))(item.raw, item.slot)
  return opening.outcome === 'open' ? opening.kek.toString('hex') : opening.outcome
}

test('shares are those of Appendix A, and any two of them make the KEK', async () => {
  const y = (x: number) => Buffer.from(times(32, 0x55).map((byte, i) => byte ^ (x & 1 ? i : 0) ^ (x & 2 ? i << 1 : 0)))
  expect([1, 2, 3].map((x) => encodeShare({ repo, kekGen: 1, threshold: 2, x, y: y(x) }))).toEqual(SHARES)
  const { object } = await encodeSharesSlot({ ...label, threshold: 2, shares: 3 }, kek)
  expect([object.name, Buffer.from(object.bytes).toString()]).toEqual([
    'keys/00000001-slot-6c66f48debdab5f9',
    SHARES_SLOT,
  ])
  const [one, two, three] = SHARES
  for (const texts of [[one, two], [three, one], [two, three], SHARES]) {
    expect((await combineShares(texts)).kek).toEqual(kek)
    expect(await opened(object, { kind: 'shares', texts })).toBe(kek.toString('hex'))
  }
})

test('an escrow slot of Appendix A opens, and a new one is like it', async () => {
  const slot = { name: 'keys/00000001-slot-e90347326f9bdcba', bytes: Buffer.from(ESCROW_SLOT) }
  const secret = { kind: 'escrow', text: PRIVATE } as const
  expect([encodePrinted('escrowPrivate', times(32, 0x88)), encodePrinted('escrowPublic', RECIPIENT)]).toEqual([
    PRIVATE,
    PUBLIC,
  ])
  expect(await opened(slot, secret)).toBe(kek.toString('hex'))
  const other = await encodeEscrowSlot(label, RECIPIENT, kek)
  expect(await opened(other, secret)).toBe(kek.toString('hex'))
  const [first, second] = [slot, other].map(({ bytes }) => keySlotKind.read(keySlotKind.parse(bytes)))
  expect(second).toEqual({ ...first, enc: second?.enc, wrapped: second?.wrapped })
  expect(second?.enc).not.toBe(first?.enc)
})

test('the package opens what RFC 9180 A.1.1 has sealed', async () => {
  const hpke = new CipherSuite({ kem: new DhkemX25519HkdfSha256(), kdf: new HkdfSha256(), aead: new Aes128Gcm() })
  const secret = hex('4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8')
  const recipientKey = (await hpke.kem.deserializePrivateKey(secret)) as webcrypto.CryptoKey
  const enc = hex('37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431')
  const info = hex('4f6465206f6e2061204772656369616e2055726e')
  const context = await hpke.createRecipientContext({ recipientKey, enc, info })
  const sealed = 'f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a96d8770ac83d07bea87e13c512a'
  const plaintext = Buffer.from(await context.open(hex(sealed), hex('436f756e742d30')))
  expect(plaintext.toString()).toBe('Beauty is truth, truth beauty')
})
