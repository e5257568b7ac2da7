import { readFileSync, writeFileSync } from 'node:fs'
import openapiTS, { astToString, type OpenAPI3 } from 'openapi-typescript'

const document = new URL('../api/openapi.json', import.meta.url)
const target = new URL('src/lib/api/schema.gen.ts', import.meta.url)

type Json = null | boolean | number | string | Json[] | { [key: string]: Json }
type JsonObject = { [key: string]: Json }

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const orNull = (ref: Json): JsonObject => ({ anyOf: [{ $ref: ref }, { type: 'null' }] })

/**
 * "This component, or null" is written in two ways that a type generator reads as something else: as `allOf` of the
 * component and a nullable object (which nothing satisfies), and as a component that is itself nullable. Both become
 * `anyOf` at the place where the component is used, and the component itself is never null.
 */
export function plainNulls(doc: JsonObject): JsonObject {
  const schemas = isObject(doc['components']) ? doc['components']['schemas'] : {}
  const nullable = new Set<string>()
  for (const [name, schema] of Object.entries(isObject(schemas) ? schemas : {})) {
    if (isObject(schema) && Array.isArray(schema['type']) && schema['type'].includes('null'))
      nullable.add(`#/components/schemas/${name}`)
  }
  const walk = (value: Json, isProperty: boolean): Json => {
    if (Array.isArray(value)) return value.map((item) => walk(item, false))
    if (!isObject(value)) return value
    const { $ref, allOf } = value
    if (isProperty && typeof $ref === 'string' && nullable.has($ref)) return orNull($ref)
    if (Array.isArray(allOf) && allOf.length === 2) {
      const [first, second] = allOf
      const nulls = isObject(second) && Array.isArray(second['type']) && second['type'].includes('null')
      if (isObject(first) && first['$ref'] !== undefined && nulls) return orNull(first['$ref'])
    }
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [
        key,
        key === 'properties' && isObject(item)
          ? Object.fromEntries(Object.entries(item).map(([name, schema]) => [name, walk(schema, true)]))
          : walk(item, false),
      ]),
    )
  }
  const plain = walk(doc, false) as JsonObject
  for (const ref of nullable) {
    const all = (plain['components'] as JsonObject)['schemas'] as JsonObject
    const schema = all[ref.slice('#/components/schemas/'.length)] as JsonObject
    schema['type'] = (schema['type'] as Json[]).filter((type) => type !== 'null')[0] ?? 'object'
  }
  return plain
}

/** The text of schema.gen.ts for the committed document. */
export async function apiTypes(): Promise<string> {
  const doc = plainNulls(JSON.parse(readFileSync(document, 'utf8')) as JsonObject)
  const ast = await openapiTS(doc as unknown as OpenAPI3, { defaultNonNullable: false })
  return `/* Made from api/openapi.json by web/write-api-types.ts; do not edit. */\n\n${astToString(ast)}`
}

if (import.meta.main) writeFileSync(target, await apiTypes())
