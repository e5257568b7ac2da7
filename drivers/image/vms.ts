import { createHash } from 'node:crypto'
import { readFile, readdir } from 'node:fs/promises'
import { basename, extname, isAbsolute, join, resolve } from 'node:path'
import { GiB, HoldfastError, bytes, toHoldfastError } from '../../base/index.ts'
import type { ImageFormat } from '../../images/index.ts'
import { portableOf } from '../qemu/config.ts'
import { VM_FILE, parseDescription } from '../qemu/description.ts'
import type { DiskKey, PortableVm, VmRef } from '../values.ts'
import { IMAGE_FILE, parseImageDescription } from './description.ts'
import { runDirOf, type ImageHost } from './host.ts'

export interface ImageDisk {
  readonly key: DiskKey
  readonly file: string
  readonly format: ImageFormat
  readonly bootOrder: number | null
}

/** A VM that is nothing but files. */
export interface ImageVm {
  readonly host: ImageHost
  readonly ref: VmRef
  /** Folder that relative paths start from. */
  readonly dir: string
  readonly ownerFile: string
  /** Where its sockets and pid files lie. */
  readonly runDir: string
  readonly disks: readonly ImageDisk[]
  readonly tags: readonly string[]
  /** Sizes in it are those of the description; the images decide. */
  readonly portable: PortableVm | null
  /** Files that say how the machine was, by the name of the native part. */
  readonly native: readonly { readonly name: string; readonly file: string }[]
  /** The restore that made it, as its description says. */
  readonly opKey: string | null
}

export type Found = { readonly vm: ImageVm } | { readonly id: string; readonly error: HoldfastError }

const formats: { readonly [ending: string]: ImageFormat } = {
  ...{ '.qcow2': 'qcow2', '.raw': 'raw', '.img': 'raw' },
  ...{ '.vmdk': 'vmdk', '.vhdx': 'vhdx', '.vhd': 'vhd' },
}

/** By the ending of its name; null: no image. */
export function formatOf(name: string): ImageFormat | null {
  return formats[extname(name).toLowerCase()] ?? null
}

/**
 * Every VM below the address, sorted: a folder with `vm.json` (of the `qemu` driver) or `image.json`, a folder with
 * nothing but images, or `<name>.json`. What cannot be read is yielded with its error. Names with a dot in front are
 * not looked at.
 */
export async function* listImageVms(host: ImageHost): AsyncGenerator<Found, void, undefined> {
  const { address } = host.endpoint
  let entries
  try {
    entries = await readdir(address, { withFileTypes: true })
  } catch (error) {
    throw new HoldfastError('AccessDenied', `cannot list the images in ${address}`, {
      cause: error,
      hint: 'Check that the folder exists and that the worker may read it.',
    })
  }
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.name.startsWith('.')) continue
    const isFile = entry.isFile() && entry.name.endsWith('.json') && !entry.name.endsWith('.owner.json')
    if (!entry.isDirectory() && !isFile) continue
    const id = isFile ? entry.name.slice(0, -'.json'.length) : entry.name
    try {
      const vm = isFile
        ? await fromFile(host, address, entry.name, id)
        : await fromFolder(host, join(address, entry.name), id)
      if (vm) yield { vm }
    } catch (error) {
      yield { id, error: toHoldfastError(error) }
    }
  }
}

/** Throws `NotFound` only if everything could be read and nothing has this id. */
export async function locateImageVm(host: ImageHost, id: string): Promise<ImageVm> {
  const found: ImageVm[] = []
  for await (const entry of listImageVms(host)) {
    if ('vm' in entry && entry.vm.ref.id === id) found.push(entry.vm)
    if ('error' in entry && entry.id === id) throw entry.error
  }
  const [vm, second] = found
  if (second)
    throw new HoldfastError('ForeignState', `a folder and a description are both called ${id}`, {
      hint: 'Rename one of them.',
    })
  if (vm) return vm
  throw new HoldfastError('NotFound', `there is no VM ${id} in ${host.endpoint.address}`)
}

export async function fromFolder(host: ImageHost, dir: string, id: string): Promise<ImageVm | null> {
  const names = (await readdir(dir)).sort()
  if (names.includes(VM_FILE)) return await fromQemu(host, dir, id)
  if (names.includes(IMAGE_FILE)) return await fromFile(host, dir, IMAGE_FILE, id)
  const images = names.filter((name) => formats[extname(name)] !== undefined && !name.startsWith('.'))
  if (images.length === 0) return null
  const disks = images.map((name) => ({
    key: keyOf(name),
    file: join(dir, name),
    format: formats[extname(name)] ?? 'raw',
    bootOrder: null,
  }))
  if (new Set(disks.map((d) => d.key)).size !== disks.length)
    throw new HoldfastError('ConfigInvalid', `two images in ${dir} have the same name but for the ending`, {
      hint: `Rename one, or write an ${IMAGE_FILE}.`,
    })
  return {
    ...base(host, id, id),
    dir,
    ownerFile: join(dir, 'owner.json'),
    disks,
    tags: [],
    portable: null,
    native: [],
    opKey: null,
  }
}

async function fromQemu(host: ImageHost, dir: string, id: string): Promise<ImageVm> {
  const file = join(dir, VM_FILE)
  const d = parseDescription(parseJson(await readFile(file, 'utf8'), file), file)
  const parts = [
    ['kernel', d.kernel],
    ['initrd', d.initrd],
  ] as const
  return {
    ...base(host, id, d.name),
    dir,
    ownerFile: join(dir, 'owner.json'),
    disks: d.disks.map((x) => ({
      key: x.key as DiskKey,
      file: absolute(dir, x.file),
      format: x.format,
      bootOrder: x.bootOrder,
    })),
    tags: d.tags,
    portable: portableOf(d),
    native: [
      { name: VM_FILE, file },
      ...parts.flatMap(([name, part]) => (part === undefined ? [] : [{ name, file: absolute(dir, part) }])),
    ],
    opKey: d.opKey,
  }
}

async function fromFile(host: ImageHost, dir: string, name: string, id: string): Promise<ImageVm> {
  const file = join(dir, name)
  const d = parseImageDescription(await readFile(file, 'utf8'), file)
  return {
    ...base(host, id, d.name),
    dir,
    ownerFile: name === IMAGE_FILE ? join(dir, 'owner.json') : join(dir, `${id}.owner.json`),
    disks: d.disks.map((x) => ({
      key: x.key as DiskKey,
      file: absolute(dir, x.file),
      format: x.format,
      bootOrder: x.bootOrder,
    })),
    tags: d.tags,
    portable: d.portable,
    native: [{ name: IMAGE_FILE, file }],
    opKey: d.opKey,
  }
}

/** What is known of a machine of which only the disks are there: a guess, and it says so. */
export function guessedMachine(vm: ImageVm): PortableVm {
  return {
    v: 1,
    name: vm.ref.name,
    vcpus: 1,
    memory: bytes(GiB),
    firmware: 'bios',
    tpm: false,
    clock: 'utc',
    disks: [],
    nics: [],
    guest: { family: 'other', hint: 'only the disks are known; processors, memory and firmware are guesses' },
  }
}

function base(host: ImageHost, id: string, name: string): Pick<ImageVm, 'host' | 'ref' | 'runDir'> {
  return {
    host,
    runDir: runDirOf(host, id),
    ref: { platform: 'image', endpoint: host.endpoint.id, scope: host.scope, id, name },
  }
}

/** The image's name without its ending: stable when other images come and go. */
function keyOf(file: string): DiskKey {
  const stem = basename(file, extname(file)).toLowerCase()
  const plain = /^[a-z][a-z0-9._-]{0,19}$/.test(stem)
  return (plain ? stem : `disk-${createHash('sha256').update(file).digest('hex').slice(0, 12)}`) as DiskKey
}

function absolute(dir: string, file: string): string {
  return isAbsolute(file) ? file : resolve(dir, file)
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new HoldfastError('ConfigInvalid', `${file} is not JSON`, { cause: error })
  }
}
