import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runInFront } from './foreground.mjs'
import { root } from './paths.mjs'
import { Failure } from './report.mjs'

/** Holds the hash of the lock file that was installed; written last, so a broken install is done again. */
const stamp = join(root, 'node_modules', '.holdfast-installed')

/** Installs exactly what the lock file says, when it changed since the last time. */
export async function installNpmPackages(progress) {
  const want = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === want) return 'unchanged'
  progress('installing (about a minute the first time)')
  rmSync(stamp, { force: true })
  // Not `npm ci`: it refuses a lock file whose optional packages for other platforms a registry does not list.
  const args = ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error']
  if (spawnSync('npm', ['--version']).error)
    throw new Failure('npm cannot be started', 'Install npm (Debian: apt-get install npm).')
  const status = await runInFront('npm', args, { cwd: root })
  if (status !== 0) {
    throw new Failure(
      `npm ${args.join(' ')} ended with ${status}`,
      'Look at the lines above; most often the network or a proxy. Then run the same command again: it continues.',
    )
  }
  writeFileSync(stamp, want)
  return 'changed'
}
