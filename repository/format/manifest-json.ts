import { z } from 'zod'
import { bounds, PAGE_BYTES } from './bounds.ts'
import { canonicalJson, parseCanonicalObject, without, type JsonObject } from './canonical-json.ts'
import { demand } from './errors.ts'
import { checkLocation } from './page.ts'
import { checkSchema, checkVersion, flag, hash, hexOf, integer, optional, text, uuid } from './schema.ts'

const disk = z.object({
  id: text,
  label: text,
  bytes: integer,
  sectorSize: integer,
  shiftDefault: integer,
  rootIndex: integer,
  nPages: integer.min(1).max(bounds.manifest.pagesPerDisk),
  imageRoot: hash,
  changeRef: z.object({ kind: text, id: text }).nullable(),
  mode: z.enum(['full', 'incremental']),
  why: text,
  readBytes: integer,
  newBytes: integer,
})
const configPart = z.object({ id: hash, pack: hash, slot: integer, off: integer, clen: integer })
const config = z.object({
  name: text,
  /** "native", "portable", "firmware", "tpm", "catalog", "audit"; others are passed through. */
  type: text,
  bytes: integer,
  sha256: hash,
  parts: z.array(configPart).max(bounds.config.parts),
})

/** §4.4, manifest JSON: names and types. */
const schema = z.object({
  v: z.literal(1),
  domain: uuid,
  vm: z.object({ id: text, name: text, platform: text, scope: text, tags: z.array(text) }),
  point: z.object({
    origin: z.enum(['scheduled', 'manual', 'publish', 'safety', 'catalog']),
    name: optional(text),
    description: optional(text),
    frozenMs: integer,
    startedMs: integer,
    finishedMs: integer,
    run: text,
  }),
  consistency: z.object({ level: z.enum(['crash', 'filesystem', 'application']), detail: text }),
  hypervisor: z.object({ platform: text, version: text, host: text }),
  disks: z.array(disk).max(bounds.manifest.disks),
  configs: z.array(config).max(bounds.config.configs),
  retention: z.object({
    class: text,
    policy: text,
    lockUntilSec: integer,
    lockMode: z.enum(['none', 'governance', 'compliance']),
    hold: flag,
  }),
  source: optional(z.object({ repo: uuid, snap: uuid, createdMs: integer, retentionMs: integer })),
  tool: z.object({ name: text, version: text }),
  signature: optional(z.object({ key: integer.max(0xffffffff), sig: hexOf(64) })),
})

export type ManifestJson = z.infer<typeof schema>
export type ManifestDisk = z.infer<typeof disk>
export type ManifestConfig = z.infer<typeof config>
export type ConfigPartLocation = z.infer<typeof configPart>

/** `raw` is the parsed object with its unknown members: what a signature covers. */
export function decodeManifestJson(bytes: Uint8Array): { readonly json: ManifestJson; readonly raw: JsonObject } {
  const raw = parseCanonicalObject(bytes, bounds.manifest.jsonRaw, 'manifest JSON')
  checkVersion(raw, 'manifest JSON')
  return { json: checkManifest(checkSchema(schema, raw, 'manifest JSON')), raw }
}

/** Throws FormatError for what a decoder would refuse. */
export function encodeManifestJson(json: ManifestJson): Buffer {
  const bytes = canonicalJson(json, 'manifest JSON')
  decodeManifestJson(bytes)
  return bytes
}

/** §4.4: the bytes whose SHA-256 a signature covers. */
export function unsignedManifest(raw: JsonObject): Buffer {
  return canonicalJson(without(raw, 'signature'), 'manifest JSON')
}

/** Number of root entries that the disks tile. */
export function rootCountOf(json: Pick<ManifestJson, 'disks'>): number {
  return json.disks.reduce((sum, item) => sum + item.nPages, 0)
}

function checkManifest(json: ManifestJson): ManifestJson {
  const ids = new Set<string>()
  let next = 0
  for (const item of json.disks) {
    const what = `manifest disk ${JSON.stringify(item.id)}`
    demand(!ids.has(item.id), what, 'the id is used twice')
    ids.add(item.id)
    demand(item.bytes > 0 && item.bytes % 512 === 0, what, `${item.bytes} bytes, not a positive multiple of 512`)
    demand(item.nPages === Math.ceil(item.bytes / PAGE_BYTES), what, `${item.nPages} pages for ${item.bytes} bytes`)
    demand(item.rootIndex === next, what, `root entries from ${item.rootIndex} instead of ${next}`)
    next += item.nPages
  }
  demand(next <= bounds.manifest.roots, 'manifest JSON', `${next} pages`)
  const configs = new Set<string>()
  for (const item of json.configs) {
    const what = `manifest config ${JSON.stringify(item.name)}`
    demand(!configs.has(item.name), what, 'the name is used twice')
    configs.add(item.name)
    const parts = Math.ceil(item.bytes / bounds.config.part)
    demand(item.parts.length === parts, what, `${item.parts.length} parts for ${item.bytes} bytes`)
    for (const part of item.parts) checkLocation(part, bounds.config.part, what)
  }
  return json
}

/** §4.4: every part is 4 MiB but the last. */
export function configPartLength(item: Pick<ManifestConfig, 'bytes'>, index: number): number {
  return Math.min(bounds.config.part, item.bytes - index * bounds.config.part)
}
