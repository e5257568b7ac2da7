import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runProgram } from '../../drivers/transport/index.ts'
import { root } from './tasks.ts'

/** SvelteKit generates the types that svelte-check and the editor read. */
export function prepareWeb(): void {
  execFileSync('svelte-kit', ['sync'], { cwd: join(root, 'web'), stdio: ['ignore', 'ignore', 'inherit'] })
}

/** Builds the dashboard when a source of it changed since the last build. Returns whether it did. */
export async function buildDashboard(): Promise<boolean> {
  const stamp = join(root, 'web/build/.sources')
  const hash = createHash('sha256').update(readFileSync(join(root, 'package-lock.json')))
  const files = globSync(['web/src/**/*', 'web/static/**/*', 'web/*.{ts,js,json,html}'], {
    cwd: root,
    withFileTypes: true,
  })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
  for (const file of files) hash.update(file.slice(root.length)).update(readFileSync(file))
  const want = hash.digest('hex')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === want) return false
  const { err } = await runProgram('vite', ['build', '--logLevel', 'warn'], {
    cwd: join(root, 'web'),
    env: { ...process.env, FORCE_COLOR: '0' },
  })
  if (err !== '') console.error(err.trimEnd())
  mkdirSync(join(root, 'web/build'), { recursive: true })
  writeFileSync(stamp, want)
  return true
}
