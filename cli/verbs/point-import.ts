import { Command } from 'commander'
import { mkdir, open, readFile, realpath, rename, rm } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { HoldfastError, describeError } from '../../base/index.ts'
import { lookAtImage, type ImageFormat } from '../../images/index.ts'
import { ask, type ApiClient, type Schemas } from '../client/index.ts'
import { followRun } from '../follow.ts'
import { homeFolder } from '../home.ts'
import type { Io } from '../io.ts'
import { listAll } from './common.ts'

interface Options {
  readonly vm: string
  readonly hypervisor: string
  readonly site: string
  readonly repository?: string
  readonly name?: string
  readonly reason: string
}

/**
 * Existing images as the first point of a VM: they are described as a VM of an `image` hypervisor, whose folder is made
 * once, and that VM is backed up. So it can be paused, cancelled, killed and resumed as every backup.
 */
export function importVerb(ioOf: (command: Command) => Io): Command {
  return new Command('import')
    .description('make a point of existing images: raw, qcow2, vmdk, vhdx or vhd; on the machine of the worker')
    .argument('<file...>', 'one for each disk, the one that it boots from first')
    .requiredOption('--vm <name>', 'name of the VM')
    .option('--hypervisor <id>', 'of the platform image; it is made where it is not there', 'imports')
    .option('--site <site>', 'whose worker reads the files', 'local')
    .option('--repository <id>', 'where to')
    .option('--name <text>', 'name of the point')
    .option('--reason <text>', 'shown in the runbook', '')
    .action(async (files: readonly string[], options: Options, self: Command) => {
      const io = ioOf(self)
      if (!/^[A-Za-z0-9][A-Za-z0-9 ._-]{0,62}$/.test(options.vm))
        throw new HoldfastError('InvalidRequest', `not a name: ${options.vm}`, {
          hint: 'Use letters, digits, space, dot, hyphen and underscore.',
        })
      const disks = []
      for (const file of files) disks.push(await diskOf(file, disks.length))
      const api = io.api()
      const folder = await folderOf(io, api, options)
      await describe(folder, options.vm, disks)
      const vm = await discovered(api, options)
      const run = await ask(
        api.POST('/vms/{id}/backups', {
          params: { path: { id: vm.id } },
          body: {
            want: 'crash',
            reason: options.reason,
            ...(options.repository !== undefined && { repositoryId: options.repository }),
            ...(options.name !== undefined && { name: options.name }),
          },
        }),
      )
      io.say(
        `${vm.id}: ${disks.map(({ key, format }) => `${key} is ${format}`).join(', ')}. Started ${run.workflowId}.`,
      )
      io.end(await followRun(io, api, run.runId))
    })
}

interface Disk {
  readonly key: string
  readonly file: string
  readonly format: ImageFormat
  readonly bootOrder: number | null
}

/** Looked at here already: a refusal before anything is written down. */
async function diskOf(path: string, n: number): Promise<Disk> {
  const { format, references } = await lookAtImage(path)
  if (references.length > 0)
    throw new HoldfastError('Unsupported', `${path} is no disk by itself: it names ${references.join(', ')}`, {
      hint: 'Only what you name is read. Make one image of all of it first: qemu-img convert -O qcow2 FILE NEW.qcow2',
    })
  return { key: `disk${n}`, file: await realpath(path), format, bootOrder: n === 0 ? 0 : null }
}

/** The folder of the hypervisor; both are made where they are not there. */
async function folderOf(io: Io, api: ApiClient, { hypervisor: id, site }: Options): Promise<string> {
  const { items } = await listAll(10_000, (page) => ask(api.GET('/hypervisors', { params: { query: page } })))
  const known = items.find((one) => one.id === id)
  if (known !== undefined && known.platform !== 'image')
    throw new HoldfastError('InvalidRequest', `${id} is of the platform ${known.platform}, images need one of image`, {
      hint: 'Name another one with --hypervisor; one that is not there is made.',
    })
  const address = known?.address ?? join(homeFolder(io.world.env), 'imports')
  try {
    await mkdir(address, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw new HoldfastError('AccessDenied', `cannot write to ${address} on ${hostname()}: ${describeError(error)}`, {
      hint: 'Run this on the machine of the worker, as its user.',
      cause: error,
    })
  }
  if (known === undefined) {
    const body = { name: id, address, platform: 'image' as const, site, credentialRef: '', options: {} }
    await ask(api.POST('/hypervisors', { body }))
  }
  return address
}

/** Of the same files it is the same VM, whose next point this is; of others the name is taken. */
async function describe(folder: string, name: string, disks: readonly Disk[]): Promise<void> {
  const file = join(folder, `${name}.json`)
  const text = `${JSON.stringify({ v: 1, name, disks, tags: ['imported'] }, null, 2)}\n`
  const before = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
  if (before === text) return
  if (before !== null)
    throw new HoldfastError('NameTaken', `${file} describes ${name} with other images`, {
      hint: 'Choose another name, or remove that file if its VM is over.',
    })
  const partial = `${file}.part`
  try {
    await using handle = await open(partial, 'w', 0o600)
    await handle.writeFile(text)
    await handle.sync()
  } catch (error) {
    await rm(partial, { force: true })
    throw error
  }
  await rename(partial, file)
}

async function discovered(api: ApiClient, { hypervisor: id, vm }: Options): Promise<Schemas['Vm']> {
  const { probe } = await ask(api.POST('/hypervisors/{id}/discover', { params: { path: { id } } }))
  if (probe.error)
    throw new HoldfastError('HypervisorRefused', `the worker cannot look at the images: ${probe.error.message}`, {
      hint: probe.error.hint,
    })
  const query = { hypervisorId: id, q: vm, limit: 200 }
  const { items } = await ask(api.GET('/vms', { params: { query } }))
  const found = items.find(({ name }) => name === vm)
  if (found !== undefined) return found
  throw new HoldfastError('NotFound', `the worker of ${id} has not found ${vm}`, {
    hint: `Is this its machine? Look: holdfast hypervisor discover ${id}.`,
  })
}
