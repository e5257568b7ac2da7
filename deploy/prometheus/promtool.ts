import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import { delimiter, dirname, join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/**
 * Prometheus' own checker, for tests: that of the machine, or out of Debian's package, which is unpacked and not installed,
 * because installing it starts a server. Kept in `cacheDir`. Throws what apt says where there is neither.
 */
export async function findPromtool(cacheDir: string, env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const kept = join(cacheDir, 'promtool', 'promtool')
  const places = (env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, 'promtool'))
  for (const path of [...places, kept]) if (await answers(path)) return path
  await mkdir(cacheDir, { recursive: true })
  const aside = await mkdtemp(join(cacheDir, 'promtool-'))
  try {
    await run('apt-get', ['download', '-q', 'prometheus'], { cwd: aside, timeout: 300_000 })
    const [archive] = (await readdir(aside)).filter((name) => name.endsWith('.deb'))
    await run('dpkg-deb', ['--extract', archive ?? '', 'unpacked'], { cwd: aside, timeout: 120_000 })
    await mkdir(dirname(kept), { recursive: true })
    await rename(join(aside, 'unpacked', 'usr', 'bin', 'promtool'), kept)
  } finally {
    await rm(aside, { recursive: true, force: true })
  }
  return kept
}

/** A question, not an effort: what does not run is no candidate. */
function answers(path: string): Promise<boolean> {
  return run(path, ['--version'], { timeout: 20_000 }).then(
    () => true,
    () => false,
  )
}
