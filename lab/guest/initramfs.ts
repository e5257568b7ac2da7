import { existsSync } from 'node:fs'
import { readFile, readdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { zstdCompressSync, constants } from 'node:zlib'
import { HoldfastError } from '../../base/index.ts'
import { runProgram } from '../../drivers/transport/index.ts'
import { writeCpio, type CpioEntry } from './cpio.ts'
import { moduleClosure } from './modules.ts'

/** Loaded by init or on demand; file systems beyond ext4 for disks that were not made here. */
const wantedModules = [
  'virtio_pci',
  'virtio_blk',
  'virtio_scsi',
  'sd_mod',
  'virtio_net',
  'virtio_console',
  'button',
  'evdev',
  'ext4',
  'xfs',
  'btrfs',
  'vfat',
  'nls_cp437',
  'nls_ascii',
  'nls_iso8859_1',
  'nls_utf8',
  'dm_mod',
  'dm_snapshot',
]
/** Programs beside busybox, by their place in the packages; the guest has them at the same place. */
const programs = [
  'usr/sbin/qemu-ga',
  'usr/bin/sqlite3',
  'sbin/blkdiscard',
  'usr/bin/fallocate',
  'sbin/blkid',
  'usr/bin/pkill',
  'sbin/fsfreeze',
  'bin/dash',
]
/** Our own files and where the guest has them. */
const ownFiles: { readonly [file: string]: string } = {
  init: 'init',
  'mount-disks': 'usr/sbin/mount-disks',
  shutdown: 'sbin/shutdown',
  workload: 'usr/bin/workload',
  'check-integrity': 'usr/bin/check-integrity',
  'audit-verify': 'usr/bin/audit-verify',
  'audit-lib': 'usr/lib/holdfast/audit-lib',
}
const powerButton = { path: 'etc/acpi/PWRF/00000080', text: '#!/bin/sh\nexec /sbin/shutdown -h -P +0\n' }

export const filesFolder = join(import.meta.dirname, 'files')

/** Kernel and initramfs from the unpacked packages in `tree`, which is changed (depmod). Same input, same bytes. */
export async function assembleInitramfs(tree: string, id: string): Promise<{ kernel: string; initrd: Buffer }> {
  const version = await kernelVersion(tree)
  const release = [
    'ID=holdfast-lab',
    'NAME="Holdfast lab guest"',
    `VERSION_ID=${id}`,
    `PRETTY_NAME="Holdfast lab guest ${id}"`,
    '',
  ].join('\n')
  const entries: CpioEntry[] = [
    ...['dev', 'proc', 'sys', 'run', 'data', 'root'].map((path): CpioEntry => ({ path, kind: 'folder', mode: 0o755 })),
    { path: 'tmp', kind: 'folder', mode: 0o1777 },
    { path: 'etc/os-release', kind: 'file', mode: 0o644, data: Buffer.from(release) },
    { path: powerButton.path, kind: 'file', mode: 0o755, data: Buffer.from(powerButton.text) },
    ...(await ownEntries()),
    ...(await busyboxEntries(tree)),
    ...(await programEntries(tree)),
    ...(await moduleEntries(tree, version)),
  ]
  const level = { params: { [constants.ZSTD_c_compressionLevel]: 12 } }
  return { kernel: join(tree, 'boot', `vmlinuz-${version}`), initrd: zstdCompressSync(writeCpio(entries), level) }
}

async function ownEntries(): Promise<CpioEntry[]> {
  return Promise.all(
    Object.entries(ownFiles).map(async ([file, path]) => {
      return { path, kind: 'file', mode: 0o755, data: await readFile(join(filesFolder, file)) } as const
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
async function programEntries(tree: string): Promise<CpioEntry[]> {
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

async function moduleEntries(tree: string, version: string): Promise<CpioEntry[]> {
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
  const paths = moduleClosure(tables, wantedModules)
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
