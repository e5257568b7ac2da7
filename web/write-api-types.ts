import { readFileSync, writeFileSync } from 'node:fs'
import openapiTS, { astToString } from 'openapi-typescript'

const target = new URL('src/lib/api/schema.gen.ts', import.meta.url)

/** The text of schema.gen.ts for the committed document. */
export async function apiTypes(): Promise<string> {
  const document = readFileSync(new URL('../api/openapi.json', import.meta.url), 'utf8')
  const ast = await openapiTS(document, { defaultNonNullable: false })
  return `/* Made from api/openapi.json by web/write-api-types.ts; do not edit. */\n\n${astToString(ast)}`
}

if (import.meta.main) writeFileSync(target, await apiTypes())
