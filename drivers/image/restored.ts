import { existsSync } from 'node:fs'
import { mkdir, open, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { HoldfastError } from '../../base/index.ts'
import { isOpKey } from '../names.ts'
import type { OpKey } from '../values.ts'
import { encodeImageDescription, IMAGE_FILE, parseImageDescription, type ImageDescription } from './description.ts'
import { listExports, stopExport } from './exports.ts'
import type { ImageHost } from './host.ts'
import { fromFolder, type ImageVm } from './vms.ts'

/**
 * A VM that a restore makes: its folder is called `.<opKey>` and its description carries the mark; finished, the folder
 * has the VM's name and the mark is gone, so that it is nobody's but its owner's. `restoredBy` stays, as history.
 */
export interface Restored {
  readonly vm: ImageVm
  readonly opKey: OpKey
  readonly finished: boolean
  readonly description: ImageDescription
}

function stagingFolder(host: ImageHost, opKey: OpKey): string {
  return join(host.endpoint.address, `.${opKey}`)
}

export async function listRestored(host: ImageHost): Promise<readonly Restored[]> {
  const out: Restored[] = []
  for (const entry of await readdir(host.endpoint.address, { withFileTypes: true })) {
    const dir = join(host.endpoint.address, entry.name)
    const staged = entry.name.startsWith('.')
    if (!entry.isDirectory() || !existsSync(join(dir, IMAGE_FILE))) continue
    const text = await readFile(join(dir, IMAGE_FILE), 'utf8')
    // Damaged, and no staging folder of a restore: the discovery tells about it.
    if (!staged && !text.includes('"restoredBy": "hf-')) continue
    const description = parseImageDescription(text, join(dir, IMAGE_FILE))
    const opKey = description.restoredBy ?? ''
    if (!isOpKey(opKey) || (staged && entry.name !== `.${opKey}`)) continue
    const vm = await fromFolder(host, dir, staged ? description.name : entry.name)
    if (vm) out.push({ vm, opKey, finished: description.opKey === null, description })
  }
  return out
}

export async function findRestored(host: ImageHost, opKey: OpKey): Promise<Restored | null> {
  return (await listRestored(host)).find((r) => r.opKey === opKey) ?? null
}

/** The description is written last and makes the folder a VM of this operation; before it, the folder is a half one. */
export async function stage(
  host: ImageHost,
  description: ImageDescription & { readonly opKey: OpKey },
  make: (dir: string) => Promise<void>,
): Promise<void> {
  const dir = stagingFolder(host, description.opKey)
  await rm(dir, { recursive: true, force: true })
  await mkdir(dir)
  await make(dir)
  await describe(host, dir, description)
}

/**
 * Gives it its name; the mark stays on. rename(2) does not replace a folder that holds anything, so a name that somebody
 * took meanwhile is refused.
 */
export async function giveName(host: ImageHost, restored: Restored): Promise<ImageVm> {
  const to = join(host.endpoint.address, restored.vm.ref.id)
  if (restored.vm.dir !== to) {
    try {
      await host.effects.run('file: name', () => rename(restored.vm.dir, to))
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code
      if (code !== 'ENOTEMPTY' && code !== 'EEXIST' && code !== 'ENOTDIR') throw error
      throw new HoldfastError('NameTaken', `there is a VM “${restored.vm.ref.id}” already`, { cause: error })
    }
    await syncFolder(host.endpoint.address)
  }
  return (await fromFolder(host, to, restored.vm.ref.id)) ?? restored.vm
}

/** Takes the mark off. */
export async function finish(host: ImageHost, restored: Restored): Promise<void> {
  if (!restored.finished) await describe(host, restored.vm.dir, { ...restored.description, opKey: null })
}

/** Absent is fine. A restore that is finished is left alone. */
export async function destroyStaged(host: ImageHost, opKey: OpKey): Promise<void> {
  const restored = await findRestored(host, opKey)
  if (restored?.finished) return
  const dir = stagingFolder(host, opKey)
  if (restored) {
    for (const { name } of await listExports(restored.vm)) await stopExport(restored.vm, name)
    // Under its name somebody may have put files beside ours; those stay, and so does the folder.
    if (await holdsMore(restored)) return await removeOurs(host, restored)
    // Named, but not finished. Back first: a removal that is cut off leaves no VM with half its disks.
    if (restored.vm.dir !== dir) await host.effects.run('file: name', () => rename(restored.vm.dir, dir))
  }
  await host.effects.run('file: remove', () => rm(dir, { recursive: true, force: true }))
}

function made({ vm, description }: Restored): readonly string[] {
  // The description last: it carries the mark.
  return [
    ...description.disks.map((d) => join(vm.dir, d.file)),
    join(vm.dir, `${IMAGE_FILE}.new`),
    join(vm.dir, IMAGE_FILE),
  ]
}

async function holdsMore(restored: Restored): Promise<boolean> {
  const ours = made(restored)
  return (await readdir(restored.vm.dir)).some((name) => !ours.includes(join(restored.vm.dir, name)))
}

async function removeOurs(host: ImageHost, restored: Restored): Promise<void> {
  for (const file of made(restored)) await host.effects.run('file: remove', () => rm(file, { force: true }))
}

async function describe(host: ImageHost, dir: string, description: ImageDescription): Promise<void> {
  const file = join(dir, IMAGE_FILE)
  await writeFile(`${file}.new`, encodeImageDescription(description), { flush: true })
  await host.effects.run('file: description', () => rename(`${file}.new`, file))
  await syncFolder(dir)
}

async function syncFolder(dir: string): Promise<void> {
  await using folder = await open(dir, 'r')
  await folder.sync()
}
