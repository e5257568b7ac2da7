import { existsSync } from 'node:fs'
import { readFile, readdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { zstdCompressSync, constants } from 'node:zlib'
import { HoldfastError } from '../base/index.ts'
import { runProgram } from '../drivers/transport/index.ts'
import { writeCpio, type CpioEntry } from './cpio.ts'
import { moduleClosure } from './modules.ts'
import type { Recipe } from './recipe.ts'

/**
 * Kernel and initramfs from the unpacked packages in `tree`, which is changed (depmod). Same input, same bytes. The kernel
 * unpacks either form; plain, it has nothing to decompress and starts sooner.
 */
export async function assembleInitramfs(
  recipe: Recipe,
  tree: string,
  id: string,
): Promise<{ kernel: string; initrd: Buffer }> {
  const version = await kernelVersion(tree)
  const { name, title } = recipe.release
  const release = [`ID=${name}`, `NAME="${title}"`, `VERSION_ID=${id}`, `PRETTY_NAME="${title} ${id}"`, ''].join('\n')
  const entries: CpioEntry[] = [
    ...['dev', 'proc', 'sys', 'run', 'root', ...recipe.mountPoints].map((path): CpioEntry => {
      return { path, kind: 'folder', mode: 0o755 }
    }),
    { path: 'tmp', kind: 'folder', mode: 0o1777 },
    { path: 'etc/os-release', kind: 'file', mode: 0o644, data: Buffer.from(release) },
    ...(await ownEntries(recipe)),
    ...(await busyboxEntries(tree)),
    ...(await programEntries(tree, recipe.programs)),
    ...(await moduleEntries(tree, version, recipe.modules)),
  ]
  const archive = writeCpio(entries)
  const level = { params: { [constants.ZSTD_c_compressionLevel]: 12 } }
  const initrd = recipe.isCompressed ? zstdCompressSync(archive, level) : archive
  return { kernel: join(tree, 'boot', `vmlinuz-${version}`), initrd }
}

async function ownEntries({ folder, files }: Recipe): Promise<CpioEntry[]> {
  return Promise.all(
    Object.entries(files).map(async ([file, path]) => {
      return { path, kind: 'file', mode: 0o755, data: await readFile(join(folder, file)) } as const
    }),
  )
}

/**
 * busybox as itself and as a link for each of its commands, in /bin; a program of the same name elsewhere comes first.
 * /bin/sh is dash, as in a usual guest: busybox's shell would take its own commands before any program.
 */
async function busyboxEntries(tree: string): Promise<CpioEntry[]> {
  const file = locate(tree, 'bin/busybox')
  const { out } = await runProgram(file, ['--list'])
  const commands = out.split('\n').filter((name) => !['', 'busybox', 'sh'].includes(name))
  return [
    { path: 'bin/busybox', kind: 'file', mode: 0o755, data: await readFile(file) },
    { path: 'bin/sh', kind: 'link', target: 'dash' },
    // The kernel calls this path when it needs a module.
    { path: 'sbin/modprobe', kind: 'link', target: '/bin/busybox' },
    ...commands.map((name): CpioEntry => ({ path: `bin/${name}`, kind: 'link', target: 'busybox' })),
  ]
}

/** The loader of the packages themselves tells which libraries the programs need, so nothing of the host gets in. */
async function programEntries(tree: string, programs: readonly string[]): Promise<CpioEntry[]> {
  const folders = ['lib/x86_64-linux-gnu', 'usr/lib/x86_64-linux-gnu'].map((folder) => join(tree, folder))
  const loader = locate(
    tree,
    'lib64/ld-linux-x86-64.so.2',
    'usr/lib64/ld-linux-x86-64.so.2',
    'usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2',
  )
  const entries: CpioEntry[] = [
    { path: 'lib64/ld-linux-x86-64.so.2', kind: 'file', mode: 0o755, data: await readFile(loader) },
  ]
  const libraries = new Map<string, string>()
  for (const program of programs) {
    const file = locate(tree, program, `usr/${program}`)
    entries.push({ path: program, kind: 'file', mode: 0o755, data: await readFile(file) })
    const { out } = await runProgram(loader, ['--inhibit-cache', '--library-path', folders.join(':'), '--list', file])
    for (const [, library = ''] of out.matchAll(/=> (\S+) \(/g)) {
      if (!library.startsWith(tree))
        throw new HoldfastError(
          'PackageMissing',
          `no package of the guest has ${basename(library)}, which ${program} needs`,
        )
      libraries.set(basename(library), library)
    }
  }
  for (const [name, file] of libraries)
    entries.push({ path: `usr/lib/x86_64-linux-gnu/${name}`, kind: 'file', mode: 0o755, data: await readFile(file) })
  return entries
}

async function moduleEntries(tree: string, version: string, wanted: readonly string[]): Promise<CpioEntry[]> {
  const folder = join('lib/modules', version)
  const base = existsSync(join(tree, folder)) ? folder : join('usr', folder)
  await unpackModules(join(tree, base))
  // -b wants lib/modules below it, which on merged systems is usr/lib/modules.
  await runProgram('depmod', ['-b', base === folder ? tree : join(tree, 'usr'), version])
  const table = (name: string): Promise<string> => readFile(join(tree, base, `modules.${name}`), 'utf8')
  const tables = {
    dep: await table('dep'),
    softdep: await table('softdep'),
    alias: await table('alias'),
    builtin: await table('builtin'),
  }
  const paths = moduleClosure(tables, wanted)
  const kept = new Set(paths)
  const dep = tables.dep.split('\n').filter((line) => kept.has(line.split(':')[0] ?? ''))
  const names = new Set(paths.map((path) => basename(path, '.ko').replaceAll('-', '_')))
  const alias = tables.alias.split('\n').filter((line) => names.has(line.split(' ')[2] ?? ''))
  const text = (name: string, lines: readonly string[]): CpioEntry => ({
    path: join(folder, `modules.${name}`),
    kind: 'file',
    mode: 0o644,
    data: Buffer.from(`${lines.join('\n')}\n`),
  })
  const files = paths.map(async (path): Promise<CpioEntry> => {
    return { path: join(folder, path), kind: 'file', mode: 0o644, data: await readFile(join(tree, base, path)) }
  })
  return [
    text('dep', dep),
    text('alias', alias),
    text('softdep', tables.softdep.split('\n')),
    ...(await Promise.all(files)),
  ]
}

/** busybox's modprobe takes plain modules only; newer distributions compress them. */
async function unpackModules(folder: string): Promise<void> {
  const files = (await readdir(folder, { recursive: true })).filter((f) => /\.ko\.(xz|zst)$/.test(f))
  for (const [program, ending] of [
    ['xz', '.xz'],
    ['zstd', '.zst'],
  ] as const) {
    const mine = files.filter((f) => f.endsWith(ending)).map((f) => join(folder, f))
    for (let at = 0; at < mine.length; at += 500)
      await runProgram(program, ['-d', '-q', ...(program === 'zstd' ? ['--rm'] : []), ...mine.slice(at, at + 500)])
  }
}

async function kernelVersion(tree: string): Promise<string> {
  const found = (await readdir(join(tree, 'boot')))
    .filter((name) => name.startsWith('vmlinuz-'))
    .sort()
    .at(-1)
  if (found === undefined) throw new HoldfastError('PackageMissing', 'the kernel package holds no kernel')
  return found.slice('vmlinuz-'.length)
}

function locate(tree: string, ...paths: readonly string[]): string {
  const found = paths.map((path) => join(tree, path)).find((file) => existsSync(file))
  if (found === undefined) throw new HoldfastError('PackageMissing', `no package of the guest has ${paths[0] ?? ''}`)
  return found
}
