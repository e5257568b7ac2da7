import { randomUUID } from 'node:crypto'
import { link, mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { isAbsolute, join, resolve } from 'node:path'
import { z } from 'zod'
import { HoldfastError } from '../../base/index.ts'

/**
 * `vm.json`: what a QEMU process is started from. A VM is a folder; this file is its identity, the sockets and
 * logs of the running process lie beside it (or in `runDir`, where the folder's path is too long for a socket).
 */
export const VM_FILE = 'vm.json'

/** A QEMU id (device, node): a letter, then letters, digits, `-`, `.`, `_`; `-file` must fit into 31 characters. */
const diskKey = z.string().regex(/^[a-z][a-z0-9._-]{0,19}$/)
const name = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9 ._-]{0,62}$/)
const path = z.string().min(1).max(4096)
const positive = z.int().positive()

/** A disk served over NBD that holds what this one does not have yet (instant restore). */
const backing = z.strictObject({
  socket: path,
  export: z.string().min(1).max(256),
  /** Requests wait so long for the server to come back, then the VM stops until somebody lets it run again. */
  reconnectSeconds: positive.max(86_400),
})

const disk = z.strictObject({
  key: diskKey,
  /** Absolute, or relative to the VM's folder. */
  file: path,
  format: z.enum(['qcow2', 'raw']),
  /** Virtual size in bytes, a multiple of 512. */
  size: positive.multipleOf(512),
  /** What the guest sees; virtio-blk keeps 20 bytes. */
  serial: z.string().regex(/^[A-Za-z0-9._-]{1,20}$/),
  /** Position in the boot order of the firmware, from 0; null: never booted from. */
  bootOrder: z.int().nonnegative().nullable().default(null),
  /** For `qcow2` only; the file is an overlay on it. */
  backing: backing.optional(),
})

const nic = z.strictObject({
  mac: z.string().regex(/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/),
  /** `user`: NAT to the outside · `restricted`: a network that reaches nothing · `disconnected`: no cable. */
  network: z.enum(['user', 'restricted', 'disconnected']),
})

const owner = z.strictObject({ installation: z.string(), name: z.string(), since: z.string() })

const description = z
  .strictObject({
    v: z.literal(1),
    uuid: z.uuid(),
    name,
    /** Bytes, a multiple of 1 MiB. */
    memory: positive.multipleOf(1024 * 1024),
    vcpus: positive.max(255),
    machine: z.enum(['q35', 'pc']),
    /** `auto`: KVM where the processor's module is loaded, else TCG. */
    accel: z.enum(['auto', 'kvm', 'tcg']),
    firmware: z.enum(['direct-kernel', 'bios']),
    /** Absolute, or relative to the VM's folder; for `direct-kernel` only. */
    kernel: path.optional(),
    initrd: path.optional(),
    append: z.string().max(2048).optional(),
    disks: z.array(disk).max(26),
    nics: z.array(nic).max(8),
    tags: z.array(z.string().max(128)).max(64),
    notes: z.string().max(4096),
    /** The Holdfast installation that protects this VM. */
    owner: owner.nullable().default(null),
    /** The operation that made this VM (restores, drills); null: made by a person or the lab. */
    opKey: z
      .string()
      .regex(/^hf-[a-z2-7]{6}-[a-z2-7]{13}$/)
      .nullable()
      .default(null),
    /** Where sockets and the pid file lie when the folder's own path is too long for them. */
    runDir: path.optional(),
    created: z.iso.datetime(),
  })
  .superRefine((d, check) => {
    const fail = (message: string, at: string): void => check.addIssue({ code: 'custom', message, path: [at] })
    for (const field of ['key', 'file', 'serial'] as const) {
      if (new Set(d.disks.map((x) => x[field])).size !== d.disks.length)
        fail(`two disks have the same ${field}`, 'disks')
    }
    const boots = d.disks.map((x) => x.bootOrder).filter((x) => x !== null)
    if (new Set(boots).size !== boots.length) fail('two disks have the same place in the boot order', 'disks')
    if (d.firmware === 'direct-kernel' && d.kernel === undefined) fail('direct-kernel needs a kernel', 'kernel')
    if (d.firmware !== 'direct-kernel' && (d.kernel ?? d.initrd ?? d.append) !== undefined)
      fail('kernel, initrd and append are for direct-kernel only', 'firmware')
  })

export type VmDescription = z.infer<typeof description>
export type DiskDescription = VmDescription['disks'][number]
export type DiskBacking = NonNullable<DiskDescription['backing']>
export type NicDescription = VmDescription['nics'][number]

/** Checks a value of unknown origin. Throws `ConfigInvalid` naming each field that is wrong; `origin` says where it came from. */
export function parseDescription(value: unknown, origin: string): VmDescription {
  const parsed = description.safeParse(value)
  if (parsed.success) return parsed.data
  const what = parsed.error.issues.map((i) => `${i.path.join('.') || 'the file'}: ${i.message}`).join('; ')
  throw new HoldfastError('ConfigInvalid', `${origin} is not a VM description: ${what}`, {
    hint: `Correct the fields named in ${origin}.`,
  })
}

/** Canonical text: fields in schema order, two spaces, newline at the end. */
export function encodeDescription(d: VmDescription): string {
  return `${JSON.stringify(parseDescription(d, `the description of ${d.name}`), null, 2)}\n`
}

/** Throws `NotFound` if the folder has no `vm.json`, `AccessDenied` if it cannot be read, `ConfigInvalid` if it is wrong. */
export async function readDescription(dir: string): Promise<VmDescription> {
  const file = join(dir, VM_FILE)
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT' || code === 'ENOTDIR')
      throw new HoldfastError('NotFound', `there is no VM at ${dir}`, { cause: error })
    throw new HoldfastError('AccessDenied', `cannot read ${file}`, { cause: error })
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new HoldfastError('ConfigInvalid', `${file} is not JSON`, { cause: error })
  }
  return parseDescription(value, file)
}

/** Makes the folder and its `vm.json`; throws `NameTaken` if the folder is a VM already. Atomic and durable. */
export async function createDescription(dir: string, d: VmDescription): Promise<void> {
  await mkdir(dir, { recursive: true })
  await replaceFile(dir, encodeDescription(d), async (tmp, file) => {
    try {
      await link(tmp, file)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      throw new HoldfastError('NameTaken', `there is a VM at ${dir} already`, { cause: error })
    }
    await rm(tmp)
  })
}

/** Replaces `vm.json`, atomically and durably: a reader sees the old or the new one. Last writer wins. */
export async function writeDescription(dir: string, d: VmDescription): Promise<void> {
  await replaceFile(dir, encodeDescription(d), rename)
}

async function replaceFile(
  dir: string,
  text: string,
  publish: (tmp: string, file: string) => Promise<void>,
): Promise<void> {
  const tmp = join(dir, `.${VM_FILE}.${randomUUID()}`)
  try {
    await using handle = await open(tmp, 'wx', 0o644)
    await handle.writeFile(text)
    await handle.sync()
    await publish(tmp, join(dir, VM_FILE))
  } catch (error) {
    await rm(tmp, { force: true })
    throw error
  }
  await using folder = await open(dir, 'r')
  await folder.sync()
}

/** A file named in the description, as an absolute path. */
export function resolveFile(dir: string, file: string): string {
  return isAbsolute(file) ? file : resolve(dir, file)
}
