import { z } from '@hono/zod-openapi'
import { policyDocument } from '../schemas/policy-file.ts'
import { unitOf, wordOf } from './words.ts'

type Schema = { [name: string]: unknown }
const patterns = {
  duration: { pattern: '^(\\d+w)?(\\d+d)?(\\d+h)?(\\d+m)?(\\d+s)?(\\d+ms)?$', minLength: 2, examples: ['4h', '30d'] },
  size: { pattern: '^\\d+(\\.\\d+)?\\s*([KMGTP](iB)?|B)?$', examples: ['200MiB'] },
  share: { pattern: '^\\d{1,3}(\\.\\d{1,2})?\\s*%$', examples: ['50%'] },
}

/** JSON Schema (2020-12) of the policy file, for editors; docs/policy.schema.json is this text. */
export function policySchemaText(): string {
  const members = z.toJSONSchema(policyDocument, { io: 'input', reused: 'inline' }) as Schema
  const title = 'Policy file of Holdfast'
  return `${JSON.stringify({ ...(inWords(members) as Schema), title }, null, 2)}\n`
}

function inWords(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(inWords)
  if (typeof schema !== 'object' || schema === null) return schema
  return Object.fromEntries(
    Object.entries(schema).map(([name, inner]): [string, unknown] => {
      if (name === 'required' && Array.isArray(inner)) return [name, inner.map((member) => wordOf(String(member)))]
      if (name !== 'properties') return [name, inWords(inner)]
      const members = Object.entries(inner as Schema).map(([member, of]): [string, unknown] => {
        const word = wordOf(member)
        const unit = word === member ? undefined : unitOf(word)
        return [word, unit === undefined ? inWords(of) : texts(of as Schema, unit)]
      })
      return [name, Object.fromEntries(members)]
    }),
  )
}

function texts(schema: Schema, unit: keyof typeof patterns): Schema {
  const isNullable = JSON.stringify(schema).includes('"null"')
  const description = schema['description'] ?? (schema['anyOf'] as Schema[] | undefined)?.[0]?.['description']
  const text = { type: 'string', ...patterns[unit], ...(description !== undefined && { description }) }
  return isNullable ? { anyOf: [text, { type: 'null' }], ...(schema['default'] === null && { default: null }) } : text
}
