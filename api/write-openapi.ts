#!/usr/bin/env node
import { writeFileSync } from 'node:fs'
import { openApiText } from './document.ts'

/** Writes `api/openapi.json`; a test fails while the committed file differs from the routes. */
writeFileSync(new URL('openapi.json', import.meta.url), openApiText())
