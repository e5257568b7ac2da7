import { z } from 'zod'
import { bounds, CHUNK_SHIFT, PACK_TARGET, PAGE_SHIFT } from './bounds.ts'
import { canonicalJson } from './canonical-json.ts'
import { demand, unsupported } from './errors.ts'
import { jsonKind } from './json-object.ts'
import { MiB } from '../../base/index.ts'
import { flag, hash, integer, optional, text, uuid } from './schema.ts'

const features = z.object({ read: z.array(text), write: z.array(text), gc: z.array(text) })
/** §3.5: names of features, by what one must not do without knowing them. */
export type Features = z.infer<typeof features>
export const NO_FEATURES: Features = { read: [], write: [], gc: [] }

/** §3.5: objects are locked (§11.5). Who collects or prunes must know it. */
export const OBJECT_LOCK = 'object-lock-1'
/** §4.11: a longer one is a mistake more likely than a wish, and in compliance mode nobody can take it back. */
export const MAX_LOCK_DAYS = 36_500

/** Members of a probe's result, in `fmt` and in `probe/…` (§4.11). */
export const probeMembers = {
  ms: integer,
  passed: flag,
  checks: z.array(z.object({ name: text, passed: flag, detail: text })),
  staleMs: integer,
  skewMs: z.int(),
}

/** §4.11: constants of R1; any other value is unsupported. */
export const FORMAT_VERSION = 1
export const ALGORITHMS = {
  hash: 'sha256',
  id: 'hmac-sha256',
  aead: 'aes-256-gcm',
  kdf: 'hkdf-sha256',
  comp: 'zstd',
  sign: 'ed25519',
} as const

const fmtSchema = z.object({
  repo: uuid,
  createdMs: integer,
  formatVersion: integer,
  algs: z.object({ hash: text, id: text, aead: text, kdf: text, comp: text, sign: text }),
  packTarget: integer.min(16 * MiB).max(128 * MiB),
  chunkShift: integer.min(bounds.page.shiftMin).max(bounds.page.shiftMax),
  pageShift: integer,
  generationDays: integer.min(1).max(3_650),
  dedup: z.enum(['repo', 'series', 'none']),
  domains: z.array(uuid),
  features,
  probe: z.object(probeMembers),
  signer: hash,
  lock: optional(z.object({ days: integer.min(1).max(MAX_LOCK_DAYS), mode: z.enum(['governance', 'compliance']) })),
})

/** `fmt`, `fmt.1`, `fmt.2`: repository descriptor, signed. */
export type Fmt = z.infer<typeof fmtSchema>
export const fmtKind = jsonKind('repository', bounds.json.fmt, fmtSchema, (fields, what) => {
  if (fields.formatVersion !== FORMAT_VERSION) throw unsupported(what, `format version ${fields.formatVersion}`)
  if (fields.pageShift !== PAGE_SHIFT) throw unsupported(what, `pages of 2^${fields.pageShift} bytes`)
  for (const [name, value] of Object.entries(ALGORITHMS)) {
    const found = fields.algs[name as keyof typeof ALGORITHMS]
    if (found !== value) throw unsupported(what, `${name} algorithm ${JSON.stringify(found)}`)
  }
  demand(fields.domains.length > 0, what, 'no domain')
  const isLocked = fields.features.gc.includes(OBJECT_LOCK)
  demand(isLocked === (fields.lock !== undefined), what, `lock and the feature ${OBJECT_LOCK} go together`)
})

/** A descriptor with the defaults of §4.11. */
export function defaultFmt(
  fields: Pick<Fmt, 'repo' | 'createdMs' | 'domains' | 'probe' | 'signer'> & {
    readonly lock?: NonNullable<Fmt['lock']>
    readonly generationDays?: number
  },
): Fmt {
  const { lock, generationDays = 30, ...others } = fields
  return {
    ...others,
    ...(lock !== undefined && { lock }),
    formatVersion: FORMAT_VERSION,
    algs: { ...ALGORITHMS },
    packTarget: PACK_TARGET,
    chunkShift: CHUNK_SHIFT,
    pageShift: PAGE_SHIFT,
    generationDays,
    dedup: 'repo',
    features: lock === undefined ? NO_FEATURES : { ...NO_FEATURES, gc: [OBJECT_LOCK] },
  }
}

const featSchema = z.object({ repo: uuid, add: features, ms: integer, signer: hash })
/** `feat/…`: activation of further features, signed. */
export type Feat = z.infer<typeof featSchema>
export const featKind = jsonKind('features', bounds.json.object, featSchema)

/** The effective set: features are only ever added (§3.2). */
export function unionFeatures(sets: readonly Features[]): Features {
  const all = (use: keyof Features) => [...new Set(sets.flatMap((set) => set[use]))].sort()
  return { read: all('read'), write: all('write'), gc: all('gc') }
}

/** Bytes under the signature of `fmt` and `feat/…` (§4.11). */
export function signedBytes(label: 'holdfast/r1/fmt' | 'holdfast/r1/feat', unsigned: object): Buffer {
  return Buffer.concat([Buffer.from(`${label}\0`, 'latin1'), canonicalJson(unsigned)])
}
