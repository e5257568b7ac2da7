import { randomUUID } from 'node:crypto'
import { link, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { HoldfastError } from '../../../base/index.ts'
import { readStandbyFile, standbyFile } from '../../names.ts'
import type { ChangeRef, Instant, OpKey, PointId } from '../../values.ts'
import { parseDescription, type VmDescription } from '../description.ts'
import type { Host } from '../host.ts'
import { filesIn } from '../round/record.ts'
import { derivedUuid } from '../target/index.ts'
import { listVms, type Vm } from '../vm.ts'

/**
 * What a standby is, beside its `vm.json`: the last state that came whole, the one that is being written, and the
 * takeover. This file decides; `vm.json` follows it, so that a crash between the two is repaired by whoever comes next.
 * Each change is a file of its own under the next number, made by link(2): of two who decided on the same record one
 * wins, and an attempt that slept through the decision of another changes nothing.
 */
const volumes = z.array(z.object({ key: z.string(), size: z.int(), chain: z.array(z.string()).min(1) }))
const state = z.object({ id: z.string(), description: z.unknown(), volumes })
/** `removing`: its removal was begun, nothing builds on it · `released`: a VM like any other, no standby any more. */
const role = z.enum(['follows', 'taken-over', 'removing', 'released'])
const record = z.object({
  v: z.literal(1),
  opKey: z.string(),
  role,
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
  over: z.array(z.string()),
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
  readonly role: z.infer<typeof role>
  readonly head: HeadState | null
  readonly next: NextState | null
  readonly takeover: Takeover | null
  /** Takeovers that were withdrawn or have ended: an attempt of theirs that is still under way starts nothing. */
  readonly over: readonly PointId[]
}
export interface Takeover {
  readonly operation: PointId
  readonly volumes: readonly Volumes[]
}
export interface Standby {
  readonly vm: Vm
  readonly record: StandbyRecord
  readonly revision: number
}

/** null: this operation has no standby here. Throws if any VM cannot be read: it might be the one. */
export async function findStandby(host: Host, opKey: OpKey): Promise<Standby | null> {
  let unreadable: HoldfastError | undefined
  for await (const found of listVms(host)) {
    if ('error' in found) unreadable ??= found.error
    else if (found.vm.description.uuid === derivedUuid(opKey)) {
      const known = await readRecord(found.vm.dir, opKey)
      if (known !== null && known.record.role !== 'released') return { vm: found.vm, ...known }
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

/**
 * Reads, decides and writes; if somebody was faster, decides again on what they wrote. `decide` throws if the change is
 * not allowed any more; null: there is nothing to change. Returns what stands then.
 */
export async function change(
  host: Host,
  opKey: OpKey,
  decide: (found: Standby) => StandbyRecord | null | Promise<StandbyRecord | null>,
): Promise<Standby> {
  for (let n = 0; n < mostTries; n += 1) {
    const found = await requireStandby(host, opKey)
    const wanted = await decide(found)
    if (wanted === null) return found
    const revision = found.revision + 1
    if (await writeRecord(host, found.vm.dir, wanted, revision)) return { vm: found.vm, record: wanted, revision }
  }
  throw new HoldfastError('StillInUse', 'others change the record of this standby without end', { retryAfter: 10_000 })
}
const mostTries = 20

/** Whether this folder is a standby of the installation, and no VM by itself. */
export async function follows(vm: Vm): Promise<boolean> {
  const { opKey } = vm.description
  if (opKey === null) return false
  const known = await readRecord(vm.dir, opKey as OpKey)
  return known?.record.role === 'follows' || known?.record.role === 'removing'
}

async function readRecord(
  dir: string,
  opKey: OpKey,
): Promise<{ readonly record: StandbyRecord; readonly revision: number } | null> {
  for (let n = 1; ; n += 1) {
    const revision = (await revisions(dir, opKey)).at(-1)
    if (revision === undefined) return null
    const file = join(dir, standbyFile(opKey, revision))
    try {
      return { record: parseRecord(await readFile(file, 'utf8'), file), revision }
    } catch (error) {
      // One with a higher number is there, or all of it has gone.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT' && n < mostTries) continue
      if (error instanceof HoldfastError) throw error
      throw new HoldfastError('AccessDenied', `cannot read ${file}`, { cause: error })
    }
  }
}

function parseRecord(text: string, file: string): StandbyRecord {
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

/** In ascending order. */
async function revisions(dir: string, opKey: OpKey): Promise<readonly number[]> {
  return (await filesIn(dir)).flatMap((name) => readStandbyFile(opKey, name) ?? []).toSorted((a, b) => a - b)
}

/** false: somebody else has written this revision, or a later one, or the folder is gone. */
export async function writeRecord(host: Host, dir: string, standby: StandbyRecord, revision: number): Promise<boolean> {
  const file = join(dir, standbyFile(standby.opKey, revision))
  return await host.effects.run('file: standby record', async () => {
    const draft = `${file}.${randomUUID()}`
    try {
      await writeFile(draft, `${JSON.stringify({ v: 1, ...standby }, null, 2)}\n`, { flag: 'wx', flush: true })
      await link(draft, file)
    } catch (error) {
      // Another has it already, or the standby has gone with its folder.
      if (['EEXIST', 'ENOENT'].includes((error as NodeJS.ErrnoException).code ?? '')) return false
      throw error
    } finally {
      await rm(draft, { force: true })
    }
    const all = await revisions(dir, standby.opKey)
    const isLast = all.at(-1) === revision
    // Below the last there is room again for one who decided long ago: that one is no record.
    for (const earlier of isLast ? all.slice(0, -1) : [revision])
      await rm(join(dir, standbyFile(standby.opKey, earlier)), { force: true })
    return isLast
  })
}
