import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, isAbsolute, join } from 'node:path'
import { HoldfastError } from '../../base/index.ts'

/**
 * Who ends the process. `parent`: the kernel kills it when the process (more exactly: the thread) that started it
 * dies, however it dies. `detached`: it outlives its parent and is found again by its pid file.
 */
export type Lifetime = 'parent' | 'detached'

/** Debian package of each program that is started here. */
const packages: { readonly [program: string]: string } = {
  'qemu-system-x86_64': 'qemu-system-x86',
  'qemu-img': 'qemu-utils',
  'qemu-nbd': 'qemu-utils',
  setpriv: 'util-linux',
  mke2fs: 'e2fsprogs',
  depmod: 'kmod',
  zstd: 'zstd',
  xz: 'xz-utils',
  'apt-get': 'apt',
  'apt-cache': 'apt',
  'dpkg-deb': 'dpkg',
}

/**
 * Starts a program. Between fork and PR_SET_PDEATHSIG (prctl(2)) the parent may die unnoticed; so the shell in
 * between compares its parent with us before it becomes the program.
 */
export function spawnSupervised(
  program: string,
  args: readonly string[],
  lifetime: Lifetime,
  output: number | 'ignore' | 'pipe',
  env: NodeJS.ProcessEnv = process.env,
): ChildProcess {
  const stdio: ['ignore', typeof output, typeof output] = ['ignore', output, output]
  if (lifetime === 'detached') {
    requireProgram(program)
    return spawn(program, args, { stdio, env, detached: true })
  }
  for (const needed of [program, 'setpriv']) requireProgram(needed)
  const check = '[ "$PPID" = "$1" ] || exit 125; shift; exec "$@"'
  const supervision = ['--pdeathsig', 'KILL', '--', 'sh', '-c', check, 'sh', String(process.pid)]
  // Its own process group: Ctrl-C in the terminal goes to the parent, which decides how to end.
  return spawn('setpriv', [...supervision, program, ...args], { stdio, env, detached: true })
}

/** Throws `PackageMissing` with the command that installs it. Returns the absolute path; one given is taken as it is. */
export function requireProgram(program: string): string {
  if (isAbsolute(program)) return program
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin']
  const found = folders.map((folder) => join(folder, program)).find((file) => existsSync(file))
  if (found !== undefined) return found
  const name = packages[program] ?? program
  throw new HoldfastError('PackageMissing', `${program} is not installed`, {
    hint: `Install it: sudo apt-get install -y --no-install-recommends ${name}`,
    data: { package: name },
  })
}
