import { lstat, open, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { HoldfastError, isHoldfastError, toHoldfastError } from '../../base/index.ts'
import { lookAtImage, type ImageFormat } from '../../images/index.ts'
import { direct } from '../qemu/effects.ts'
import type { Endpoint, LooseImage } from '../values.ts'
import { encodeImageDescription, parseImageDescription } from './description.ts'
import { imageHost, type ImageHost } from './host.ts'
import { formatOf, listImageVms, locateImageVm } from './vms.ts'

/** A page of a wizard shows no more. */
const mostListed = 500
const namePattern = /^[A-Za-z0-9][A-Za-z0-9 ._-]{0,62}$/

/**
 * Images that lie in the folder itself, sorted by name: what a description can name. Looked at by their headers alone.
 * Throws AccessDenied where the folder cannot be listed.
 */
export async function listLooseImages(endpoint: Endpoint): Promise<readonly LooseImage[]> {
  const host = imagesAt(endpoint)
  const { address } = endpoint
  const owners = new Map<string, string>()
  for await (const found of listImageVms(host))
    if ('vm' in found) for (const { file } of found.vm.disks) owners.set(file, found.vm.ref.name)
  const names = (await readdir(address)).filter((name) => !name.startsWith('.') && formatOf(name) !== null)
  const images: LooseImage[] = []
  for (const file of names.sort().slice(0, mostListed)) {
    const vm = owners.get(join(address, file)) ?? null
    try {
      images.push({ file, vm, ...(await look(address, file, false)), problem: null })
    } catch (error) {
      const { message, hint } = toHoldfastError(error)
      images.push({ file, vm, format: null, bytes: 0, problem: `${message}${hint === '' ? '' : `. ${hint}`}` })
    }
  }
  return images
}

/**
 * Writes down that these images of the folder, the one that it boots from first, are the disks of a VM. The same images
 * again are the same VM. Nothing outside of the folder is read or named, whoever asks: neither by a path nor by a link.
 * Throws InvalidRequest, Unsupported and what `lookAtImage` throws for images that are refused, NameTaken.
 */
export async function describeImages(endpoint: Endpoint, name: string, files: readonly string[]): Promise<void> {
  const host = imagesAt(endpoint)
  const { address } = endpoint
  if (!namePattern.test(name))
    throw new HoldfastError('InvalidRequest', `not a name: ${name}`, {
      hint: 'Use letters, digits, space, dot, hyphen and underscore.',
    })
  if (files.length === 0 || new Set(files).size !== files.length)
    throw new HoldfastError('InvalidRequest', 'each image is one disk, and there is at least one')
  const disks = []
  for (const [n, file] of files.entries()) {
    const { format } = await look(address, file, true)
    disks.push({ key: `disk${n}`, file, format, bootOrder: n === 0 ? 0 : null })
  }
  const known = await locateImageVm(host, name).catch((error: unknown) => {
    if (isHoldfastError(error) && error.code === 'NotFound') return null
    throw error
  })
  if (known !== null) {
    const before = known.disks.map(({ key, file, format }) => `${key} ${file} ${format}`)
    if (
      before.join('\n') === disks.map(({ key, file, format }) => `${key} ${join(address, file)} ${format}`).join('\n')
    )
      return
    throw new HoldfastError('NameTaken', `${address} has ${name} already, with other images`, {
      hint: 'Choose another name, or remove what describes it there if its VM is over.',
    })
  }
  const path = join(address, `${name}.json`)
  const text = encodeImageDescription(
    parseImageDescription(JSON.stringify({ v: 1, name, disks, tags: ['imported'] }), path),
  )
  await writeWhole(path, text)
}

function imagesAt(endpoint: Endpoint): ImageHost {
  if (endpoint.platform === 'image') return imageHost(endpoint, direct)
  throw new HoldfastError('Unsupported', `${endpoint.address} is of the platform ${endpoint.platform}`, {
    hint: 'Images are imported from the folder of a hypervisor of the platform image.',
  })
}

async function look(
  folder: string,
  file: string,
  tables: boolean,
): Promise<{ readonly format: ImageFormat; readonly bytes: number }> {
  const path = join(folder, file)
  if (file.includes('/') || file.startsWith('.') || formatOf(file) === null)
    throw new HoldfastError('InvalidRequest', `${file} is no name of an image in ${folder}`, {
      hint: 'Put it there, with an ending such as .qcow2, .raw, .img, .vmdk, .vhdx or .vhd.',
    })
  const found = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
    throw new HoldfastError('NotFound', `there is no ${file} in ${folder}`, { cause: error })
  })
  if (!found.isFile())
    throw new HoldfastError('InvalidRequest', `${path} is no file: links and devices are not read`, {
      hint: 'Put the image itself there, or import it on the machine of the worker: holdfast point import.',
    })
  const { format, references } = await lookAtImage(path, { tables })
  if (references.length > 0)
    throw new HoldfastError('Unsupported', `${file} is no disk by itself: it names ${references.join(', ')}`, {
      hint: 'Make one image of all of it first: qemu-img convert -O qcow2 FILE NEW.qcow2',
    })
  return { format, bytes: found.size }
}

async function writeWhole(path: string, text: string): Promise<void> {
  const partial = `${path}.part`
  try {
    await using handle = await open(partial, 'w', 0o600)
    await handle.writeFile(text)
    await handle.sync()
  } catch (error) {
    await rm(partial, { force: true })
    throw new HoldfastError('AccessDenied', `cannot write ${path}`, {
      hint: 'The worker describes there what it reads: let it write to that folder.',
      cause: error,
    })
  }
  await rename(partial, path)
}
