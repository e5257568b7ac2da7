import { z } from 'zod'
import type { JsonValue } from './canonical-json.ts'
import { formatError, unsupported } from './errors.ts'

/** Building blocks of the JSON schemas. Unknown members are ignored everywhere (§4.1). */
export const text = z.string()
export const integer = z.int().min(0)
export const flag = z.boolean()
/** Lower-case hex of `size` bytes. */
export const hexOf = (size: number): z.ZodString => z.string().regex(new RegExp(`^[0-9a-f]{${size * 2}}$`), 'not hex')
export const uuid = hexOf(16)
export const hash = hexOf(32)
/** Canonical base64url without padding; unused bits zero. */
export const base64url = z
  .string()
  .refine((s) => Buffer.from(s, 'base64url').toString('base64url') === s, 'not base64url')
export const optional = z.exactOptional

/** Checks a parsed value against a schema. A `v` other than 1 is unsupported, everything else a format error. */
export function checkSchema<T>(schema: z.ZodType<T>, value: JsonValue, what: string): T {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const issue = result.error.issues[0]
  const where = issue === undefined || issue.path.length === 0 ? '' : `member ${issue.path.join('.')}: `
  throw formatError(what, `${where}${issue?.message ?? 'does not match its schema'}`)
}

/** §4.1: after the canonical form and what protects the object, `v` decides whether this version understands it. */
export function checkVersion(value: { readonly [member: string]: JsonValue }, what: string): void {
  const { v } = value
  if (!Number.isInteger(v)) throw formatError(what, 'member v is missing or no integer')
  if (v !== 1) throw unsupported(what, `v ${JSON.stringify(v)}`)
}
