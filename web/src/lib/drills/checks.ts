import type { DrillCheck } from '#lib/api/index.ts'
import { formatDuration } from '#lib/format/index.ts'

type Kind = NonNullable<DrillCheck['kind']>

/** One check while it is edited: every field of every kind, as text where a person types it. */
export interface CheckDraft {
  readonly kind: Kind
  readonly title: string
  /** Program and arguments as one line; quotes keep words together. */
  readonly line: string
  readonly port: string
  readonly url: string
  readonly exit: string
  readonly pattern: string
  readonly compares: 'nothing' | 'number' | 'previous'
  readonly expected: string
  /** Percent. */
  readonly tolerance: string
  readonly withinSeconds: string
  readonly timeoutSeconds: string
  readonly prepares: boolean
}

export const kindNames: { readonly [kind in Kind]: string } = {
  command: 'Command in the guest',
  port: 'TCP port of the guest',
  http: 'Page inside the guest',
}

export const newCheck: CheckDraft = {
  kind: 'command',
  title: '',
  line: '',
  port: '',
  url: 'http://127.0.0.1/',
  exit: '0',
  pattern: '',
  compares: 'nothing',
  expected: '',
  tolerance: '0.5',
  withinSeconds: '0',
  timeoutSeconds: '60',
  prepares: false,
}

export function draftOf(check: DrillCheck): CheckDraft {
  const { title, timeoutMs = 60_000, withinMs = 0 } = check
  const common = { ...newCheck, title, timeoutSeconds: seconds(timeoutMs), withinSeconds: seconds(withinMs) }
  if (check.kind === 'port') return { ...common, kind: 'port', port: String(check.port) }
  if (check.kind === 'http') return { ...common, kind: 'http', url: check.url, pattern: check.pattern ?? '' }
  const { count } = check
  return {
    ...common,
    line: toLine([check.path, ...(check.args ?? [])]),
    exit: String(check.expectExit ?? 0),
    pattern: check.pattern ?? '',
    prepares: check.prepares ?? false,
    compares: count ? (count.expected === 'previous' ? 'previous' : 'number') : 'nothing',
    expected: count && count.expected !== 'previous' ? String(count.expected) : '',
    tolerance: String(Number(((count?.tolerance ?? 0.005) * 100).toFixed(6))),
  }
}

/** What is wrong with it, in words; null: nothing that shows here. */
export function complaint(draft: CheckDraft): string | null {
  const name = draft.title.trim() === '' ? 'A check' : `“${draft.title.trim()}”`
  if (draft.title.trim() === '') return 'Each check needs a name.'
  if (draft.kind === 'command' && toWords(draft.line) === null) return `${name}: a quote is not closed.`
  if (draft.kind === 'command' && toWords(draft.line)?.length === 0) return `${name}: name the program to run.`
  if (draft.kind === 'port' && !isBetween(draft.port, 1, 65_535)) return `${name}: a port is 1 to 65535.`
  if (draft.kind === 'http' && !/^https?:\/\/./.test(draft.url))
    return `${name}: the address begins with http:// or https://.`
  if (draft.compares === 'number' && !isNumber(draft.expected)) return `${name}: say which number is expected.`
  if (draft.compares !== 'nothing' && !(Number(draft.tolerance) >= 0)) return `${name}: the tolerance is no number.`
  if (!/^-?\d+$/.test(draft.exit)) return `${name}: the exit code is no number.`
  if (!isBetween(draft.withinSeconds, 0, 3_600) || !isBetween(draft.timeoutSeconds, 0.1, 3_600))
    return `${name}: times are at most 3600 seconds.`
  return null
}

/** Of a draft without complaint. */
export function checkOf(draft: CheckDraft): DrillCheck {
  const title = draft.title.trim()
  const times = { timeoutMs: ms(draft.timeoutSeconds), withinMs: ms(draft.withinSeconds) }
  const pattern = draft.pattern === '' ? null : draft.pattern
  if (draft.kind === 'port') return { kind: 'port', title, port: Number(draft.port), ...times }
  if (draft.kind === 'http') return { kind: 'http', title, url: draft.url, pattern, ...times }
  const [path = '', ...args] = toWords(draft.line) ?? []
  const expected = draft.compares === 'previous' ? ('previous' as const) : Number(draft.expected)
  const count = draft.compares === 'nothing' ? null : { expected, tolerance: Number(draft.tolerance) / 100 }
  return {
    ...{ kind: 'command', title, path, args, expectExit: Number(draft.exit), pattern, count },
    ...{ prepares: draft.prepares, ...times },
  }
}

export function asks(check: DrillCheck): string {
  if (check.kind === 'port') return `port ${check.port}`
  if (check.kind === 'http') return check.url
  return toLine([check.path, ...(check.args ?? [])])
}

export function rightIf(check: DrillCheck): string {
  const soon = check.withinMs ? [`within ${formatDuration(check.withinMs)}`] : []
  if (check.kind === 'port') return ['somebody listens', ...soon].join(', ')
  const matches = check.pattern ? [`a line matches ${check.pattern}`] : []
  if (check.kind === 'http') return ['the page comes', ...matches, ...soon].join(', ')
  const { count } = check
  const than = count?.expected === 'previous' ? 'as in the last drill' : String(count?.expected)
  const counts = count ? [`counts ${than} ± ${Number((count.tolerance * 100).toFixed(2))} %`] : []
  return [`exit ${check.expectExit ?? 0}`, ...matches, ...counts, ...soon].join(', ')
}

/** Words as a shell reads them: quotes keep together, nothing else is special. Null: a quote is not closed. */
export function toWords(line: string): string[] | null {
  const words: string[] = []
  let word: string | null = null
  let quote: string | null = null
  for (const char of line) {
    if (quote !== null) {
      if (char === quote) quote = null
      else word += char
    } else if (char === '"' || char === "'") {
      quote = char
      word ??= ''
    } else if (/\s/.test(char)) {
      if (word !== null) words.push(word)
      word = null
    } else word = (word ?? '') + char
  }
  if (quote !== null) return null
  return word === null ? words : [...words, word]
}

export function toLine(words: readonly string[]): string {
  return words.map(quoted).join(' ')
}

function quoted(word: string): string {
  if (word !== '' && !/[\s'"]/.test(word)) return word
  return word
    .split("'")
    .map((part) => `'${part}'`)
    .join(`"'"`)
}

const seconds = (of: number): string => String(of / 1_000)
const ms = (of: string): number => Math.round(Number(of) * 1_000)
const isNumber = (text: string): boolean => text.trim() !== '' && Number.isFinite(Number(text))
const isBetween = (text: string, least: number, most: number): boolean =>
  isNumber(text) && Number(text) >= least && Number(text) <= most
