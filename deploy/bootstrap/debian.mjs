import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import process from 'node:process'
import { browserPlan } from './browser.mjs'
import { Failure } from './report.mjs'

/** Debian package → a program or file that proves it is there, and what it is for. `test`: only the tests need it. */
const needed = [
  { name: 'qemu-system-x86', proof: '/usr/bin/qemu-system-x86_64', why: 'the lab’s hypervisor' },
  { name: 'qemu-utils', proof: '/usr/bin/qemu-nbd', why: 'disk images' },
  {
    name: 'nbdkit',
    proof: '/usr/sbin/nbdkit',
    why: 'an independent NBD server to test against',
    also: ['/usr/bin/nbdkit'],
    test: true,
  },
  { name: 'libnbd-bin', proof: '/usr/bin/nbdcopy', why: 'an independent NBD client to test against', test: true },
  { name: 'e2fsprogs', proof: '/usr/sbin/mke2fs', why: 'file systems for lab disks', also: ['/sbin/mke2fs'] },
  { name: 'cpio', proof: '/usr/bin/cpio', why: 'building the lab’s guest', also: ['/bin/cpio'] },
  { name: 'zstd', proof: '/usr/bin/zstd', why: 'building the lab’s guest' },
  ...['argon2', 'cryptography', 'zstandard'].map((name) => ({
    name: `python3-${name}`,
    proof: `/usr/lib/python3/dist-packages/${name}`,
    why: 'the rescue reader that the tests restore with',
    test: true,
  })),
  { name: 'kmod', proof: '/usr/sbin/depmod', why: 'building the lab’s guest', also: ['/sbin/depmod'] },
  { name: 'python3-venv', proof: '/usr/share/doc/python3-venv', why: 'the Temporal CLI comes by pip', venv: true },
]

/** `purpose`: `run` (demo and daily use) or `test`. Without the browser, which need not come as a package. */
export function missingPackages(purpose, exists = existsSync, isVenvThere = hasVenv) {
  return needed.filter(
    (p) =>
      (purpose === 'test' || !p.test) &&
      ![p.proof, ...(p.also ?? [])].some((f) => exists(f)) &&
      !(p.venv && isVenvThere()),
  )
}

/**
 * Installs missing packages where it may (root, or sudo without a password); else names the one command. For tests it
 * finds a browser, too, and names it to them. All packages come in one call of apt.
 */
export function installDebianPackages(purpose, progress) {
  const missing = missingPackages(purpose)
  let browser = purpose === 'test' ? findBrowser() : {}
  if (missing.length > 0 || (browser.path === undefined && purpose === 'test')) {
    const prefix = aptPrefix(missing)
    if (prefix) {
      progress('reading the lists of apt')
      apt(prefix, ['apt-get', 'update', '-q'])
      // An empty list knows no browser; now it is filled.
      if (purpose === 'test') browser = findBrowser()
    }
    if (browser.install) missing.push({ name: browser.install, why: 'the browser of the tests' })
    if (missing.length > 0) install(prefix, missing, progress)
    if (browser.advice) throw new Failure('the tests have no browser', browser.advice)
    if (browser.install) browser = findBrowser()
  }
  if (browser.path) process.env.HOLDFAST_CHROMIUM = browser.path
  return missing.length > 0 ? 'changed' : 'unchanged'
}

function findBrowser() {
  const policy = spawnSync('apt-cache', ['policy', 'chromium'], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
  })
  return browserPlan({ env: process.env, exists: existsSync, policy: policy.stdout ?? '' })
}

/** How to call apt; null where nobody may. */
function aptPrefix(missing) {
  if (!spawnSync('apt-get', ['--version']).error) return privilege()
  throw new Failure(
    `not installed: ${[...missing.map(reasonOf)].join(', ') || 'a browser for the tests'}`,
    'This is no Debian or Ubuntu: install these programs with the system’s own package manager, then run the same command again.',
  )
}

function install(prefix, missing, progress) {
  const names = missing.map((p) => p.name)
  const install = ['apt-get', 'install', '-y', '--no-install-recommends', ...names]
  const command = `sudo apt-get update && sudo ${install.join(' ')}`
  if (!prefix)
    throw new Failure(
      `not installed: ${missing.map(reasonOf).join(', ')}`,
      `Run this once, then the same command again:\n\n  ${command}\n`,
    )
  progress(`installing ${names.join(', ')}`)
  apt(prefix, install, command)
}

/** Ended with a signal, apt would leave packages half configured: it is waited for. */
function apt(prefix, args, command = `sudo ${args.join(' ')}`) {
  const [program, ...rest] = [...prefix, ...args]
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const done = spawnSync(program, rest, { stdio: ['ignore', 'ignore', 'inherit'], env })
  if (done.status !== 0)
    throw new Failure(
      `${args.join(' ')} ended with ${done.status}`,
      `Look at the lines above, then try by hand:\n\n  ${command}\n`,
    )
}

function reasonOf({ name, why }) {
  return `${name} (${why})`
}

function privilege() {
  if (process.getuid?.() === 0) return []
  return spawnSync('sudo', ['-n', 'true']).status === 0 ? ['sudo', '-n', '--preserve-env=DEBIAN_FRONTEND'] : null
}

/** A Python from elsewhere may bring venv and pip without the package; then nothing is to be installed. */
function hasVenv() {
  if (process.env.HOLDFAST_TEMPORAL_CLI || process.env.TEMPORAL_ADDRESS) return true
  return spawnSync('python3', ['-c', 'import venv, ensurepip']).status === 0
}
