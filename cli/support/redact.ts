import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

/** Shapes of secrets that need nobody to know them: our tokens and keys, and credentials in URLs and headers. */
const shapes: readonly RegExp[] = [
  /holdfast_[A-Za-z0-9_-]{20,}/g,
  /HF[RSEP]1-[A-Za-z0-9-]+/g,
  /\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{8,}/gi,
  /(?<=:\/\/)[^\s/@:]+:[^\s/@]+(?=@)/g,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----/g,
  /\b(AKIA|ASIA)[A-Z0-9]{16}\b/g,
]
const secretName =
  /pass(word|phrase)?|secret|token|api-?key|private-?key|authorization|cookie|access-?key|account-?key/i
/** A reference says where a secret is, and is what one wants to see. */
const referenceName = /ref$|file$|path$/i
const mark = '[secret]'
/** A shorter line of a secrets file would take ordinary words out of every text. */
const shortest = 6

/** Every line of every file among the secrets of a home, longest first; what cannot be read hides nothing. */
export function knownSecrets(folder: string): string[] {
  const lines = new Set<string>()
  for (const name of namesIn(folder)) {
    for (const line of linesOf(readFileSync(join(folder, name), 'utf8'))) lines.add(line)
  }
  return [...lines].sort((a, b) => b.length - a.length)
}

/** The lines of a secret, and what stands in them: of `ID:SECRET` both, of `name = value` the value. */
export function linesOf(text: string): string[] {
  return text.split('\n').flatMap((line) => {
    const whole = line.trim()
    const [, value = ''] = /^[\w.-]+\s*=\s*(.+)$/.exec(whole) ?? []
    return [whole, value, ...whole.split(':')].filter((part) => part.length >= shortest)
  })
}

/**
 * Of a log in which a secret may stand that nobody could tell: of each line its time, its level and the words of the program.
 * What else it says may be anything, and so may a line that is no record.
 */
export function onlyWords(log: string): string {
  const lines = log.split('\n').filter((line) => line !== '')
  return lines.map((line) => `${wordsOf(line) ?? leftOut}\n`).join('')
}

const leftOut = '[line left out]'

function wordsOf(line: string): string | null {
  try {
    const { time, level, msg } = JSON.parse(line) as { readonly [name: string]: unknown }
    if (typeof msg !== 'string') return null
    return JSON.stringify({
      ...(typeof time === 'number' && { time }),
      ...((typeof level === 'number' || typeof level === 'string') && { level }),
      msg,
    })
  } catch {
    return null
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

/** A text without secrets that are known, in any usual form, or look like one. */
export function redactText(text: string, secrets: readonly string[]): string {
  let out = text
  for (const secret of secrets) {
    for (const form of formsOf(secret)) out = out.replaceAll(form, mark)
  }
  for (const shape of shapes) out = out.replace(shape, mark)
  return out
}

function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret)
  const base64 = bytes.toString('base64').replace(/=+$/, '')
  const url = bytes.toString('base64url')
  return [
    ...new Set([
      secret,
      JSON.stringify(secret).slice(1, -1),
      encodeURIComponent(secret),
      base64,
      url,
      bytes.toString('hex'),
    ]),
  ]
}

/** The same for data: also members whose name says that they hold a secret. */
export function redact(value: unknown, secrets: readonly string[]): unknown {
  if (typeof value === 'string') return redactText(value, secrets)
  if (Array.isArray(value)) return value.map((one) => redact(one, secrets))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => {
      const hides = secretName.test(name) && !referenceName.test(name) && one !== null && typeof one !== 'object'
      return [redactText(name, secrets), hides ? mark : redact(one, secrets)]
    }),
  )
}
