import { expect, test } from 'vitest'
import { canonicalJson, type JsonObject, type JsonValue } from './canonical-json.ts'
import { assembleManifestBody, checkAgreement, checkImageRoot, decodeManifestBody } from './manifest.ts'
import { decodeManifestJson, type ManifestJson } from './manifest-json.ts'
import { decodeManifestHeader, encodeManifestHeader, type ManifestHeader } from './manifest-header.ts'
import { imageRoot } from './identity.ts'
import { names } from './names.ts'
import { encodeZstdFrame } from './zstd.ts'

const id16 = '5a'.repeat(16)
const id32 = id16 + id16
const disk = {
  id: 'a',
  label: '',
  bytes: 2 ** 30 + 512,
  sectorSize: 512,
  shiftDefault: 20,
  rootIndex: 0,
  nPages: 2,
  imageRoot: id32,
  changeRef: null,
  mode: 'full',
  why: '',
  readBytes: 0,
  newBytes: 0,
}
const part = { id: id32, pack: id32, slot: 0, off: 64, clen: 53 }
const config = { name: 'c', type: 'other', bytes: 5, sha256: id32, parts: [part] }
const base: { [member: string]: JsonValue } = {
  v: 1,
  domain: id16,
  vm: { id: 'v', name: 'n', platform: 'qemu', scope: 's', tags: [] },
  point: { origin: 'manual', frozenMs: 5, startedMs: 5, finishedMs: 6, run: 'r' },
  consistency: { level: 'crash', detail: '' },
  hypervisor: { platform: 'qemu', version: '1', host: 'h' },
  disks: [disk],
  configs: [config],
  retention: { class: '', policy: '', lockUntilSec: 0, lockMode: 'none', hold: false },
  tool: { name: 'holdfast', version: '1' },
}
const read = (changes: JsonObject): ManifestJson => decodeManifestJson(canonicalJson({ ...base, ...changes })).json
const second = { ...disk, id: 'b', rootIndex: 2 }

test('two disks tile the root entries in their order', () => {
  expect(read({ disks: [disk, second] }).disks).toHaveLength(2)
})

test.each<[string, JsonObject, string]>([
  ['a disk id that is used twice', { disks: [disk, { ...second, id: 'a' }] }, 'used twice'],
  [
    'a gap between the root entries of two disks',
    { disks: [disk, { ...second, rootIndex: 3 }] },
    'root entries from 3',
  ],
  ['disks in another order than their root entries', { disks: [second, disk] }, 'root entries from 2'],
  ['a disk of no bytes', { disks: [{ ...disk, bytes: 0 }] }, 'multiple of 512'],
  ['a disk that is no multiple of 512', { disks: [{ ...disk, bytes: 2 ** 30 + 100 }] }, 'multiple of 512'],
  ['a disk with one page too many', { disks: [{ ...disk, nPages: 3 }] }, '3 pages for'],
  ['a disk beyond 64 TiB', { disks: [{ ...disk, bytes: 2 ** 46 + 512, nPages: 65_537 }] }, 'nPages'],
  ['257 disks', { disks: Array.from({ length: 257 }, () => disk) }, 'disks'],
  ['a config name that is used twice', { configs: [config, config] }, 'used twice'],
  ['a config with a part missing', { configs: [{ ...config, bytes: 4 * 2 ** 20 + 1 }] }, '1 parts for'],
  ['a config without bytes but with a part', { configs: [{ ...config, bytes: 0 }] }, '1 parts for 0'],
  [
    'a part whose offset lies in the pack header',
    { configs: [{ ...config, parts: [{ ...part, off: 63 }] }] },
    'offset 63',
  ],
  [
    'a part longer than 4 MiB',
    { configs: [{ ...config, parts: [{ ...part, clen: 4_194_353 }] }] },
    'ciphertext length',
  ],
])('%s is a format error', (_, changes, why) => {
  expect(() => read(changes)).toThrow(
    expect.objectContaining({ code: 'FormatError', message: expect.stringContaining(why) as string }),
  )
})

const header: ManifestHeader = {
  flags: 0,
  bodyLen: 100,
  repo: id16,
  snap: id16,
  series: id16,
  createdMs: 5,
  stampEpoch: 0,
  parent: id16,
  lockUntilSec: 0,
  mdkNo: 3,
  nonce: Buffer.alloc(12),
}
const source = { repo: id16, snap: id16, createdMs: 1, retentionMs: 1 }

test.each<[string, Partial<ManifestHeader>, JsonObject, string | undefined]>([
  ['a plain manifest', {}, {}, undefined],
  ['a mirrored one', { flags: 1 }, { source }, undefined],
  ['one without disks', { flags: 2 }, { disks: [] }, undefined],
  ['another lock', { lockUntilSec: 1 }, {}, 'lockUntilSec'],
  ['another time', { createdMs: 6 }, {}, 'createdMs'],
  ['a source without the flag', {}, { source }, 'bit 0'],
  ['the flag without a source', { flags: 1 }, {}, 'bit 0'],
  ['no disks without the flag', {}, { disks: [] }, 'bit 1'],
  ['the flag with disks', { flags: 2 }, {}, 'bit 1'],
])('header and JSON are compared: %s', (_, head, changes, why) => {
  const check = () => checkAgreement({ ...header, ...head }, read(changes))
  if (why === undefined) expect(check).not.toThrow()
  else expect(check).toThrow(why)
})

test('root entries that do not give the imageRoot are found without a key', () => {
  const roots = [{ kind: 'zero' }, { kind: 'unallocated' }] as const
  const [sound] = read({ disks: [{ ...disk, imageRoot: imageRoot(disk.bytes, roots) }] }).disks
  if (sound === undefined) throw new Error('no disk')
  expect(() => checkImageRoot({ roots }, sound)).not.toThrow()
  expect(() => checkImageRoot({ roots: [roots[1], roots[0]] }, sound)).toThrow('imageRoot')
  expect(() => checkImageRoot({ roots }, { ...sound, bytes: sound.bytes - 512 })).toThrow('imageRoot')
})

test('a manifest object is exactly its header and its body', () => {
  const stem = names.stem(id16, 5, id16)
  const bytes = encodeManifestHeader(header)
  expect(decodeManifestHeader(bytes, 228, stem)).toMatchObject({ bodyLen: 100, mdkNo: 3 })
  for (const size of [227, 229]) expect(() => decodeManifestHeader(bytes, size, stem)).toThrow('not header and body')
  expect(() => encodeManifestHeader({ ...header, bodyLen: 64 * 2 ** 20 + 1 })).toThrow('body of')
})

test('padding between JSON and root entries is zero', () => {
  const frame = encodeZstdFrame(canonicalJson({ ...base, disks: [], configs: [], zz: 'pad' }), 1)
  const rawLength = canonicalJson({ ...base, disks: [], configs: [], zz: 'pad' }).length
  const plain = assembleManifestBody(rawLength, frame, [])
  const noDisks = { ...header, flags: 2 }
  expect(plain.length).toBeGreaterThan(32 + frame.length)
  expect(decodeManifestBody(plain, noDisks).roots).toEqual([])
  for (let at = 32 + frame.length; at < plain.length; at++) {
    const altered = Buffer.from(plain)
    altered.writeUInt8(1, at)
    expect(() => decodeManifestBody(altered, noDisks)).toThrow('padding')
  }
})
