import fc from 'fast-check'
import {
  decodeKeySetContent,
  defaultFmt,
  formatError,
  keySetKind,
  keySlotKind,
  names,
  NO_FEATURES,
  tombstoneKind,
} from '../format/index.ts'
import {
  encodeSet,
  encodeSlot,
  mergeSets,
  open,
  openFeat,
  openFmt,
  openJson,
  openManifest,
  openSession,
  openSet,
  openSlot,
  protectJson,
  seal,
  sealManifest,
  sealSession,
  signFeat,
  signFmt,
} from '../keys/index.ts'
import { content, dek, domain, kek, ms, nonce, repo, ring, snap } from '../vectors/given.ts'
import { manifestBodies, manifestHeader } from './layouts.ts'
import { damaged, fuzzTargets, type FuzzTarget } from './target.ts'

const refuse = (why: string): never => {
  throw formatError('sealed object', why)
}
const slotKey = Buffer.alloc(32, 0x99)
const label = { repo, kekGen: 1, role: 'full', label: 'a', ms }
const signer = content.keys.find(({ type }) => type === 'SIG')?.pub ?? ''
const probe = { ms, passed: true, checks: [], staleMs: 0, skewMs: 0 }
const aad = Buffer.from('aad')
const { series, createdMs, snap: of } = manifestHeader
const clear = {
  sess: 'ee'.repeat(16),
  part: 1,
  attempt: 2,
  seq: 3,
  ms,
  leaseSec: 60,
  stamp: 4,
  packs: [],
  segments: [],
}

const sealedTarget = (target: FuzzTarget): FuzzTarget => ({ ...target, isAuthentic: true })

/** What a key protects: no byte of it may be another one and still be accepted. */
export const sealed = fuzzTargets(
  sealedTarget({
    name: 'AEAD',
    covers: ['open'],
    samples: fc.uint8Array({ maxLength: 90 }).map((plaintext) => seal(dek, nonce, aad, plaintext)),
    decode: (bytes) => open(dek, nonce, aad, bytes) ?? refuse('does not open'),
  }),
  sealedTarget({
    name: 'key slot',
    covers: ['openSlot'],
    samples: fc.constant(encodeSlot('recovery', label, slotKey, kek, nonce).bytes),
    decode: (bytes) => {
      const raw = keySlotKind.parse(bytes)
      const opening = openSlot(raw, keySlotKind.read(raw), slotKey)
      return opening.outcome === 'open' ? opening.kek : refuse(opening.outcome)
    },
  }),
  sealedTarget({
    name: 'key set',
    covers: ['openSet'],
    samples: fc.constant(encodeSet({ kekGen: 1, ms }, content, kek, nonce).bytes),
    decode: (bytes) => {
      const raw = keySetKind.parse(bytes)
      const plaintext = openSet(raw, keySetKind.read(raw), kek) ?? refuse('does not open')
      decodeKeySetContent(plaintext)
      return mergeSets([{ name: 'a', plaintext }]).content
    },
  }),
  sealedTarget({
    name: 'signed descriptor',
    covers: ['openFmt'],
    samples: fc.constant(signFmt(defaultFmt({ repo, createdMs: ms, domains: [domain], probe, signer }), ring)),
    decode: (bytes) => {
      const { fmt } = openFmt([{ name: 'fmt', bytes }])
      // Trust on first use: another signer is another repository.
      return fmt.signer === signer ? fmt : refuse('another signer')
    },
  }),
  sealedTarget({
    name: 'signed feature',
    covers: ['openFeat'],
    samples: fc.constant(signFeat({ repo, add: NO_FEATURES, ms, signer }, ring)),
    decode: (bytes) => {
      const opened = openFeat(bytes, new Set([signer]))
      return 'feat' in opened ? opened.feat : refuse(opened.why.message)
    },
  }),
  sealedTarget({
    name: 'object with a MAC',
    covers: ['openJson'],
    samples: fc.constant(
      protectJson(tombstoneKind, { repo, snap, reason: 'operator', actor: 'a', decidedMs: ms }, ring, 'maintenance'),
    ),
    decode: (bytes) => {
      const opened = openJson(tombstoneKind, bytes, ring, 'maintenance')
      return opened.counts ? opened.value : refuse(opened.mac)
    },
  }),
  sealedTarget({
    name: 'manifest',
    covers: ['openManifest'],
    samples: manifestBodies.map((plaintext) => sealManifest(ring, manifestHeader, plaintext, nonce)),
    decode: (bytes) => openManifest(ring, bytes, names.stem(series, createdMs, of)).header,
    refusals: [...damaged, 'KeyUnknown'],
  }),
  sealedTarget({
    name: 'session object',
    covers: ['openSession'],
    samples: fc.constant(sealSession(ring, clear, { type: 'end', outcome: 'committed' }, nonce)),
    decode: (bytes) =>
      openSession(ring, bytes, names.session(clear.sess, clear.part, clear.attempt, clear.seq)).content,
    refusals: [...damaged, 'KeyUnknown'],
  }),
)
