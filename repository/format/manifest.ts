import { bounds } from './bounds.ts'
import { isZero, slice } from './bytes.ts'
import type { JsonObject } from './canonical-json.ts'
import { demand, formatError } from './errors.ts'
import { imageRoot } from './identity.ts'
import { MANIFEST_MIRRORED, MANIFEST_NO_DISKS, type ManifestHeader } from './manifest-header.ts'
import {
  decodeManifestJson,
  encodeManifestJson,
  rootCountOf,
  type ManifestDisk,
  type ManifestJson,
} from './manifest-json.ts'
import { record, u32 } from './record.ts'
import { decodeRoots, encodeRoots, ROOT_ENTRY, type RootEntry } from './root-entry.ts'
import { decodeZstdFrame, encodeZstdFrame } from './zstd.ts'

const BODY_HEADER = 32

/** §4.4, body header, 32 bytes at the start of the plaintext. */
const bodyHeader = record({
  what: 'manifest body header',
  size: BODY_HEADER,
  magic: '',
  reserved: [[24, 8]],
  fields: {
    jsonLen: u32(0),
    jsonRawLen: u32(4),
    rootOff: u32(8),
    rootCount: u32(12),
    packOff: u32(16),
    packCount: u32(20),
  },
})

/** The decoded plaintext of a manifest's body. */
export interface ManifestBody {
  readonly json: ManifestJson
  /** The JSON with its unknown members: what a signature covers. */
  readonly raw: JsonObject
  readonly roots: readonly RootEntry[]
  /** Root entries ‖ pack table, as they stand: what a signature covers. */
  readonly rootBytes: Buffer
}

/** §4.4, plaintext of the body. */
export function encodeManifestBody(json: ManifestJson, roots: readonly RootEntry[], level = 3): Buffer {
  const rawJson = encodeManifestJson(json)
  const frame = encodeZstdFrame(rawJson, level)
  return assembleManifestBody(rawJson.length, frame, roots)
}

/** As encodeManifestBody, for a frame that is made already. `jsonRawLen`: length of its content. */
export function assembleManifestBody(jsonRawLen: number, frame: Uint8Array, roots: readonly RootEntry[]): Buffer {
  const { entries, table, packs } = encodeRoots(roots)
  const rootOff = BODY_HEADER + roundUp8(frame.length)
  const head = {
    jsonLen: frame.length,
    jsonRawLen,
    rootOff,
    rootCount: roots.length,
    packOff: rootOff + entries.length,
    packCount: packs.length,
  }
  const whole = Buffer.alloc(head.packOff + table.length)
  checkBodyHeader(head, whole.length)
  bodyHeader.encode(head).copy(whole)
  whole.set(frame, BODY_HEADER)
  entries.copy(whole, rootOff)
  table.copy(whole, head.packOff)
  return whole
}

/** Throws FormatError or FormatUnsupported. `header`: what header and JSON both say must agree. */
export function decodeManifestBody(plaintext: Uint8Array, header: ManifestHeader): ManifestBody {
  const head = bodyHeader.decode(plaintext)
  checkBodyHeader(head, plaintext.length)
  const frameEnd = BODY_HEADER + head.jsonLen
  const padding = slice(plaintext, frameEnd, head.rootOff - frameEnd, 'manifest body')
  demand(isZero(padding), 'manifest body', 'padding is not zero')
  const frame = slice(plaintext, BODY_HEADER, head.jsonLen, 'manifest body')
  const { json, raw } = decodeManifestJson(decodeZstdFrame(frame, head.jsonRawLen, 'manifest JSON'))
  demand(rootCountOf(json) === head.rootCount, 'manifest body', 'the disks do not tile the root entries')
  checkAgreement(header, json)
  const entries = slice(plaintext, head.rootOff, ROOT_ENTRY * head.rootCount, 'manifest body')
  const table = slice(plaintext, head.packOff, 32 * head.packCount, 'manifest body')
  const rootBytes = slice(plaintext, head.rootOff, entries.length + table.length, 'manifest body')
  return { json, raw, roots: decodeRoots(entries, table), rootBytes }
}

/** Root entries of one disk. */
export function rootsOfDisk(body: Pick<ManifestBody, 'roots'>, disk: ManifestDisk): readonly RootEntry[] {
  return body.roots.slice(disk.rootIndex, disk.rootIndex + disk.nPages)
}

/** §6.5, §17 step 5: recomputes a disk's imageRoot from the root entries. Throws FormatError if it differs. */
export function checkImageRoot(body: Pick<ManifestBody, 'roots'>, disk: ManifestDisk): void {
  const found = imageRoot(disk.bytes, rootsOfDisk(body, disk))
  if (found !== disk.imageRoot) {
    throw formatError(`manifest disk ${JSON.stringify(disk.id)}`, 'the root entries do not give its imageRoot')
  }
}

/** §4.4: what the header and the JSON both say must agree. */
export function checkAgreement(header: ManifestHeader, json: ManifestJson): void {
  const agree = (holds: boolean, member: string) => demand(holds, 'manifest', `header and JSON disagree in ${member}`)
  agree(header.lockUntilSec === json.retention.lockUntilSec, 'lockUntilSec')
  agree(header.createdMs === json.point.frozenMs, 'createdMs')
  agree(((header.flags & MANIFEST_MIRRORED) !== 0) === (json.source !== undefined), 'flag bit 0 (mirrored)')
  agree(((header.flags & MANIFEST_NO_DISKS) !== 0) === (json.disks.length === 0), 'flag bit 1 (no disks)')
}

function checkBodyHeader(head: ReturnType<typeof bodyHeader.decode>, length: number): void {
  const what = 'manifest body header'
  demand(head.jsonLen <= bounds.manifest.json, what, `JSON of ${head.jsonLen} bytes`)
  demand(head.jsonRawLen <= bounds.manifest.jsonRaw, what, `JSON of ${head.jsonRawLen} bytes, decompressed`)
  demand(head.rootCount <= bounds.manifest.roots, what, `${head.rootCount} root entries`)
  demand(head.packCount <= bounds.manifest.packs && head.packCount <= head.rootCount, what, `${head.packCount} packs`)
  demand(head.rootOff === BODY_HEADER + roundUp8(head.jsonLen), what, 'root entries at a wrong place')
  demand(head.packOff === head.rootOff + ROOT_ENTRY * head.rootCount, what, 'pack table at a wrong place')
  demand(length === head.packOff + 32 * head.packCount, what, `${length} bytes of plaintext`)
}

function roundUp8(n: number): number {
  return Math.ceil(n / 8) * 8
}
