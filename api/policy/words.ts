import { bytesText, durationText, parseBytes, parseDuration } from '../../base/index.ts'

/**
 * Between the members of requests, whose numbers carry their unit in their name (`rpoMs`), and those of the policy file,
 * whose values carry it themselves (`rpo: 4h`). One table; everything else is the same in both.
 */
interface Words {
  readonly member: string
  readonly unit: 'duration' | 'size' | 'share'
}
const table = new Map<string, Words>([
  ...[
    'rpo',
    'rto',
    'every',
    'offset',
    'drillEvery',
    'exerciseEvery',
    'fullEvery',
    'retryAfter',
    'within',
    'timeout',
    'delay',
    'bootTimeout',
    'rehearseEvery',
    'grace',
    'approveWithin',
  ].map((word) => [word, { member: `${word}Ms`, unit: 'duration' }] as const),
  ['minSize', { member: 'minBytes', unit: 'size' }],
  ['maxSize', { member: 'maxBytes', unit: 'size' }],
  ['rate', { member: 'bytesPerSecond', unit: 'size' }],
  ['budget', { member: 'budgetBytes', unit: 'size' }],
  ['share', { member: 'maxShare', unit: 'share' }],
])

interface Unit {
  readonly parse: (text: string) => number | undefined
  readonly text: (value: number) => string
  readonly what: string
  readonly example: string
  /** Something that passes, in place of what could not be read. */
  readonly passes: number
}
const units: { readonly [unit in Words['unit']]: Unit } = {
  duration: {
    ...{ parse: parseDuration, text: durationText },
    ...{ what: 'a duration', example: '4h, 30d or 1h30m', passes: 86_400_000 },
  },
  size: { parse: parseBytes, text: bytesText, what: 'a size', example: '200MiB', passes: 2 ** 20 },
  share: { parse: parseShare, text: shareText, what: 'a share', example: '50%', passes: 0.5 },
}

function parseShare(text: string): number | undefined {
  const [, number] = /^(\d{1,3}(?:\.\d{1,2})?)\s*%$/.exec(text) ?? []
  return number === undefined ? undefined : Number(number) / 100
}

function shareText(share: number): string {
  return `${Number((share * 100).toFixed(2))}%`
}

const backwards = new Map([...table].map(([word, { member, unit }]) => [member, { word, unit }]))

/** Names under these are identities, not members. */
const maps = new Set([
  'categories',
  'plans',
  'vms',
  'links',
  'recoveryPlans',
  'sweeps',
  'scrubs',
  'slots',
  'records',
  'channels',
])

export type Path = readonly (string | number)[]
export interface WordProblem {
  /** In the file's own words. */
  readonly path: Path
  readonly message: string
  readonly hint: string | null
}

export function wordOf(member: string): string {
  return backwards.get(member)?.word ?? member
}

/** The unit that a value of the file carries, by its member. */
export function unitOf(word: string): Words['unit'] | undefined {
  return table.get(word)?.unit
}

/** From the file's words to members; what cannot be read is left out and said. */
export function toMembers(value: unknown, problems: WordProblem[], path: Path = []): unknown {
  if (Array.isArray(value)) return value.map((item, index) => toMembers(item, problems, [...path, index]))
  if (typeof value !== 'object' || value === null) return value
  const names = isMap(path)
  return Object.fromEntries(
    Object.entries(value).map(([word, inner]): [string, unknown] => {
      const at = [...path, word]
      if (names) return [word, toMembers(inner, problems, at)]
      const known = table.get(word)
      // A name with its unit is a member of requests only: in the file it is as unknown as any other.
      if (known === undefined) return [backwards.has(word) ? `${word} ` : word, toMembers(inner, problems, at)]
      if (inner === null) return [known.member, null]
      const { parse, what, example, passes } = units[known.unit]
      const read = typeof inner === 'string' ? parse(inner) : undefined
      if (read !== undefined) return [known.member, read]
      problems.push({ path: at, message: `${JSON.stringify(inner)} is not ${what}`, hint: `Write ${example}.` })
      return [known.member, passes]
    }),
  )
}

/** From members to the file's words; members that are undefined are none. */
export function toWords(value: unknown, path: Path = []): unknown {
  if (Array.isArray(value)) return value.map((item, index) => toWords(item, [...path, index]))
  if (typeof value !== 'object' || value === null) return value
  const names = isMap(path)
  return Object.fromEntries(
    Object.entries(value).flatMap(([member, inner]): [string, unknown][] => {
      if (inner === undefined) return []
      const known = names ? undefined : backwards.get(member)
      if (known === undefined) return [[member, toWords(inner, [...path, member])]]
      const text: unknown = typeof inner === 'number' ? units[known.unit].text(inner) : inner
      return [[known.word, text]]
    }),
  )
}

function isMap(path: Path): boolean {
  return path.length === 1 && maps.has(String(path[0]))
}
