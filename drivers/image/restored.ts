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

/** A VM that a restore makes: `.<opKey>` until it is finished, then its own name. Its description carries the opKey. */
export interface Restored {
  readonly vm: ImageVm
  readonly opKey: OpKey
  readonly finished: boolean
}

export function stagingFolder(host: ImageHost, opKey: OpKey): string {
  return join(host.endpoint.address, `.${opKey}`)
}

export async function listRestored(host: ImageHost): Promise<readonly Restored[]> {
  const out: Restored[] = []
  for (const entry of await readdir(host.endpoint.address, { withFileTypes: true })) {
    const dir = join(host.endpoint.address, entry.name)
    const staged = entry.name.startsWith('.')
    if (!entry.isDirectory() || !existsSync(join(dir, IMAGE_FILE))) continue
    const { opKey, name } = parseImageDescription(await readFile(join(dir, IMAGE_FILE), 'utf8'), join(dir, IMAGE_FILE))
    if (opKey === null || !isOpKey(opKey) || (staged && entry.name !== `.${opKey}`)) continue
    const vm = await fromFolder(host, dir, staged ? name : entry.name)
    if (vm) out.push({ vm, opKey, finished: !staged })
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
  await writeFile(join(dir, `${IMAGE_FILE}.new`), encodeImageDescription(description), { flush: true })
  await host.effects.run('file: description', () => rename(join(dir, `${IMAGE_FILE}.new`), join(dir, IMAGE_FILE)))
}

/** Gives it its name. Atomic: rename(2) does not replace a folder that holds anything. */
export async function finish(host: ImageHost, restored: Restored): Promise<ImageVm> {
  if (restored.finished) return restored.vm
  const to = join(host.endpoint.address, restored.vm.ref.id)
  try {
    await host.effects.run('file: name', () => rename(restored.vm.dir, to))
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST' && code !== 'ENOTDIR') throw error
    throw new HoldfastError('NameTaken', `there is a VM “${restored.vm.ref.id}” in ${host.endpoint.address} already`, {
      cause: error,
    })
  }
  await using folder = await open(host.endpoint.address, 'r')
  await folder.sync()
  return {
    ...restored.vm,
    dir: to,
    disks: restored.vm.disks.map((d) => ({ ...d, file: d.file.replace(restored.vm.dir, to) })),
  }
}

/** Absent is fine. What carries another mark, or none, is not touched. */
export async function destroyRestored(host: ImageHost, opKey: OpKey): Promise<void> {
  const restored = await findRestored(host, opKey)
  if (restored) {
    for (const { name } of await listExports(restored.vm)) await stopExport(restored.vm, name)
    // Under the staging name first: a removal that is cut off leaves no VM with half its disks.
    const staged = stagingFolder(host, opKey)
    if (restored.finished) await host.effects.run('file: name', () => rename(restored.vm.dir, staged))
  }
  await host.effects.run('file: remove', () => rm(stagingFolder(host, opKey), { recursive: true, force: true }))
}
