import { createHash } from 'node:crypto'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { HoldfastError } from '../../../base/index.ts'
import { targetFile } from '../../names.ts'
import type { OpKey } from '../../values.ts'
import { parseDescription, type DiskDescription, type VmDescription } from '../description.ts'
import type { Vm } from '../vm.ts'

/**
 * What a restore is about to make of a VM, kept beside its `vm.json` until `handOver` or `destroy`: new volumes of a
 * replacement, and the networks that are not connected before.
 */
const plan = z.object({
  v: z.literal(1),
  opKey: z.string(),
  kind: z.enum(['new', 'replace']),
  state: z.enum(['filling', 'swapped', 'reverted']),
  /** The VM as `finalize` leaves it. */
  after: z.unknown(),
  /** Replacement: the VM as it was. */
  before: z.unknown(),
})

export interface TargetPlan {
  readonly opKey: OpKey
  readonly kind: 'new' | 'replace'
  readonly state: 'filling' | 'swapped' | 'reverted'
  readonly after: VmDescription
  readonly before: VmDescription | null
}

/** null: this operation has (or no longer has) nothing under way here. */
export async function readPlan(dir: string, opKey: OpKey): Promise<TargetPlan | null> {
  const file = join(dir, targetFile(opKey))
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw new HoldfastError('AccessDenied', `cannot read ${file}`, { cause: error })
  }
  try {
    const { kind, state, after, before } = plan.parse(JSON.parse(text))
    return {
      opKey,
      kind,
      state,
      after: parseDescription(after, file),
      before: before === null ? null : parseDescription(before, file),
    }
  } catch (error) {
    throw new HoldfastError('ForeignState', `${file} is not the plan of a restore`, { cause: error })
  }
}

export async function writePlan(vm: Pick<Vm, 'host'>, dir: string, target: TargetPlan): Promise<void> {
  const file = join(dir, targetFile(target.opKey))
  await vm.host.effects.run('file: restore plan', async () => {
    await mkdir(dir, { recursive: true })
    await writeFile(`${file}.new`, `${JSON.stringify({ v: 1, ...target }, null, 2)}\n`, { flush: true })
    await rename(`${file}.new`, file)
  })
}

export async function removePlan(vm: Pick<Vm, 'host'>, dir: string, opKey: OpKey): Promise<void> {
  await vm.host.effects.run('file: remove restore plan', () => rm(join(dir, targetFile(opKey)), { force: true }))
}

/** Same operation, same id: a retry of `create` that lost its answer makes the same VM. */
export function derivedUuid(opKey: OpKey): string {
  const hex = createHash('sha256').update(`uuid\0${opKey}`).digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}
/** Locally administered, unicast. */
export function derivedMac(opKey: OpKey, n: number): string {
  const hex = createHash('sha256').update(`mac\0${opKey}\0${n}`).digest('hex')
  return ['52', '54', '00', hex.slice(0, 2), hex.slice(2, 4), hex.slice(4, 6)].join(':')
}
export function derivedSerial(opKey: OpKey, n: number): string {
  return `${createHash('sha256').update(`serial\0${opKey}`).digest('hex').slice(0, 16)}-${n}`
}

export function diskFormat(native: VmDescription | null, key: string): DiskDescription['format'] {
  return native?.disks.find((d) => d.key === key)?.format ?? 'qcow2'
}
