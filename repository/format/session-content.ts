import { z } from 'zod'
import { bounds } from './bounds.ts'
import { fromBase64url, packTable, toBase64url } from './bytes.ts'
import { canonicalJson, parseCanonicalObject, type JsonObject } from './canonical-json.ts'
import { demand } from './errors.ts'
import { parseStem } from './names.ts'
import { decodeRoots, encodeRoots, type RootEntry } from './root-entry.ts'
import { base64url, checkSchema, hash, integer, optional, text, uuid } from './schema.ts'
import type { SessionType } from './session.ts'
import {
  decodeEntries,
  decodeHomes,
  decodeRun,
  demandSorted,
  encodeEntries,
  encodeHomes,
  encodeRun,
  type Home,
  type JournalEntry,
  type JournalRun,
} from './session-records.ts'

const partNo = integer.min(1).max(0xffff)
const page = integer.max(bounds.manifest.pagesPerDisk)
const openSchema = z.object({
  series: uuid,
  snap: uuid,
  createdMs: integer,
  parent: uuid.nullable(),
  parentStem: text.nullable(),
  owner: uuid,
  parts: z.array(z.object({ part: partNo, disk: text, firstPage: page, nPages: page })),
  point: optional(
    z.custom<JsonObject>((value) => typeof value === 'object' && value !== null && !Array.isArray(value)),
  ),
})
const journalSchema = z.object({
  disk: text,
  nextOffset: integer,
  entries: base64url,
  entryPacks: z.array(hash),
  runs: z.array(z.tuple([integer, integer, integer, integer])),
  homes: base64url,
  readBytes: optional(integer),
})
const resultSchema = z.object({
  disk: text,
  firstPage: page,
  nPages: page,
  roots: base64url,
  rootPacks: z.array(hash),
  homes: base64url,
  readBytes: integer,
  newBytes: integer,
})
const commitSchema = z.object({ stem: text, results: z.array(z.object({ part: partNo, attempt: partNo })) })
const endSchema = z.object({ outcome: z.enum(['committed', 'failed']) })

/** Part 0, S0: fixes what a repeated commit must repeat. `parent` and `parentStem` are both null without a parent. */
export type SessionOpen = { readonly type: 'open' } & z.infer<typeof openSchema>
/** What was decided since the part's previous journal; everything before `nextOffset` is decided and durable. */
export interface SessionJournal {
  readonly type: 'journal'
  readonly disk: string
  readonly nextOffset: number
  readonly entries: readonly JournalEntry[]
  readonly runs: readonly JournalRun[]
  /** For the packs of `entries`. */
  readonly homes: readonly Home[]
  /** Bytes read from the source since the part's previous journal, so that a resumed part still counts right. */
  readonly readBytes?: number
}
/** The whole part, whatever its journals said. */
export interface SessionResult {
  readonly type: 'result'
  readonly disk: string
  readonly firstPage: number
  readonly roots: readonly RootEntry[]
  /** For all new chunks and pages of the part. */
  readonly homes: readonly Home[]
  readonly readBytes: number
  readonly newBytes: number
}
export type SessionCommit = { readonly type: 'commit' } & z.infer<typeof commitSchema>
export type SessionEnd = { readonly type: 'end' } & z.infer<typeof endSchema>
/** §7.1: the sealed content of a session object, by type. */
export type SessionContent = SessionOpen | SessionJournal | SessionResult | SessionCommit | SessionEnd

/** Canonical JSON of the sealed content. Throws FormatError for what a decoder would refuse. */
export function encodeSessionContent(content: SessionContent): Buffer {
  const bytes = canonicalJson(toJson(content), `session ${content.type}`)
  decodeSessionContent(content.type, bytes)
  return bytes
}

/** `type` is that of the object around it. Throws FormatError or FormatUnsupported. */
export function decodeSessionContent(type: SessionType, bytes: Uint8Array): SessionContent {
  const what = `session ${type}`
  const raw = parseCanonicalObject(bytes, bounds.json.session, what)
  switch (type) {
    case 'open':
      return { type, ...checkOpen(checkSchema(openSchema, raw, what)) }
    case 'journal': {
      const { entries, entryPacks, runs, homes, ...rest } = checkSchema(journalSchema, raw, what)
      const decoded = { entries: decodeEntries({ entries, entryPacks }), runs: runs.map(decodeRun) }
      return { type, ...rest, ...decoded, homes: decodeHomes(homes) }
    }
    case 'result': {
      const { roots, rootPacks, nPages, homes, ...rest } = checkSchema(resultSchema, raw, what)
      demandSorted(rootPacks, what)
      const decoded = decodeRoots(fromBase64url(roots, what), packTable(rootPacks, what))
      demand(decoded.length === nPages, what, `${decoded.length} root entries for ${nPages} pages`)
      return { type, ...rest, roots: decoded, homes: decodeHomes(homes) }
    }
    case 'commit': {
      const fields = checkSchema(commitSchema, raw, what)
      parseStem(fields.stem)
      return { type, ...fields }
    }
    case 'end':
      return { type, ...checkSchema(endSchema, raw, what) }
  }
}

function toJson(content: SessionContent): object {
  const { type: _, ...rest } = content
  switch (content.type) {
    case 'journal': {
      const { entries, runs, homes, disk, nextOffset, readBytes } = content
      return {
        disk,
        nextOffset,
        readBytes,
        ...encodeEntries(entries),
        runs: runs.map(encodeRun),
        homes: encodeHomes(homes),
      }
    }
    case 'result': {
      const { roots, homes, disk, firstPage, readBytes, newBytes } = content
      const encoded = encodeRoots(roots)
      const packed = { roots: toBase64url(encoded.entries), rootPacks: encoded.packs, nPages: roots.length }
      return { disk, firstPage, readBytes, newBytes, ...packed, homes: encodeHomes(homes) }
    }
    default:
      return rest
  }
}

function checkOpen(open: z.infer<typeof openSchema>): z.infer<typeof openSchema> {
  const what = 'session open'
  const parts = open.parts.map((item) => item.part).sort((a, b) => a - b)
  demand(
    parts.every((part, index) => part === index + 1),
    what,
    'the parts are not numbered from 1',
  )
  demand((open.parent === null) === (open.parentStem === null), what, 'parent without stem, or stem without parent')
  if (open.parentStem !== null) {
    demand(parseStem(open.parentStem).snap === open.parent, what, 'the stem of the parent is that of another snapshot')
  }
  if (open.point !== undefined) {
    const size = canonicalJson(open.point).length
    demand(size <= bounds.json.point, what, `point of ${size} bytes`)
  }
  return open
}
