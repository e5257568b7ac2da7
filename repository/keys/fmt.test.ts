import { expect, test } from 'vitest'
import { canonicalJson, defaultFmt, signedBytes, type Fmt, type JsonObject } from '../format/index.ts'
import { content, domain, ms, repo, ring, sigSeed } from '../vectors/given.ts'
import { signEd25519 } from './ed25519.ts'
import { checkSigner, openFeat, openFmt, signFeat, signFmt } from './fmt.ts'
import { createKeyRing } from './ring.ts'

const signer = content.keys.find((entry) => entry.type === 'SIG')?.pub ?? ''
const probe = { ms, passed: true, checks: [], staleMs: 0, skewMs: -2 }
const fmt = defaultFmt({ repo, createdMs: ms, domains: [domain], probe, signer })
const bytes = signFmt(fmt, ring)
const replicas = (...all: readonly Uint8Array[]) =>
  all.map((b, i) => ({ name: i === 0 ? 'fmt' : `fmt.${i}`, bytes: b }))
const otherRing = createKeyRing({
  ...content,
  keys: content.keys.map((entry) =>
    entry.type === 'SIG'
      ? { ...entry, key: '67'.repeat(32), pub: '7bc3079518ed11da0336085bf6962920ff87fb3c4d630a9b58cb6153674f5dd6' }
      : entry,
  ),
})

test('any one sound replica is enough, and the damaged ones are named', () => {
  const torn = bytes.subarray(0, 100)
  const flipped = Buffer.from(bytes)
  flipped.writeUInt8(0x39, flipped.indexOf('"sig":"') + 7)
  expect(openFmt(replicas(torn, flipped, bytes))).toMatchObject({ fmt, ignored: [{ name: 'fmt' }, { name: 'fmt.1' }] })
  expect(() => openFmt(replicas(torn, flipped))).toThrow('No valid repository descriptor')
  expect(() => openFmt([])).toThrow('none exists')
})

test('two signed replicas that differ are an error', () => {
  const second = signFmt({ ...fmt, createdMs: ms + 1 }, ring)
  expect(() => openFmt(replicas(bytes, bytes, second))).toThrow('both signed, and differ')
})

test('a descriptor is ours only if a SIG key in the sets signed it', () => {
  expect(() => checkSigner(fmt, ring)).not.toThrow()
  const ownKey = otherRing.signers.values().next().value ?? ''
  expect(() => checkSigner({ ...fmt, signer: ownKey }, ring)).toThrow(expect.objectContaining({ code: 'RecordForged' }))
})

test('signing under the name of another key is refused', () => {
  expect(() => signFmt({ ...fmt, signer: '00'.repeat(32) }, ring)).toThrow('signer')
})

test.each<[string, Partial<Fmt>]>([
  ['another format version', { formatVersion: 2 }],
  ['pages of another size', { pageShift: 31 }],
  ['another AEAD', { algs: { ...fmt.algs, aead: 'chacha20-poly1305' } }],
])('%s is unsupported', (_, changes) => {
  expect(() => signFmt({ ...fmt, ...changes }, ring)).toThrow(expect.objectContaining({ code: 'FormatUnsupported' }))
})

test('a signed descriptor of a newer version stops the reader instead of being ignored', () => {
  const { sig: _, ...raw } = JSON.parse(bytes.toString()) as JsonObject
  const unsigned = { ...raw, v: 2 }
  const sig = signEd25519(sigSeed, signedBytes('holdfast/r1/fmt', unsigned)).toString('hex')
  const newer = canonicalJson({ ...unsigned, sig })
  expect(() => openFmt(replicas(newer, bytes))).toThrow(expect.objectContaining({ code: 'FormatUnsupported' }))
  const forged = canonicalJson({ ...unsigned, sig: sig.replace(/^../, '00') })
  expect(openFmt(replicas(forged, bytes)).ignored).toHaveLength(1)
})

test('an activation that no key of ours signed adds nothing and is reported', () => {
  const add = { read: [], write: [], gc: ['object-lock-1'] }
  const ours = signFeat({ repo, add, ms, signer }, ring)
  expect(openFeat(ours, ring.signers)).toMatchObject({ feat: { add } })
  expect(openFeat(ours, new Set())).toHaveProperty('why')
  const raw = JSON.parse(ours.toString()) as JsonObject
  expect(openFeat(canonicalJson({ ...raw, ms: ms + 1 }), ring.signers)).toHaveProperty('why')
  expect(openFeat(Buffer.from('junk'), ring.signers)).toHaveProperty('why')
})
