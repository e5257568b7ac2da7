import type { z } from 'zod'
import { canonicalJson, parseCanonicalObject, type JsonObject } from './canonical-json.ts'
import { formatError } from './errors.ts'
import { checkSchema, checkVersion } from './schema.ts'

/**
 * One kind of JSON object of §4.11. Reading has two steps, so that what protects the object comes between them (§4.1):
 * `parse` the canonical form, verify MAC, signature or name, then `read` version and members.
 */
export interface JsonKind<T> {
  readonly kind: string
  /** The object with its unknown members: what a MAC or signature covers. Throws FormatError. */
  parse(bytes: Uint8Array): JsonObject
  /** Throws FormatUnsupported for another `v`, FormatError for another kind or members that break the schema. */
  read(raw: JsonObject): T
  /** With `v` and `kind`, ready to be protected. Throws FormatError for what `read` would refuse. */
  write(fields: T): JsonObject
}

/** `schema` describes the members besides `v` and `kind`; `check` adds rules across members. */
export function jsonKind<T extends object>(
  kind: string,
  max: number,
  schema: z.ZodType<T>,
  check: (fields: T, what: string) => void = () => undefined,
): JsonKind<T> {
  const what = `${kind} object`
  const read = (raw: JsonObject): T => {
    checkVersion(raw, what)
    if (raw['kind'] !== kind) throw formatError(what, `kind is ${JSON.stringify(raw['kind'])}`)
    const fields = checkSchema(schema, raw, what)
    check(fields, what)
    return fields
  }
  return {
    kind,
    parse: (bytes) => parseCanonicalObject(bytes, max, what),
    read,
    write: (fields) => {
      const raw = parseCanonicalObject(canonicalJson({ ...fields, v: 1, kind }, what), max, what)
      read(raw)
      return raw
    },
  }
}
