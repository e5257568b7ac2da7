import { bounds } from './bounds.ts'
import { formatError } from './errors.ts'

/** Relative to the repository root (§3.1). */
export type ObjectName = string

/** The four extensions of a stem (§3.2). */
export type SnapKind = 'manifest' | 'validated' | 'tombstone' | 'abandon'
export type RecordKind = 'condemned' | 'final' | 'roster'

/** What a name says (§3.2). Digits stay text; times, epochs and counters are numbers. */
export type ParsedName =
  | { readonly kind: 'fmt'; readonly replica: 0 | 1 | 2 }
  | { readonly kind: 'feat'; readonly ms: number; readonly rand: string }
  | { readonly kind: 'key-slot' | 'key-set'; readonly kekGen: number; readonly sha16: string }
  | { readonly kind: 'pack'; readonly sha: string }
  | { readonly kind: 'segment'; readonly level: 0 | 1; readonly partition: number; readonly sha: string }
  | {
      readonly kind: SnapKind
      readonly stem: string
      readonly series: string
      readonly createdMs: number
      readonly snap: string
    }
  | { readonly kind: 'hold'; readonly snap: string; readonly rand: string }
  | { readonly kind: RecordKind; readonly epoch: number; readonly nonce: string }
  | { readonly kind: 'floor'; readonly n: number }
  | {
      readonly kind: 'session'
      readonly sess: string
      readonly part: number
      readonly attempt: number
      readonly seq: number
    }
  | { readonly kind: 'quarantine'; readonly pack: string; readonly rand: string }
  | { readonly kind: 'owner'; readonly series: string; readonly ms: number; readonly rand: string }
  | { readonly kind: 'probe'; readonly ms: number; readonly rand: string }
  | { readonly kind: 'probe-tmp'; readonly run: string; readonly name: string }

/** §3.1: `2^53 − n` as 16 digits, so that a listing in ascending order is newest first. n: 0 … 2^53 − 1. */
export function rev16(n: number): string {
  if (!Number.isSafeInteger(n) || n < 0) throw new RangeError(`rev16 of ${n}`)
  return (2 ** 53 - n).toString(16).padStart(16, '0')
}

/** The inverse; undefined if the digits are no rev16. */
export function fromRev16(digits: string): number | undefined {
  if (!/^[0-9a-f]{16}$/.test(digits)) return undefined
  const n = 2 ** 53 - Number(`0x${digits}`)
  // Digits beyond 2^53 are rounded by Number, so only a value that gives the same digits again was one.
  return Number.isSafeInteger(n) && n >= 0 && rev16(n) === digits ? n : undefined
}

/** §3.1: characters, length and components; says nothing about the kind. */
export function isObjectName(name: string): boolean {
  return (
    name.length <= bounds.name &&
    /^[a-z0-9][a-z0-9./-]*$/.test(name) &&
    name.split('/').every((component) => component !== '' && component !== '.' && component !== '..')
  )
}

const digits = (n: number, width: number) => n.toString(16).padStart(width, '0')
const suffixes: { readonly [K in SnapKind]: string } = {
  manifest: '.m',
  validated: '.ok',
  tombstone: '.t',
  abandon: '.a',
}
const recordSuffixes: { readonly [K in RecordKind]: string } = { condemned: '.c', final: '.f', roster: '.r' }

/** Builds every name of §3.2. Arguments in hex are lower-case; what does not fit throws FormatError. */
export const names = {
  fmt: (replica: 0 | 1 | 2) => checked(replica === 0 ? 'fmt' : `fmt.${replica}`),
  feat: (ms: number, rand: string) => checked(`feat/${rev16(ms)}-${rand}`),
  keySlot: (kekGen: number, sha256: string) => checked(`keys/${digits(kekGen, 8)}-slot-${sha256.slice(0, 16)}`),
  keySet: (kekGen: number, sha256: string) => checked(`keys/${digits(kekGen, 8)}-set-${sha256.slice(0, 16)}`),
  pack: (sha: string) => checked(`pack/${sha.slice(0, 2)}/${sha}`),
  /** `partition`: the top 8 bits of a level-1 segment's prefix; 0 at level 0. */
  segment: (level: 0 | 1, partition: number, sha: string) => checked(`idx/${level}-${digits(partition, 2)}/${sha}`),
  stem: (series: string, createdMs: number, snap: string) => {
    const stem = `snap/${series}/${rev16(createdMs)}-${snap}`
    checked(`${stem}.m`)
    return stem
  },
  snap: (stem: string, kind: SnapKind) => checked(`${stem}${suffixes[kind]}`),
  hold: (snap: string, rand: string) => checked(`hold/${snap}-${rand}`),
  record: (kind: RecordKind, epoch: number, nonce: string) =>
    checked(`gc/${rev16(epoch)}-${nonce}${recordSuffixes[kind]}`),
  floor: (n: number) => checked(`floor/${rev16(n)}`),
  session: (sess: string, part: number, attempt: number, seq: number) =>
    checked(`sess/${sess}-${digits(part, 4)}-${digits(attempt, 4)}-${digits(seq, 6)}`),
  /** Prefix of all objects of a session, or of one part of it (fencing, §7.1). */
  sessionPrefix: (sess: string, part?: number) => `sess/${sess}-${part === undefined ? '' : `${digits(part, 4)}-`}`,
  quarantine: (pack: string, rand: string) => checked(`bad/${pack}-${rand}`),
  owner: (series: string, ms: number, rand: string) => checked(`own/${series}/${rev16(ms)}-${rand}`),
  ownerPrefix: (series: string) => `own/${series}/`,
  probe: (ms: number, rand: string) => checked(`probe/${rev16(ms)}-${rand}`),
  probeTmp: (run: string, name: string) => checked(`probe-tmp/${run}/${name}`),
} as const

/** What a name of §3.2 says; undefined for a name that fits no row, which is ignored by everybody (§3.1). */
export function parseName(name: string): ParsedName | undefined {
  if (!isObjectName(name)) return undefined
  for (const [pattern, read] of rows) {
    const match = pattern.exec(name)
    if (match) return read(match.slice(1))
  }
  return undefined
}

/** The parts of a stem `snap/<series32>/<rev16>-<uuid32>`; throws FormatError if it is none. */
export function parseStem(stem: string): {
  readonly series: string
  readonly createdMs: number
  readonly snap: string
} {
  const parsed = parseName(`${stem}.m`)
  if (parsed?.kind !== 'manifest') throw formatError(`stem ${JSON.stringify(stem)}`, 'not the stem of a snapshot')
  return { series: parsed.series, createdMs: parsed.createdMs, snap: parsed.snap }
}

type Row = readonly [RegExp, (parts: readonly string[]) => ParsedName | undefined]
const number = (text: string | undefined) => Number(`0x${text}`)
/** Reads a rev16 and hands it on; a name with bad digits fits no row. */
const dated = (text: string | undefined, make: (n: number) => ParsedName): ParsedName | undefined => {
  const n = fromRev16(text ?? '')
  return n === undefined ? undefined : make(n)
}
const snapKinds = { m: 'manifest', ok: 'validated', t: 'tombstone', a: 'abandon' } as const
const recordKinds = { c: 'condemned', f: 'final', r: 'roster' } as const

const rows: readonly Row[] = [
  [/^fmt(?:\.([12]))?$/, ([replica]) => ({ kind: 'fmt', replica: replica === '1' ? 1 : replica === '2' ? 2 : 0 })],
  [/^feat\/([0-9a-f]{16})-([0-9a-f]{16})$/, ([rev, rand = '']) => dated(rev, (ms) => ({ kind: 'feat', ms, rand }))],
  [
    /^keys\/([0-9a-f]{8})-(slot|set)-([0-9a-f]{16})$/,
    ([gen, what, sha16 = '']) => ({ kind: what === 'slot' ? 'key-slot' : 'key-set', kekGen: number(gen), sha16 }),
  ],
  [/^pack\/([0-9a-f]{2})\/(\1[0-9a-f]{62})$/, ([, sha = '']) => ({ kind: 'pack', sha })],
  [/^idx\/0-00\/([0-9a-f]{64})$/, ([sha = '']) => ({ kind: 'segment', level: 0, partition: 0, sha })],
  [
    /^idx\/1-([0-9a-f]{2})\/([0-9a-f]{64})$/,
    ([partition, sha = '']) => ({ kind: 'segment', level: 1, partition: number(partition), sha }),
  ],
  [
    /^(snap\/([0-9a-f]{32})\/([0-9a-f]{16})-([0-9a-f]{32}))\.(m|ok|t|a)$/,
    ([stem = '', series = '', rev, snap = '', suffix]) =>
      dated(rev, (createdMs) => ({ kind: snapKinds[suffix as keyof typeof snapKinds], stem, series, createdMs, snap })),
  ],
  [/^hold\/([0-9a-f]{32})-([0-9a-f]{16})$/, ([snap = '', rand = '']) => ({ kind: 'hold', snap, rand })],
  [
    /^gc\/([0-9a-f]{16})-([0-9a-f]{32})\.([cfr])$/,
    ([rev, nonce = '', suffix]) =>
      dated(rev, (epoch) => ({ kind: recordKinds[suffix as keyof typeof recordKinds], epoch, nonce })),
  ],
  [/^floor\/([0-9a-f]{16})$/, ([rev]) => dated(rev, (n) => ({ kind: 'floor', n }))],
  [
    /^sess\/([0-9a-f]{32})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{6})$/,
    ([sess = '', part, attempt, seq]) => ({
      kind: 'session',
      sess,
      part: number(part),
      attempt: number(attempt),
      seq: number(seq),
    }),
  ],
  [/^bad\/([0-9a-f]{64})-([0-9a-f]{16})$/, ([pack = '', rand = '']) => ({ kind: 'quarantine', pack, rand })],
  [
    /^own\/([0-9a-f]{32})\/([0-9a-f]{16})-([0-9a-f]{16})$/,
    ([series = '', rev, rand = '']) => dated(rev, (ms) => ({ kind: 'owner', series, ms, rand })),
  ],
  [/^probe\/([0-9a-f]{16})-([0-9a-f]{16})$/, ([rev, rand = '']) => dated(rev, (ms) => ({ kind: 'probe', ms, rand }))],
  [/^probe-tmp\/([0-9a-f]{32})\/(.+)$/, ([run = '', name = '']) => ({ kind: 'probe-tmp', run, name })],
]

/** A name that would not be read back as what it was built for is a mistake of the caller. */
function checked(name: string): ObjectName {
  if (parseName(name) === undefined) throw formatError(`object name ${JSON.stringify(name)}`, 'fits no kind of §3.2')
  return name
}
