#!/usr/bin/env node
import { readFileSync, writeFileSync } from 'node:fs'
import openapiTS, { astToString } from 'openapi-typescript'

/** The types of the API's client, made from `api/openapi.json`; a test fails while the committed file differs. */
export async function clientTypes(): Promise<string> {
  const document = JSON.parse(readFileSync(new URL('../../api/openapi.json', import.meta.url), 'utf8')) as object
  return `// Made by cli/client/write-client.ts from api/openapi.json.\n\n${astToString(await openapiTS(JSON.stringify(document), { defaultNonNullable: false }))}`
}

if (import.meta.main) writeFileSync(new URL('schema.gen.ts', import.meta.url), await clientTypes())
