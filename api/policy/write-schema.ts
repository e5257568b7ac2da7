import { writeFileSync } from 'node:fs'
import { policySchemaText } from './schema.ts'

writeFileSync(new URL('../../docs/policy.schema.json', import.meta.url), policySchemaText())
