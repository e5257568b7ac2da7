import { LineCounter, isMap, isPair, isScalar, parseDocument, type Document } from 'yaml'
import type { z } from '@hono/zod-openapi'
import { HoldfastError } from '../../base/index.ts'
import { nearest } from '../../policy/index.ts'
import { policyDocument, type PolicyDocument } from '../schemas/policy-file.ts'
import { toMembers, wordOf, type Path, type WordProblem } from './words.ts'

/** A problem and its place in the file, both from 1. */
export interface FileProblem {
  readonly line: number
  readonly column: number
  readonly message: string
  readonly hint: string | null
}

export interface ParsedFile {
  readonly document: PolicyDocument
  /** Places problems of the content, found later, in the file. */
  readonly refuse: (problems: readonly WordProblem[]) => void
}

/** Reads a policy file. Throws PolicyInvalid with every problem, each with line and column. */
export function parsePolicyFile(text: string): ParsedFile {
  const lines = new LineCounter()
  // Aliases multiply: a few hundred bytes must not become gigabytes. Nobody needs them here.
  const yaml = parseDocument(text, { lineCounter: lines, uniqueKeys: true, schema: 'core', stringKeys: true })
  const broken = yaml.errors.map(({ pos: [at], message }): FileProblem => {
    const { line, col } = lines.linePos(at)
    return { line, column: col, message: message.split('\n')[0]?.replace(/ at line .*/, '') ?? message, hint: null }
  })
  if (broken.length > 0) throw invalid(broken)
  const refuse = (problems: readonly WordProblem[]): void => {
    if (problems.length === 0) return
    throw invalid(problems.map(({ path, message, hint }) => ({ ...placeOf(yaml, lines, path), message, hint })))
  }
  const problems: WordProblem[] = []
  const members = toMembers(plainOf(yaml), problems)
  const result = policyDocument.safeParse(members)
  if (!result.success) problems.push(...result.error.issues.flatMap((issue) => issueProblems(issue, members)))
  refuse(problems)
  if (!result.success) throw new HoldfastError('Internal', 'a policy file was refused without a reason')
  return { document: result.data, refuse }
}

function plainOf(yaml: Document): unknown {
  try {
    return (yaml.toJS({ maxAliasCount: 0 }) as unknown) ?? {}
  } catch (error) {
    if (error instanceof ReferenceError)
      throw invalid([
        {
          line: 1,
          column: 1,
          message: 'anchors and aliases are not read',
          hint: 'Write it out; a name with * needs quotes.',
        },
      ])
    throw error
  }
}

const nameHints: { readonly [section: string]: string } = {
  links: "Write hypervisor/repository; '*' for one of them means all together: '*/main'.",
  sweeps: "Write a repository, or '*' for all that say nothing else.",
}

function issueProblems(issue: z.core.$ZodIssue, document: unknown): WordProblem[] {
  const path = issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part))
  const words = path.map((part) => (typeof part === 'string' ? wordOf(part) : part))
  if (issue.code === 'invalid_union') {
    const told = ofOneKind(issue.errors, valueAt(document, path))
    if (told !== null)
      return told.flatMap((inner) => issueProblems({ ...inner, path: [...path, ...inner.path] }, document))
  }
  if (issue.code === 'unrecognized_keys') {
    const known = membersAt(path, document)
    return issue.keys.map((key) => {
      const word = key.trim()
      const near = nearest(wordOf(word), known)
      const hint =
        near === null ? (known.length === 0 ? null : `There are: ${known.join(', ')}.`) : `Did you mean ${near}?`
      return { path: [...words, word], message: `${word} is not known here`, hint }
    })
  }
  if (issue.code === 'invalid_key')
    return [
      {
        path: words,
        message: `${String(words.at(-1))} is not a name`,
        hint: nameHints[String(path[0])] ?? 'Lower-case letters, digits and hyphens.',
      },
    ]
  const isMissing = ['invalid_type', 'invalid_value'].includes(issue.code) && valueAt(document, path) === undefined
  return [{ path: words, message: isMissing ? `${String(words.at(-1))} is missing` : issue.message, hint: null }]
}

/** Of things that come in kinds: what is wrong with the kind that was meant; none: there is no such kind. */
function ofOneKind(
  errors: readonly (readonly z.core.$ZodIssue[])[],
  value: unknown,
): readonly z.core.$ZodIssue[] | null {
  if (typeof value !== 'object' || value === null) return null
  return errors.find((issues) => !issues.some(({ path }) => path[0] === 'kind')) ?? null
}

/** Which members there could be: asked of the schema itself, by giving it one that nobody has. */
function membersAt(path: Path, document: unknown): string[] {
  const kind = kindAt(document, path)
  let schema: unknown = policyDocument
  for (const part of path) schema = step(schema, part, kind)
  const shape = shapeOf(schema, kind)
  return shape === null ? [] : Object.keys(shape).map(wordOf)
}

type Def = { readonly [name: string]: unknown }
function step(schema: unknown, part: string | number, kind: unknown): unknown {
  const inner = bare(schema)
  const def = (inner as { def?: Def }).def
  if (def?.['type'] === 'record') return def['valueType']
  if (def?.['type'] === 'array') return def['element']
  return shapeOf(inner, kind)?.[String(part)]
}

function shapeOf(schema: unknown, kind: unknown): { readonly [name: string]: unknown } | null {
  const inner = bare(schema) as { def?: Def; shape?: { readonly [name: string]: unknown } }
  if (inner.def?.['type'] === 'union') {
    const options = inner.def['options'] as readonly { shape?: { kind?: { def?: Def } } }[]
    // One whose kind need not be said is meant where none is.
    const kindOf = (of: object | undefined): unknown => (bare(of) as { value?: unknown }).value
    const isUsual = (of: { def?: Def } | undefined): boolean => of?.def?.['type'] === 'default'
    const chosen = options.find(
      ({ shape }) => kindOf(shape?.kind) === kind || (kind === undefined && isUsual(shape?.kind)),
    )
    return chosen === undefined ? null : shapeOf(chosen, kind)
  }
  return inner.shape ?? null
}

/** Without what only says that it may be absent or null. */
function bare(schema: unknown): object {
  let inner = schema as { def?: Def }
  while (['optional', 'nullable', 'default'].includes(String(inner?.def?.['type'])))
    inner = inner.def?.['innerType'] as typeof inner
  return inner ?? {}
}

function kindAt(document: unknown, path: Path): unknown {
  const value = valueAt(document, path)
  return typeof value === 'object' && value !== null ? (value as { kind?: unknown }).kind : undefined
}

function valueAt(document: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (value, part) =>
      typeof value === 'object' && value !== null ? (value as { [name: string | number]: unknown })[part] : undefined,
    document,
  )
}

/** Of the nearest thing around it that is in the file: what is missing has no place of its own. */
function placeOf(yaml: Document, lines: LineCounter, path: Path): { readonly line: number; readonly column: number } {
  for (let depth = path.length; depth > 0; depth -= 1) {
    const parent = depth === 1 ? yaml.contents : yaml.getIn(path.slice(0, depth - 1), true)
    const last = path[depth - 1]
    const pair = isMap(parent)
      ? parent.items.find((item) => isPair(item) && isScalar(item.key) && item.key.value === last)
      : undefined
    const node = pair === undefined ? yaml.getIn(path.slice(0, depth), true) : pair.key
    const at = (node as { range?: readonly [number, number, number] } | undefined)?.range?.[0]
    if (at !== undefined) {
      const { line, col } = lines.linePos(at)
      return { line, column: col }
    }
  }
  return { line: 1, column: 1 }
}

function invalid(problems: readonly FileProblem[]): HoldfastError {
  const sorted = [...problems].sort((a, b) => a.line - b.line || a.column - b.column)
  const list = sorted.map(
    ({ line, column, message, hint }) => `${line}:${column}: ${message}${hint === null ? '' : `. ${hint}`}`,
  )
  return new HoldfastError('PolicyInvalid', list.join('\n'), {
    data: { problems: sorted.slice(0, 100).map((one) => ({ ...one })) },
  })
}
