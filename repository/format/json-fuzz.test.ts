/**
 * Hostile JSON against every JSON decoder: members replaced, removed and added at any depth, in canonical form, so that the
 * schemas and the rules behind them are reached.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isHoldfastError } from '../../base/index.ts'
import { canonicalJson, isJsonObject, type JsonObject, type JsonValue } from './canonical-json.ts'
import { defaultFmt, featKind, fmtKind, NO_FEATURES } from './fmt.ts'
import type { JsonKind } from './json-object.ts'
import { decodeKeySetContent, keySetKind, keySlotKind } from './key-objects.ts'
import { decodeManifestJson } from './manifest-json.ts'
import { ownerKind, probeKind, quarantineKind } from './other-objects.ts'
import { decodeSessionContent, encodeSessionContent, type SessionContent } from './session-content.ts'
import { sessionKind } from './session.ts'
import { abandonKind, holdKind, tombstoneKind, validatedKind } from './snap-objects.ts'
import { names } from './names.ts'
import { content as keySet } from '../vectors/given.ts'

const id16 = '5a'.repeat(16)
const id32 = id16 + id16
const repo = id16
const probe = { ms: 1, passed: true, checks: [{ name: 'n', passed: true, detail: '' }], staleMs: 0, skewMs: -3 }
const location = { pack: id32, slot: 1, off: 64, clen: 100 }
const stem = names.stem(id16, 5, id16)

const kind = <T>(of: JsonKind<T>, fields: T): [string, JsonObject, (raw: JsonObject) => unknown] => [
  of.kind,
  of.write(fields),
  (raw) => of.read(of.parse(canonicalJson(raw))),
]
const contentOf = (content: SessionContent): [string, JsonObject, (raw: JsonObject) => unknown] => [
  `session ${content.type}`,
  JSON.parse(encodeSessionContent(content).toString()) as JsonObject,
  (raw) => decodeSessionContent(content.type, canonicalJson(raw)),
]
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

const samples: readonly [string, JsonObject, (raw: JsonObject) => unknown][] = [
  kind(fmtKind, defaultFmt({ repo, createdMs: 1, domains: [id16], probe, signer: id32 })),
  kind(featKind, { repo, add: NO_FEATURES, ms: 1, signer: id32 }),
  kind(validatedKind, {
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
  kind(abandonKind, { repo, macKey: 4, snap: id16, owner: id16, ms: 1 }),
  kind(tombstoneKind, { repo, macKey: 4, snap: id16, reason: 'operator', policy: 'p', actor: 'a', decidedMs: 1 }),
  kind(holdKind, { repo, macKey: 4, snap: id16, type: 'pin', actor: 'a', reason: 'r', ms: 1 }),
  kind(quarantineKind, { repo, pack: id32, scope: 'slots', slots: [{ slot: 1, id: id32 }], found: 'L4', ms: 1 }),
  kind(ownerKind, { repo, macKey: 3, series: id16, installation: id16, name: 'n', ms: 1 }),
  kind(probeKind, { repo, ...probe }),
  kind(keySlotKind, {
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
  kind(keySetKind, { repo, kekGen: 1, role: 'full', rev: 1, ms: 1, nonce: '00'.repeat(12), wrapped: 'AAAA' }),
  kind(sessionKind, {
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
  [
    'key set content',
    JSON.parse(JSON.stringify(keySet)) as JsonObject,
    (raw) => decodeKeySetContent(canonicalJson(raw)),
  ],
  ['manifest', manifest, (raw) => decodeManifestJson(canonicalJson(raw)).json],
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

const refuses = (decode: () => unknown): 'accepted' | 'FormatError' | 'FormatUnsupported' => {
  try {
    decode()
    return 'accepted'
  } catch (error) {
    if (isHoldfastError(error) && (error.code === 'FormatError' || error.code === 'FormatUnsupported'))
      return error.code
    throw error
  }
}

describe.each(samples)('%s', (_, sample, read) => {
  test('is read as it was written, unknown members ignored', () => {
    expect(refuses(() => read(sample))).toBe('accepted')
    expect(read({ ...sample, zzz: { unknown: [1] } })).toEqual(read(sample))
  })

  test('survives members that are replaced, removed and added', () => {
    const all = paths(sample).filter((path) => path.length > 0)
    const change = fc.record({ at: fc.nat(), put: fc.option(leaf, { nil: undefined, freq: 6 }) })
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) => {
        let value: JsonValue = sample
        for (const { at, put } of changes) value = withMember(value, all[at % all.length] ?? [], put)
        if (isJsonObject(value)) {
          const raw = value
          refuses(() => read(raw))
        }
      }),
      { numRuns: 500 },
    )
  })

  test('does not do without any member that must be there', () => {
    const optional = new Set(['name', 'description', 'policy', 'source', 'signature', 'point'])
    for (const member of Object.keys(sample)) {
      if (optional.has(member) && member in sample) continue
      const { [member]: _gone, ...rest } = sample
      expect([member, refuses(() => read(rest))]).toEqual([member, 'FormatError'])
    }
  })
})

test('another v is unsupported, not damaged', () => {
  for (const [name, sample, read] of samples) {
    if (!('v' in sample)) continue
    expect([name, refuses(() => read({ ...sample, v: 2 }))]).toEqual([name, 'FormatUnsupported'])
    expect([name, refuses(() => read({ ...sample, v: '1' }))]).toEqual([name, 'FormatError'])
  }
})
