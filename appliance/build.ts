import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { copyFile, mkdir, mkdtemp, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { formatBytes, formatDuration } from '../base/index.ts'
import { assembleInitramfs } from './initramfs.ts'
import { fetchPackages, type FetchedPackage, type Progress } from './packages.ts'
import type { Recipe } from './recipe.ts'

/** A small guest, built and cached. Files are never changed once they are there. */
export interface Appliance {
  /** First 12 digits of the SHA-256 over the packages and our own files it was made of. */
  readonly id: string
  readonly folder: string
  readonly kernel: string
  readonly initrd: string
  readonly packages: readonly FetchedPackage[]
}

/** `HOLDFAST_CACHE`, else `$XDG_CACHE_HOME/holdfast`, else `~/.cache/holdfast`. What it holds can always be built again. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  return env['HOLDFAST_CACHE'] || join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'holdfast')
}

export interface BuildOptions {
  readonly cache?: string
  readonly progress?: Progress
  /** Asks apt again, even if a guest of the same recipe is there. */
  readonly refresh?: boolean
}

/**
 * The guest of a recipe: from the cache in milliseconds, else built from the distribution's packages without root, loop
 * devices or chroot. Concurrent builds do not disturb each other. Throws `PackageMissing` with the command that helps.
 */
export async function buildAppliance(recipe: Recipe, options: BuildOptions = {}): Promise<Appliance> {
  const cache = join(options.cache ?? cacheFolder(), recipe.name)
  const progress = options.progress ?? ((): void => undefined)
  const hash = await recipeHash(recipe)
  const pointer = join(cache, `recipe-${hash}`)
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
    const packages = await fetchPackages(recipe.packages, debs, tree, progress)
    const id = createHash('sha256')
      .update(JSON.stringify([hash, packages]))
      .digest('hex')
      .slice(0, 12)
    progress('assembling the initramfs')
    const { kernel, initrd } = await assembleInitramfs(recipe, tree, id)
    await copyFile(kernel, join(result, 'vmlinuz'))
    await writeFile(join(result, 'initrd'), initrd)
    await recipe.finish?.(tree, result, progress)
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

async function openGuest(cache: string, id: string): Promise<Appliance> {
  const folder = guestFolder(cache, id)
  const packages = JSON.parse(await readFile(join(folder, 'packages.json'), 'utf8')) as FetchedPackage[]
  return { id, folder, packages, kernel: join(folder, 'vmlinuz'), initrd: join(folder, 'initrd') }
}

/** Everything that decides what is built, but the packages: the recipe with its files, and the code that carries it out. */
async function recipeHash({ finish: _, folder, code, ...recipe }: Recipe): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify(recipe))
  for (const from of [folder, import.meta.dirname, ...code]) {
    const names = (await readdir(from, { withFileTypes: true })).filter((e) => e.isFile() && !e.name.includes('.test.'))
    for (const { name } of names.sort((a, b) => (a.name < b.name ? -1 : 1)))
      hash.update(`${name}\0`).update(await readFile(join(from, name)))
  }
  return hash.digest('hex').slice(0, 16)
}
