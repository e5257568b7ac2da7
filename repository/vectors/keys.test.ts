import { expect, test } from 'vitest'
import { canonicalJson, defaultFmt, encodeKeySetContent, fmtKind, keySlotKind } from '../format/index.ts'
import {
  argon2id,
  encodeRecovery,
  encodeSet,
  encodeSlot,
  openFmt,
  parseRecovery,
  passphraseBytes,
  publicKeyOf,
  signFmt,
  slotKeyOf,
  unlock,
} from '../keys/index.ts'
import * as derive from '../keys/derive.ts'
import { openSlot } from '../keys/slots.ts'
import * as given from './given.ts'
import { hex, ms, repo, ring, sha, times } from './given.ts'

test('derives the id, MAC, manifest, session and series keys of Appendix A', () => {
  expect(derive.chunkIdKey(given.idk)).toEqual(hex('6743c1ef4565f480758e4998daf099816dc52629c23490ae55368923847e54f7'))
  expect(derive.pageIdKey(given.idk)).toEqual(hex('ec71e0036c864c6d89c75150afd318b1fe8b20f851a686982f9c5f6f2a476217'))
  expect(derive.configIdKey(given.idk)).toEqual(hex('3a721440e893c127eb03603db95b241360c6cc92cfbc8b413e75c142aaa5c2fc'))
  expect(derive.seriesKey(given.idk)).toEqual(hex('7e5ab8c16abe89c2597da07f269d19e7d54349ad4241d9f9c6b83c81cea6d96f'))
  expect(derive.maintenanceMacKey(given.mk)).toEqual(
    hex('a99532cc08d07f9796286a81fb12ca0edca0d2229cf6bcff0afb3b2829284367'),
  )
  expect(derive.writerMacKey(given.mdk)).toEqual(
    hex('ca1250e9ca3517c891f5c9f06f9c8143ccd383bfc7ff6c49727a6f34759c9f54'),
  )
  expect(derive.manifestKey(given.mdk, given.snap)).toEqual(
    hex('b86e3e325fcc6be17208742951c149cb557acf3c7a464591ee3f3199cb98d3ef'),
  )
  expect(derive.sessionKey(given.mdk, 'ee'.repeat(16))).toEqual(
    hex('b846d760ac5780d6c607d1510f11676cb8599f0e62e9d8ac70b6c874d5dedcee'),
  )
})

test('derives the series of a VM and of the catalogue', () => {
  const identity = ring.identity()
  expect(identity.series({ platform: 'xcpng', scope: 'pool-7f', vm: 'vm-1' })).toBe('61aa80a44c0b1f0f03cfd366af12af75')
  expect(identity.series({ platform: 'holdfast', scope: 'aa'.repeat(16), vm: 'catalog' })).toBe(
    'c014b9222ff427eb48a5e11ac014cbb7',
  )
})

const FMT =
  '{"algs":{"aead":"aes-256-gcm","comp":"zstd","hash":"sha256","id":"hmac-sha256","kdf":"hkdf-sha256","sign":"ed25519"},"chunkShift":20,"createdMs":1700000000000,"dedup":"repo","domains":["d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0"],"features":{"gc":[],"read":[],"write":[]},"formatVersion":1,"generationDays":30,"kind":"repository","packTarget":33554432,"pageShift":30,"probe":{"checks":[{"detail":"","name":"if-absent","passed":true}],"ms":1700000000000,"passed":true,"skewMs":0,"staleMs":0},"repo":"000102030405060708090a0b0c0d0e0f","signer":"34b4d9043156cb6dcf0beb0a2949b7559c940d2bcb6dbe8c53a9b30278e3a746","v":1}'

test('signs the descriptor byte for byte, and opens it', () => {
  const pub = publicKeyOf(given.sigSeed).toString('hex')
  expect(pub).toBe('34b4d9043156cb6dcf0beb0a2949b7559c940d2bcb6dbe8c53a9b30278e3a746')
  const probe = { ms, passed: true, checks: [{ name: 'if-absent', passed: true, detail: '' }], staleMs: 0, skewMs: 0 }
  const fmt = defaultFmt({ repo, createdMs: ms, domains: [given.domain], probe, signer: pub })
  expect(canonicalJson(fmtKind.write(fmt)).toString()).toBe(FMT)
  const bytes = signFmt(fmt, ring)
  expect((JSON.parse(bytes.toString()) as { sig: string }).sig).toBe(
    'e959cb761a53b4a8d96542dd8fa488189fb1f22926935f6bd589b23733b60c2b1c0c3d95ac337265c4dcb197336a166e438deeedc5d31388ae6c4aebf83acb02',
  )
  expect(bytes.length).toBe(743)
  expect(sha(bytes)).toBe('4719a32242a3eaed8b06ae2db5b5fc329ec8aa2feb69e8e763ede325e2bef8e1')
  expect(openFmt([{ name: 'fmt', bytes }]).fmt).toEqual(fmt)
})

const kdf = { alg: 'argon2id' as const, m: 19_456, t: 2, p: 1, salt: 'a5'.repeat(16) }
const label = { repo, kekGen: 1, role: 'full', label: 'a', ms }
const typed = 'Ka\u0308se'
const PASSPHRASE_SLOT =
  '{"check":"76d03ffb2a900aa1ba5d3bdd0573b3fc","kdf":{"alg":"argon2id","m":19456,"p":1,"salt":"a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5","t":2},"kekGen":1,"kind":"key-slot","label":"a","ms":1700000000000,"nonce":"000102030405060708090a0b","repo":"000102030405060708090a0b0c0d0e0f","role":"full","type":"passphrase","v":1}'
const PASSPHRASE_WRAPPED =
  '973e68854f030fe49a06e5888d5d4e1acbf616bc329ad71f975fae7b3c4a3f7e90b56320402bc951a94d916932226aed'

test('derives the passphrase slot key from the NFC form, and wraps the KEK byte for byte', async () => {
  expect(passphraseBytes(typed)).toEqual(hex('4bc3a47365'))
  expect(argon2id(typed, kdf)).toEqual(hex('d045a79ec287f28f31c2aa589a1aac80de8947e1a815c02ad3605dd959afc47f'))
  const slotKey = await slotKeyOf({ kind: 'passphrase', passphrase: typed }, kdf, async (text, cost) =>
    argon2id(text, cost),
  )
  expect(slotKey).toEqual(hex('0051ee4d6ee08aa5614953dc1bfa5e3b836945ff3df73a1a36a730f581a9fdeb'))
  const { name, bytes } = encodeSlot('passphrase', { ...label, kdf }, slotKey, given.kek, given.nonce)
  const expected = { ...(JSON.parse(PASSPHRASE_SLOT) as object), wrapped: PASSPHRASE_WRAPPED }
  expect(bytes).toEqual(canonicalJson(expected))
  expect(sha(bytes)).toBe('43b7d1ec04c071e60cd9f8c15f299930fda2c256c7f20d12c674d05a25608de2')
  expect(name).toBe('keys/00000001-slot-43b7d1ec04c071e6')
  const raw = keySlotKind.parse(bytes)
  expect(openSlot(raw, keySlotKind.read(raw), slotKey)).toEqual({ outcome: 'open', kek: given.kek })
})

const RECOVERY = 'HFR1-O53X-O53X-O53X-O53X-O53X-O53X-O53X-O53X-O53X-O53X-O53X-O53X-O535-KIAT-MQ'
const RECOVERY_SLOT =
  '{"check":"5be2ec21f2a9064e9d36a00be76f2438","kekGen":1,"kind":"key-slot","label":"a","ms":1700000000000,"nonce":"000102030405060708090a0b","repo":"000102030405060708090a0b0c0d0e0f","role":"full","type":"recovery","v":1}'
const RECOVERY_WRAPPED =
  'c536875e2667e5e1801c914152cb09eca6d1afb197d189fc35789f4c1afda55bd7d5aab083227f2b144dffa2476e9247'

test('prints and reads the recovery key, and wraps the KEK under it byte for byte', async () => {
  expect(encodeRecovery(times(32, 0x77))).toBe(RECOVERY)
  expect(parseRecovery(RECOVERY)).toEqual(times(32, 0x77))
  const slotKey = await slotKeyOf({ kind: 'recovery', text: RECOVERY }, undefined)
  expect(slotKey).toEqual(hex('d1d94331a8e598efebafb4db0e9c7da27b5166b58b49deadcce2e61d17ca7b10'))
  const { name, bytes } = encodeSlot('recovery', label, slotKey, given.kek, given.nonce)
  const expected = { ...(JSON.parse(RECOVERY_SLOT) as object), wrapped: RECOVERY_WRAPPED }
  expect(bytes).toEqual(canonicalJson(expected))
  expect(sha(bytes)).toBe('c6dcc84c61e4ef2057a3d6409648144e2f702268f9faada2c7ae9c423984edff')
  expect(name).toBe('keys/00000001-slot-c6dcc84c61e4ef20')
})

test('wraps the key set byte for byte, and the recovery key opens it', async () => {
  const plaintext = encodeKeySetContent(given.content)
  expect(plaintext.length).toBe(970)
  expect(sha(plaintext)).toBe('c9144a2bf61ef55163f4e305e9e588c930e67215d3039e18f90a8bae6655a7bc')
  expect(derive.keySetWrapKey(given.kek)).toEqual(
    hex('f44716db0580e3b5773b3a8446c1ac0f38a90f97796d48e227cb311100130459'),
  )
  const set = encodeSet({ kekGen: 1, ms }, given.content, given.kek, given.nonce)
  const raw = JSON.parse(set.bytes.toString()) as { wrapped?: string }
  expect(raw.wrapped?.slice(0, 32)).toBe('KIHmapxQjBzMAW_uEi4mlJjpn-a8GfTM')
  delete raw.wrapped
  expect(canonicalJson(raw).toString()).toBe(
    '{"kekGen":1,"kind":"key-set","ms":1700000000000,"nonce":"000102030405060708090a0b","repo":"000102030405060708090a0b0c0d0e0f","rev":1,"role":"full","v":1}',
  )
  expect(set.bytes.length).toBe(1_481)
  expect(sha(set.bytes)).toBe('4dab8cf7f95a2312b62855a9c7905a187bbf8ca9f13635bb16d6c1bf79784826')
  expect(set.name).toBe('keys/00000001-set-4dab8cf7f95a2312')
  const slotKey = await slotKeyOf({ kind: 'recovery', text: RECOVERY }, undefined)
  const slot = encodeSlot('recovery', label, slotKey, given.kek, given.nonce)
  const unlocked = await unlock([set, slot], repo, { kind: 'recovery', text: RECOVERY.toLowerCase() })
  expect(unlocked.ring.content).toEqual(given.content)
})
