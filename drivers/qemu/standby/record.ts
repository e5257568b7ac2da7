import { readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { HoldfastError } from '../../../base/index.ts'
import { isReplicaFile, readPinFile, standbyFile } from '../../names.ts'
import type { OpContext } from '../../driver.ts'
import type { ChangeRef, Instant, OpKey, PointId } from '../../values.ts'
import { parseDescription, resolveFile, type VmDescription } from '../description.ts'
import type { Host } from '../host.ts'
import { derivedUuid } from '../target/index.ts'
import { listVms, type Vm } from '../vm.ts'

/**
 * What a standby is, beside its `vm.json`: the last state that came whole, the one that is being written, and the
 * takeover. This file decides; `vm.json` follows it, so that a crash between the two is repaired by whoever comes next.
 */
const volumes = z.array(z.object({ key: z.string(), size: z.int(), chain: z.array(z.string()).min(1) }))
const state = z.object({ id: z.string(), description: z.unknown(), volumes })
const record = z.object({
  v: z.literal(1),
  opKey: z.string(),
  role: z.enum(['follows', 'taken-over']),
  head: state
    .extend({
      at: z.string(),
      refs: z.array(z.object({ key: z.string(), ref: z.unknown() })),
      /** Of the uppermost volumes, as they were when the state had come whole: who writes to them changes it. */
      prints: z.array(z.string()),
    })
    .nullable(),
  next: state.nullable(),
  takeover: z.object({ operation: z.string(), volumes }).nullable(),
})

/** `chain`: files in the folder of the VM, the lowest first; what is above holds what changed. */
export interface Volumes {
  readonly key: string
  readonly size: number
  readonly chain: readonly string[]
}
export interface NextState {
  readonly id: PointId
  /** The VM once it has taken over, with the uppermost volumes as its disks. */
  readonly description: VmDescription
  readonly volumes: readonly Volumes[]
}
export interface HeadState extends NextState {
  readonly at: Instant
  readonly refs: readonly { readonly key: string; readonly ref: ChangeRef | null }[]
  readonly prints: readonly string[]
}
export interface StandbyRecord {
  readonly opKey: OpKey
  readonly role: 'follows' | 'taken-over'
  readonly head: HeadState | null
  readonly next: NextState | null
  readonly takeover: { readonly operation: PointId; readonly volumes: readonly Volumes[] } | null
}
export interface Standby {
  readonly vm: Vm
  readonly record: StandbyRecord
}

/** null: this operation has no standby here. Throws if any VM cannot be read: it might be the one. */
export async function findStandby(host: Host, opKey: OpKey): Promise<Standby | null> {
  let unreadable: HoldfastError | undefined
  for await (const found of listVms(host)) {
    if ('error' in found) unreadable ??= found.error
    else if (found.vm.description.uuid === derivedUuid(opKey)) {
      const known = await readRecord(found.vm.dir, opKey)
      if (known !== null) return { vm: found.vm, record: known }
    }
  }
  if (unreadable !== undefined) throw unreadable
  return null
}

export async function requireStandby(host: Host, opKey: OpKey): Promise<Standby> {
  const found = await findStandby(host, opKey)
  if (found !== null) return found
  throw new HoldfastError('NotFound', `there is no standby of this operation in ${host.endpoint.address}`, {
    hint: 'It was removed, or its folder cannot be reached now.',
  })
}

/** Whether this folder is a standby of the installation that still follows. */
export async function follows(vm: Vm): Promise<boolean> {
  const { opKey } = vm.description
  if (opKey === null) return false
  return (await readRecord(vm.dir, opKey as OpKey))?.role === 'follows'
}

async function readRecord(dir: string, opKey: OpKey): Promise<StandbyRecord | null> {
  const file = join(dir, standbyFile(opKey))
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw new HoldfastError('AccessDenied', `cannot read ${file}`, { cause: error })
  }
  try {
    const read = record.parse(JSON.parse(text))
    const describe = <T extends { description: unknown }>(one: T) => ({
      ...one,
      description: parseDescription(one.description, file),
    })
    return {
      ...read,
      head: read.head && describe(read.head),
      next: read.next && describe(read.next),
    } as unknown as StandbyRecord
  } catch (error) {
    throw new HoldfastError('ForeignState', `${file} is not the record of a standby`, { cause: error })
  }
}

export async function writeRecord(host: Host, dir: string, standby: StandbyRecord): Promise<void> {
  const file = join(dir, standbyFile(standby.opKey))
  await host.effects.run('file: standby record', async () => {
    await writeFile(`${file}.new`, `${JSON.stringify({ v: 1, ...standby }, null, 2)}\n`, { flush: true })
    await rename(`${file}.new`, file)
  })
}

export async function removeRecord(host: Host, dir: string, opKey: OpKey): Promise<void> {
  await host.effects.run('file: remove standby record', () => rm(join(dir, standbyFile(opKey)), { force: true }))
}

export function uppermost({ chain }: Volumes): string {
  const file = chain.at(-1)
  if (file === undefined) throw new HoldfastError('Internal', 'a volume of a standby has no file')
  return file
}

/** Changes with every write to the file, and with the file. */
export async function printOf(dir: string, file: string): Promise<string> {
  const { ino, size, mtimeNs } = await stat(join(dir, file), { bigint: true })
  return `${ino}:${size}:${mtimeNs}`
}

/** The head is not what it was when it came whole. */
export async function isTouched({ vm, record: { head } }: Standby): Promise<boolean> {
  if (head === null) return false
  for (const [n, one] of head.volumes.entries()) {
    try {
      if ((await printOf(vm.dir, uppermost(one))) !== head.prints[n]) return true
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return true
      throw error
    }
  }
  return false
}

/** Volumes that belong to no state any more go, unless a test runs on some of them. */
export async function dropStale(host: Host, { vm, record: known }: Standby, ctx: OpContext): Promise<void> {
  const names = await readdir(vm.dir)
  if ((await pinned(host, names, known.opKey)).length > 0) return
  const parts = [known.head, known.next].flatMap((one) =>
    one === null ? [] : [...one.volumes.flatMap(({ chain }) => chain), one.description.kernel, one.description.initrd],
  )
  const kept = new Set([...parts, ...(known.takeover?.volumes.flatMap(({ chain }) => chain) ?? [])])
  for (const name of names) {
    if (!isReplicaFile(known.opKey, name) || kept.has(name)) continue
    try {
      await host.effects.run('file: remove volume', () => rm(join(vm.dir, name), { force: true }))
    } catch (error) {
      ctx.log.warn({ file: resolveFile(vm.dir, name), error }, 'a volume of an earlier state could not be removed')
    }
  }
}

/** Tests whose VM is there. */
async function pinned(host: Host, names: readonly string[], opKey: OpKey): Promise<readonly OpKey[]> {
  const tests = names.flatMap((name) => readPinFile(opKey, name) ?? [])
  if (tests.length === 0) return []
  const there = new Set<string>()
  for await (const found of listVms(host)) {
    // It might be one of them.
    if ('error' in found) return tests
    there.add(found.vm.description.uuid)
  }
  return tests.filter((test) => there.has(derivedUuid(test)))
}
