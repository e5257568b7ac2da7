#!/usr/bin/env node
import { enableCompileCache } from 'node:module'
import { fileURLToPath } from 'node:url'

// Half of a short command's time went into compiling its modules. The cache lies beside the packages, where nobody can
// plant code who could not change the program; where that is not writable there is none. Child processes use it, too.
process.env['NODE_COMPILE_CACHE'] ??= fileURLToPath(new URL('../node_modules/.cache/code', import.meta.url))
enableCompileCache(process.env['NODE_COMPILE_CACHE'])
await import('./run.ts')
