import { expect, test } from 'vitest'
import {
  crc32,
  encodeManifestBody,
  imageRoot,
  names,
  type ManifestJson,
  type RootEntry,
  type SessionContent,
} from '../format/index.ts'
import { content as keys, domain, ms, P1, P3, repo, ring, series, snap } from '../vectors/given.ts'
import { manifestSignatureHolds, openManifest, sealManifest } from './manifest.ts'
import { createKeyRing } from './ring.ts'
import { signJson } from './macs.ts'
import { openSession, sealSession } from './session.ts'

const bytes = 2 ** 30 + 4096
const roots: readonly RootEntry[] = [
  { kind: 'page', pageId: 'e0'.repeat(32), pack: P3, slot: 2, off: 64, clen: 300 },
  { kind: 'zero' },
]
const json: ManifestJson = {
  v: 1,
  domain,
  vm: { id: 'v', name: 'n', platform: 'qemu', scope: 's', tags: [] },
  point: { origin: 'scheduled', frozenMs: ms, startedMs: ms, finishedMs: ms, run: 'r' },
  consistency: { level: 'filesystem', detail: '' },
  hypervisor: { platform: 'qemu', version: '10', host: 'h' },
  disks: [
    {
      id: 'd',
      label: '',
      bytes,
      sectorSize: 512,
      shiftDefault: 20,
      rootIndex: 0,
      nPages: 2,
      imageRoot: imageRoot(bytes, roots),
      changeRef: { kind: 'qemu-bitmap', id: '{}' },
      mode: 'full',
      why: 'first',
      readBytes: 1,
      newBytes: 1,
    },
  ],
  configs: [],
  retention: { class: '', policy: '', lockUntilSec: 0, lockMode: 'none', hold: false },
  tool: { name: 'holdfast', version: '1' },
}
const header = { flags: 0, snap, series, createdMs: ms, stampEpoch: 3, parent: '00'.repeat(16), lockUntilSec: 0 }
const stem = names.stem(series, ms, snap)
const object = sealManifest(ring, header, encodeManifestBody(json, roots))

test('a manifest opens as it was sealed', () => {
  const { header: found, body } = openManifest(ring, object, stem)
  expect(found).toMatchObject(header)
  expect(body.json).toEqual(json)
  expect(body.roots).toEqual(roots)
  expect(manifestSignatureHolds(ring, snap, body)).toBeUndefined()
})

test('no flipped bit and no truncation leaves a manifest that opens', () => {
  for (let bit = 0; bit < object.length * 8; bit += object.length > 4_000 ? 7 : 1) {
    const altered = Buffer.from(object)
    altered.writeUInt8(altered.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
    if (bit < 124 * 8) altered.writeUInt32LE(crc32(altered.subarray(0, 124)), 124)
    expect(() => openManifest(ring, altered, stem)).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/^(Format(Error|Unsupported)|KeyUnknown)$/) as string }),
    )
  }
  for (let length = 0; length < object.length; length += 13) {
    expect(() => openManifest(ring, object.subarray(0, length), stem)).toThrow(
      expect.objectContaining({ code: 'FormatError' }),
    )
  }
})

test('a manifest under the name of another snapshot, series or time is refused', () => {
  for (const other of [
    names.stem(series, ms, 'f1'.repeat(16)),
    names.stem(series, ms + 1, snap),
    names.stem('61'.repeat(16), ms, snap),
  ]) {
    expect(() => openManifest(ring, object, other)).toThrow('another snapshot')
  }
})

test('a manifest of another repository is refused even if it shares the keys', () => {
  const other = createKeyRing({ ...keys, repo: '99'.repeat(16) })
  expect(() => openManifest(other, object, stem)).toThrow(`belongs to repository ${repo}`)
})

const clear = {
  sess: 'ee'.repeat(16),
  part: 1,
  attempt: 2,
  seq: 3,
  ms,
  leaseSec: 60,
  stamp: 4,
  packs: [P1],
  segments: [],
}
const contents: readonly SessionContent[] = [
  {
    type: 'open',
    series,
    snap,
    createdMs: ms,
    parent: null,
    parentStem: null,
    owner: 'aa'.repeat(16),
    parts: [
      { part: 2, disk: 'b', firstPage: 0, nPages: 1 },
      { part: 1, disk: 'a', firstPage: 0, nPages: 9 },
    ],
    point: { nested: { any: [null, 'value'] } },
  },
  {
    type: 'journal',
    disk: 'a',
    nextOffset: 5 * 2 ** 20,
    entries: [
      {
        pageNo: 0,
        entryNo: 0,
        shift: 20,
        chunk: { kind: 'chunk', id: Buffer.alloc(32, 1), pack: P3, slot: 0, off: 64, clen: 99 },
      },
      {
        pageNo: 0,
        entryNo: 4,
        shift: 20,
        chunk: { kind: 'chunk', id: Buffer.alloc(32, 2), pack: P1, slot: 7, off: 999, clen: 99 },
      },
    ],
    runs: [{ pageNo: 0, entryNo: 1, count: 3, kind: 'zero' }],
    homes: [
      { pack: P1, stamp: 4 },
      { pack: P3, stamp: 0 },
    ],
  },
  { type: 'result', disk: 'a', firstPage: 0, roots, homes: [{ pack: P3, stamp: 1 }], readBytes: 7, newBytes: 8 },
  { type: 'commit', stem, results: [{ part: 1, attempt: 2 }] },
  { type: 'end', outcome: 'failed' },
]
const name = names.session(clear.sess, 1, 2, 3)

test('every kind of session object opens as it was sealed', () => {
  for (const content of contents) {
    const opened = openSession(ring, sealSession(ring, clear, content), name)
    expect(opened.content).toEqual(
      content.type === 'journal' || content.type === 'result'
        ? { ...content, homes: [...content.homes].sort((a, b) => (a.pack < b.pack ? -1 : 1)) }
        : content,
    )
    expect(opened.object).toMatchObject({ ...clear, repo, type: content.type })
  }
})

test('the clear part of a session object says nothing of what is sealed', () => {
  const text = sealSession(ring, clear, contents[0] ?? { type: 'end', outcome: 'failed' }).toString()
  expect(text).not.toContain(snap)
  expect(text).not.toContain(series)
  expect(text).not.toContain('nested')
})

test('no flipped bit leaves a session object that opens', () => {
  const sealed = sealSession(ring, clear, { type: 'end', outcome: 'failed' })
  for (let bit = 0; bit < sealed.length * 8; bit++) {
    const altered = Buffer.from(sealed)
    altered.writeUInt8(altered.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
    expect(() => openSession(ring, altered, name)).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/^Format(Error|Unsupported)$/) as string }),
    )
  }
})

test('content sealed for one object does not open in another, even for a key holder who signs it', () => {
  const one = JSON.parse(sealSession(ring, clear, { type: 'end', outcome: 'failed' }).toString()) as { sealed: never }
  const two = sealSession(ring, { ...clear, seq: 4 }, { type: 'end', outcome: 'committed' })
  expect(two.toString()).not.toContain(JSON.stringify(one.sealed))
  const { mac: _, ...raw } = JSON.parse(two.toString()) as { mac: string; macKey: number }
  const swapped = signJson({ ...raw, sealed: one.sealed }, ring, 'writer')
  expect(() => openSession(ring, swapped, names.session(clear.sess, 1, 2, 4))).toThrow('does not open')
})

test('a session object under the name of another session, part, attempt or place is refused', () => {
  const sealed = sealSession(ring, clear, { type: 'end', outcome: 'failed' })
  for (const other of [
    names.session('ef'.repeat(16), 1, 2, 3),
    names.session(clear.sess, 2, 2, 3),
    names.session(clear.sess, 1, 1, 3),
    names.session(clear.sess, 1, 2, 4),
  ]) {
    expect(() => openSession(ring, sealed, other)).toThrow('another name')
  }
})
