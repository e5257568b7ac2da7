import { bounds } from './bounds.ts'
import { buffer } from './bytes.ts'
import { formatError } from './errors.ts'

export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject
export type JsonObject = { readonly [member: string]: JsonValue }

/**
 * §4.1 canonical JSON: RFC 8785 restricted to objects, arrays, strings, booleans, null and integers within ±(2^53 − 1).
 * A member whose value is `undefined` is absent. Throws FormatError for what cannot be written.
 */
export function canonicalJson(value: unknown, what = 'canonical JSON'): Buffer {
  return Buffer.from(write(value, what, 0), 'utf8')
}

/**
 * The value of canonical bytes. Throws FormatError for bytes beyond `max`, nesting beyond 16, and whatever does not come
 * out again byte for byte when it is written: duplicate keys, floats, white space, another order, lone surrogates.
 */
export function parseCanonicalJson(bytes: Uint8Array, max: number, what: string): JsonValue {
  if (bytes.length > max) throw formatError(what, `${bytes.length} bytes of JSON, at most ${max} are allowed`)
  checkDepth(bytes, what)
  let value: JsonValue
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)) as JsonValue
  } catch (cause) {
    throw formatError(what, 'not JSON in UTF-8', cause)
  }
  if (!canonicalJson(value, what).equals(buffer(bytes))) throw formatError(what, 'not in canonical form')
  return value
}

/** As parseCanonicalJson, for an object. */
export function parseCanonicalObject(bytes: Uint8Array, max: number, what: string): JsonObject {
  const value = parseCanonicalJson(bytes, max, what)
  if (!isJsonObject(value)) throw formatError(what, 'not a JSON object')
  return value
}

export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The object without the named members: what goes under a MAC, a signature or an AAD. */
export function without(object: JsonObject, ...members: readonly string[]): JsonObject {
  const rest = Object.create(null) as { [member: string]: JsonValue }
  for (const [member, value] of Object.entries(object)) if (!members.includes(member)) rest[member] = value
  return rest
}

function write(value: unknown, what: string, depth: number): string {
  switch (typeof value) {
    case 'string':
      if (!value.isWellFormed()) throw formatError(what, 'a string has a lone surrogate')
      return JSON.stringify(value)
    case 'boolean':
      return value ? 'true' : 'false'
    case 'number':
      if (!Number.isSafeInteger(value)) throw formatError(what, `${value} is not an integer within ±(2^53 − 1)`)
      return Object.is(value, -0) ? '0' : String(value)
    case 'object':
      break
    default:
      throw formatError(what, `a ${typeof value} has no JSON form`)
  }
  if (value === null) return 'null'
  if (depth === bounds.json.depth) throw formatError(what, `nested deeper than ${bounds.json.depth}`)
  if (Array.isArray(value)) return `[${value.map((item) => write(item, what, depth + 1)).join(',')}]`
  // The default sort compares UTF-16 code units, which is what RFC 8785 asks for.
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${members.map(([name, member]) => `${write(name, what, depth + 1)}:${write(member, what, depth + 1)}`).join(',')}}`
}

/** Before parsing: a parser's stack for millions of open brackets is larger than the input by far. */
function checkDepth(bytes: Uint8Array, what: string): void {
  let depth = 0
  let inString = false
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]
    if (inString) {
      if (byte === 0x5c) i++
      else if (byte === 0x22) inString = false
    } else if (byte === 0x22) inString = true
    else if (byte === 0x5b || byte === 0x7b) {
      if (++depth > bounds.json.depth) throw formatError(what, `nested deeper than ${bounds.json.depth}`)
    } else if (byte === 0x5d || byte === 0x7d) depth--
  }
}
