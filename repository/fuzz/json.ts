import fc from 'fast-check'
import { canonicalJson, isJsonObject, type JsonObject, type JsonValue } from '../format/canonical-json.ts'
import { defaultFmt, featKind, fmtKind, NO_FEATURES } from '../format/fmt.ts'
import type { JsonKind } from '../format/json-object.ts'
import { decodeKeySetContent, keySetKind, keySlotKind } from '../format/key-objects.ts'
import { decodeManifestJson } from '../format/manifest-json.ts'
import { ownerKind, probeKind, quarantineKind } from '../format/other-objects.ts'
import { decodeSessionContent, encodeSessionContent, type SessionContent } from '../format/session-content.ts'
import { sessionKind } from '../format/session.ts'
import { abandonKind, holdKind, tombstoneKind, validatedKind } from '../format/snap-objects.ts'
import { names } from '../format/names.ts'
import { content as keySet } from '../vectors/given.ts'
import type { FuzzTarget } from './target.ts'

export interface JsonSample {
  readonly name: string
  readonly covers: readonly string[]
  readonly sample: JsonObject
  readonly decode: (bytes: Uint8Array) => unknown
}

const id16 = '5a'.repeat(16)
const id32 = id16 + id16
const repo = id16
const probe = { ms: 1, passed: true, checks: [{ name: 'n', passed: true, detail: '' }], staleMs: 0, skewMs: -3 }
const location = { pack: id32, slot: 1, off: 64, clen: 100 }
const stem = names.stem(id16, 5, id16)

const kind = <T>(covers: string, of: JsonKind<T>, fields: T, name = of.kind): JsonSample => ({
  name,
  covers: [covers],
  sample: of.write(fields),
  decode: (bytes) => of.read(of.parse(bytes)),
})
const contentOf = (content: SessionContent): JsonSample => ({
  name: `session ${content.type}`,
  covers: ['decodeSessionContent', 'decodeEntries', 'decodeHomes', 'decodeRun', 'decodeRootsWith'],
  sample: JSON.parse(encodeSessionContent(content).toString()) as JsonObject,
  decode: (bytes) => decodeSessionContent(content.type, bytes),
})
const slot = { repo, kekGen: 1, role: 'full', label: '', ms: 1, check: id16 }
const manifest: JsonObject = {
  v: 1,
  domain: id16,
  vm: { id: 'v', name: 'n', platform: 'qemu', scope: 's', tags: ['t'] },
  point: { origin: 'manual', name: 'n', description: 'd', frozenMs: 5, startedMs: 5, finishedMs: 6, run: 'r' },
  consistency: { level: 'crash', detail: '' },
  hypervisor: { platform: 'qemu', version: '1', host: 'h' },
  disks: [0, 1].map((n) => ({
    id: `d${n}`,
    label: '',
    bytes: 2 ** 30 + 512,
    sectorSize: 512,
    shiftDefault: 20,
    rootIndex: 2 * n,
    nPages: 2,
    imageRoot: id32,
    changeRef: { kind: 'k', id: '{}' },
    mode: 'full',
    why: '',
    readBytes: 0,
    newBytes: 0,
  })),
  configs: [
    {
      name: 'c',
      type: 'native',
      bytes: 5,
      sha256: id32,
      parts: [{ id: id32, pack: id32, slot: 0, off: 64, clen: 53 }],
    },
  ],
  retention: { class: '', policy: '', lockUntilSec: 0, lockMode: 'none', hold: false },
  source: { repo: id16, snap: id16, createdMs: 1, retentionMs: 1 },
  tool: { name: 'holdfast', version: '1' },
  signature: { key: 5, sig: id32 + id32 },
}

/** One of every kind of JSON that is read, with all its members. */
export const jsonSamples: readonly JsonSample[] = [
  kind('fmtKind', fmtKind, defaultFmt({ repo, createdMs: 1, domains: [id16], probe, signer: id32 })),
  kind('featKind', featKind, { repo, add: NO_FEATURES, ms: 1, signer: id32 }),
  kind('validatedKind', validatedKind, {
    repo,
    macKey: 3,
    snap: id16,
    mSha256: id32,
    mBytes: 5,
    stamp: 0,
    passes: 1,
    rescued: 0,
    validatedMs: 1,
    attempt: 1,
  }),
  kind('abandonKind', abandonKind, { repo, macKey: 4, snap: id16, owner: id16, ms: 1 }),
  kind('tombstoneKind', tombstoneKind, {
    repo,
    macKey: 4,
    snap: id16,
    reason: 'operator',
    policy: 'p',
    actor: 'a',
    decidedMs: 1,
  }),
  kind('holdKind', holdKind, { repo, macKey: 4, snap: id16, type: 'pin', actor: 'a', reason: 'r', ms: 1 }),
  kind('quarantineKind', quarantineKind, {
    repo,
    pack: id32,
    scope: 'slots',
    slots: [{ slot: 1, id: id32 }],
    found: 'L4',
    ms: 1,
  }),
  kind('ownerKind', ownerKind, { repo, macKey: 3, series: id16, installation: id16, name: 'n', ms: 1 }),
  kind('probeKind', probeKind, { repo, ...probe }),
  kind('keySlotKind', keySlotKind, {
    repo,
    kekGen: 1,
    role: 'full',
    type: 'passphrase',
    label: '',
    ms: 1,
    check: id16,
    kdf: { alg: 'argon2id', m: 19_456, t: 1, p: 1, salt: id16 },
    nonce: '00'.repeat(12),
    wrapped: id16 + id32,
  }),
  kind(
    'keySlotKind',
    keySlotKind,
    {
      ...slot,
      type: 'hpke',
      suite: 'x25519-hkdf-sha256-aes-256-gcm',
      recipient: id32,
      enc: 'AAAA',
      wrapped: id16 + id32,
    },
    'key-slot of type hpke',
  ),
  kind('keySlotKind', keySlotKind, { ...slot, type: 'shamir', threshold: 2, shares: 3 }, 'key-slot of type shamir'),
  kind('keySetKind', keySetKind, {
    repo,
    kekGen: 1,
    role: 'full',
    rev: 1,
    ms: 1,
    nonce: '00'.repeat(12),
    wrapped: 'AAAA',
  }),
  kind('sessionKind', sessionKind, {
    repo,
    macKey: 3,
    sess: id16,
    part: 1,
    attempt: 1,
    seq: 0,
    type: 'journal',
    ms: 1,
    leaseSec: 3_600,
    stamp: 0,
    packs: [id32],
    segments: [id32],
    sealed: { no: 3, nonce: '00'.repeat(12), ct: 'AAAA' },
  }),
  {
    name: 'key set content',
    covers: ['decodeKeySetContent'],
    sample: JSON.parse(JSON.stringify(keySet)) as JsonObject,
    decode: decodeKeySetContent,
  },
  {
    name: 'manifest',
    covers: ['decodeManifestJson'],
    sample: manifest,
    decode: (bytes) => decodeManifestJson(bytes).json,
  },
  contentOf({
    type: 'open',
    series: id16,
    snap: id16,
    createdMs: 5,
    parent: id16,
    parentStem: stem,
    owner: id16,
    parts: [{ part: 1, disk: 'd', firstPage: 0, nPages: 2 }],
    point: { any: [1, 'thing'] },
  }),
  contentOf({
    type: 'journal',
    disk: 'd',
    nextOffset: 2 ** 30,
    entries: [{ pageNo: 0, entryNo: 3, shift: 20, chunk: { kind: 'chunk', id: Buffer.alloc(32, 1), ...location } }],
    runs: [{ pageNo: 0, entryNo: 4, count: 9, kind: 'zero' }],
    homes: [{ pack: id32, stamp: 7 }],
  }),
  contentOf({
    type: 'result',
    disk: 'd',
    firstPage: 0,
    roots: [{ kind: 'page', pageId: id32, ...location, clen: 200 }, { kind: 'unallocated' }],
    homes: [{ pack: id32, stamp: 7 }],
    readBytes: 1,
    newBytes: 1,
  }),
  contentOf({ type: 'commit', stem, results: [{ part: 1, attempt: 2 }] }),
  contentOf({ type: 'end', outcome: 'failed' }),
]

/** The same as bytes. A few bits of canonical JSON rarely leave it canonical: `withChanges` goes further. */
export const jsonTargets: readonly FuzzTarget[] = jsonSamples.map(({ name, covers, sample, decode }) => ({
  name,
  covers,
  decode,
  samples: fc.constant(canonicalJson(sample)),
}))

const leaf = fc.oneof(
  fc.constantFrom<JsonValue>(
    null,
    true,
    '',
    [],
    {},
    -1,
    0,
    2,
    2 ** 32,
    Number.MAX_SAFE_INTEGER,
    '00',
    id16,
    id32,
    'AAB',
  ),
  fc.string({ unit: 'grapheme' }),
  fc.integer(),
)

/** Every path to a value inside. */
function paths(value: JsonValue, at: readonly (string | number)[] = []): (readonly (string | number)[])[] {
  if (typeof value !== 'object' || value === null) return [at]
  return [at, ...Object.entries(value).flatMap(([name, member]) => paths(member, [...at, name]))]
}

function withMember(value: JsonValue, path: readonly (string | number)[], put: JsonValue | undefined): JsonValue {
  const [name, ...rest] = path
  if (name === undefined) return put ?? null
  const copy = (Array.isArray(value) ? [...(value as JsonValue[])] : { ...(value as object) }) as {
    [name: string]: JsonValue
  }
  const member = rest.length === 0 ? put : withMember(copy[name] ?? null, rest, put)
  if (member !== undefined) copy[name] = member
  else if (Array.isArray(copy)) copy.splice(Number(name), 1)
  else delete copy[name]
  return copy
}

/** A sample with one to three members replaced, removed or added, at any depth, in canonical form. */
export function withChanges(sample: JsonObject): fc.Arbitrary<Uint8Array> {
  const all = paths(sample).filter((path) => path.length > 0)
  const change = fc.record({ at: fc.nat(), put: fc.option(leaf, { nil: undefined, freq: 6 }) })
  return fc.array(change, { minLength: 1, maxLength: 3 }).map((changes) => {
    let value: JsonValue = sample
    for (const { at, put } of changes) value = withMember(value, all[at % all.length] ?? [], put)
    try {
      return canonicalJson(isJsonObject(value) ? value : sample)
    } catch {
      // A string that was taken to pieces has halves of characters, which no JSON holds.
      return canonicalJson(sample)
    }
  })
}
