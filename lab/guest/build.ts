import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { copyFile, mkdir, mkdtemp, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { formatBytes, formatDuration } from '../../base/index.ts'
import { buildBootDisk } from './boot-disk.ts'
import { assembleInitramfs, filesFolder } from './initramfs.ts'
import { fetchPackages, type FetchedPackage, type Progress } from './packages.ts'

/** The lab's guest, built and cached. Files are never changed once they are there. */
export interface Guest {
  /** First 12 digits of the SHA-256 over the packages and our own files it was made of. */
  readonly id: string
  readonly folder: string
  readonly kernel: string
  readonly initrd: string
  /** qcow2 of a small disk with boot loader, kernel and initramfs: boots by BIOS without help. */
  readonly bootDisk: string
  readonly packages: readonly FetchedPackage[]
}

/** `HOLDFAST_CACHE`, else `$XDG_CACHE_HOME/holdfast`, else `~/.cache/holdfast`. What it holds can always be built again. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  return env['HOLDFAST_CACHE'] || join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'holdfast')
}

export interface GuestOptions {
  readonly cache?: string
  readonly progress?: Progress
  /** Asks apt again, even if a guest of the same recipe is there. */
  readonly refresh?: boolean
}

/**
 * The guest for the recipe in this folder: from the cache in milliseconds, else built from the distribution's packages
 * without root, loop devices or chroot. Concurrent builds do not disturb each other. Throws `PackageMissing` with the
 * command that helps.
 */
export async function buildGuest(options: GuestOptions = {}): Promise<Guest> {
  const cache = join(options.cache ?? cacheFolder(), 'lab')
  const progress = options.progress ?? ((): void => undefined)
  const recipe = await recipeHash()
  const pointer = join(cache, `recipe-${recipe}`)
  if (options.refresh !== true && existsSync(pointer)) {
    const id = (await readFile(pointer, 'utf8')).trim()
    if (existsSync(guestFolder(cache, id))) return openGuest(cache, id)
  }
  const started = Date.now()
  await mkdir(cache, { recursive: true })
  const work = await mkdtemp(join(cache, 'building-'))
  try {
    const [debs, tree, result] = ['debs', 'tree', 'guest'].map((name) => join(work, name)) as [string, string, string]
    for (const folder of [debs, tree, result]) await mkdir(folder)
    const packages = await fetchPackages(debs, tree, progress)
    const id = createHash('sha256')
      .update(JSON.stringify([recipe, packages]))
      .digest('hex')
      .slice(0, 12)
    progress('assembling the initramfs')
    const { kernel, initrd } = await assembleInitramfs(tree, id)
    await copyFile(kernel, join(result, 'vmlinuz'))
    await writeFile(join(result, 'initrd.zst'), initrd)
    progress('making the boot disk')
    await buildBootDisk(tree, result)
    await writeFile(join(result, 'packages.json'), `${JSON.stringify(packages, null, 2)}\n`)
    await publish(result, guestFolder(cache, id))
    await writeFile(`${pointer}.${process.pid}`, `${id}\n`)
    await rename(`${pointer}.${process.pid}`, pointer)
    await tidy(cache, id)
    progress(`guest ${id} built in ${formatDuration(Date.now() - started)}, initramfs ${formatBytes(initrd.length)}`)
    return await openGuest(cache, id)
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

/** Guests of old recipes and what killed builds left, after a week: VMs have what they need of them by links of their own. */
async function tidy(cache: string, id: string): Promise<void> {
  const old = Date.now() - 7 * 24 * 3_600_000
  for (const name of await readdir(cache)) {
    const mine = name === `guest-${id}` || !/^(guest|building|recipe)-/.test(name)
    if (!mine && (await stat(join(cache, name))).mtimeMs < old)
      await rm(join(cache, name), { recursive: true, force: true })
  }
}

/** Whoever comes first wins; same id, same content. */
async function publish(from: string, to: string): Promise<void> {
  try {
    await rename(from, to)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error
  }
}

function guestFolder(cache: string, id: string): string {
  return join(cache, `guest-${id}`)
}

async function openGuest(cache: string, id: string): Promise<Guest> {
  const folder = guestFolder(cache, id)
  const packages = JSON.parse(await readFile(join(folder, 'packages.json'), 'utf8')) as FetchedPackage[]
  return {
    id,
    folder,
    packages,
    kernel: join(folder, 'vmlinuz'),
    initrd: join(folder, 'initrd.zst'),
    bootDisk: join(folder, 'boot.qcow2'),
  }
}

/** Everything that decides what is built, but the packages: our scripts and the code in this folder. */
async function recipeHash(): Promise<string> {
  const hash = createHash('sha256')
  for (const folder of [filesFolder, import.meta.dirname]) {
    const names = (await readdir(folder, { withFileTypes: true })).filter(
      (e) => e.isFile() && !e.name.includes('.test.'),
    )
    for (const { name } of names.sort((a, b) => (a.name < b.name ? -1 : 1)))
      hash.update(`${name}\0`).update(await readFile(join(folder, name)))
  }
  return hash.digest('hex').slice(0, 16)
}
