import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { HoldfastError, describeError, formatDuration } from '../base/index.ts'
import { VM_FILE } from '../drivers/qemu/description.ts'
import type { Endpoint, EndpointId } from '../drivers/values.ts'
import { identify, isAlive, type Lifetime, type ProcessIdentity } from '../drivers/transport/index.ts'
import { buildGuest, type GuestOptions } from './guest/index.ts'
import { LabVm, makeVm, type LabVmSpec } from './vm.ts'

export interface LabPlace {
  /** `$HOLDFAST_HOME`. */
  readonly home: string
  readonly name: string
}

export interface LabUp extends LabPlace, GuestOptions {
  /** How many VMs with default disks (the third one boots from its own disk), or each by itself. Default 1. */
  readonly vms?: number | readonly LabVmSpec[]
  /** `parent` (default): the VMs end with this process · `detached`: they stay until `labDown`. */
  readonly lifetime?: Lifetime
}

/** What `lab.json` holds. */
interface LabRecord {
  readonly v: 1
  readonly name: string
  /** Scope of the endpoint: the same as long as the lab's folder exists. */
  readonly scope: string
  /** The process that keeps this lab running; null: nobody, its VMs are detached. */
  readonly keeper: ProcessIdentity | null
}

/** A lab that was started; its VMs run. Disposing ends them and keeps the folder. */
export interface Lab extends AsyncDisposable {
  readonly place: LabPlace
  readonly folder: string
  /** Endpoint of the `qemu` driver over this lab's VMs. */
  readonly endpoint: Endpoint
  /** The VMs that `labUp` was asked for, in that order. */
  readonly vms: readonly LabVm[]
}

function labFolder(place: LabPlace): string {
  if (!/^[a-z0-9][a-z0-9-]{0,23}$/.test(place.name))
    throw new HoldfastError('InvalidRequest', `“${place.name}” is no name for a lab`, {
      hint: 'Use a-z, 0-9 and -, at most 24.',
    })
  return join(place.home, 'lab', place.name)
}

function vmsFolder(place: LabPlace): string {
  return join(labFolder(place), 'vms')
}

/**
 * Makes what is missing, starts what does not run and waits until each guest answers. May be called again. Throws
 * `AlreadyRunning` if another living process keeps this lab, `PackageMissing` with the command that helps.
 */
export async function labUp(options: LabUp): Promise<Lab> {
  const { home, name, lifetime = 'parent', progress = (): void => undefined } = options
  const place = { home, name }
  const specs = typeof options.vms === 'object' ? options.vms : defaultVms(options.vms ?? 1)
  const folder = labFolder(place)
  await mkdir(vmsFolder(place), { recursive: true })
  const record = await claimLab(place, lifetime)
  const guest = await buildGuest(options)
  const vms: LabVm[] = []
  const startedHere: LabVm[] = []
  try {
    for (const spec of specs) {
      const dir = join(vmsFolder(place), spec.name)
      if (!existsSync(join(dir, VM_FILE))) {
        // Left over from an interrupted run: without a description it is no VM.
        await rm(dir, { recursive: true, force: true })
        progress(`VM ${spec.name}: making its disks`)
        await makeVm(dir, guest, spec)
      }
      const vm = await LabVm.open(dir)
      if ((await vm.running()) === null) startedHere.push(vm)
      await vm.start(lifetime)
      vms.push(await LabVm.open(dir))
    }
    await Promise.all(
      vms.map(async (vm) => {
        const started = Date.now()
        await vm.ready()
        progress(`VM ${vm.name}: the guest answers after ${formatDuration(Date.now() - started)}`)
      }),
    )
  } catch (error) {
    await endAll(startedHere, error)
    await writeRecord(place, { ...record, keeper: null })
    throw error
  }
  return {
    place,
    folder,
    endpoint: endpointOf(place, record.scope),
    vms,
    [Symbol.asyncDispose]: async () => {
      await labDown(place)
    },
  }
}

export interface LabVmStatus {
  readonly name: string
  readonly dir: string
  readonly pid: number | null
  readonly guest: 'answers' | 'silent' | 'off'
  readonly problem: string | null
}
export interface LabStatus {
  readonly name: string
  readonly folder: string
  readonly endpoint: Endpoint | null
  readonly keeper: number | null
  readonly vms: readonly LabVmStatus[]
}

/** Looks and changes nothing. A VM whose description cannot be read is listed with the problem. */
export async function labStatus(place: LabPlace): Promise<LabStatus> {
  const record = await readRecord(place)
  const keeper = record?.keeper && (await isAlive(record.keeper)) ? record.keeper.pid : null
  const vms = await Promise.all((await vmFolders(place)).map(vmStatus))
  const endpoint = record && endpointOf(place, record.scope)
  return { name: place.name, folder: labFolder(place), endpoint, keeper, vms }
}

export interface LabDown {
  /** VMs that ran and were ended. */
  readonly stopped: readonly string[]
  readonly removed: boolean
}

/**
 * Ends every QEMU process of the lab, restored and drill VMs included, whoever started it; with `remove` its folder
 * goes too. May be called again, also for a lab that never was. One VM that does not end does not keep the others: all
 * are tried, then the first error is thrown.
 */
export async function labDown(place: LabPlace, options: { readonly remove?: boolean } = {}): Promise<LabDown> {
  const stopped: string[] = []
  const errors: unknown[] = []
  for (const dir of await vmFolders(place)) {
    try {
      const vm = await LabVm.open(dir)
      if ((await vm.running()) !== null) stopped.push(vm.name)
      await vm.stop('quit')
    } catch (error) {
      errors.push(error)
    }
  }
  if (errors.length > 0) throw errors[0]
  const record = await readRecord(place)
  if (record !== null) await writeRecord(place, { ...record, keeper: null })
  const removed = options.remove === true && existsSync(labFolder(place))
  if (removed) await rm(labFolder(place), { recursive: true })
  return { stopped, removed }
}

/** VMs named `lab-1`, `lab-2`, …; every third one boots from its own disk. */
function defaultVms(count: number): LabVmSpec[] {
  if (!Number.isInteger(count) || count < 1 || count > 16)
    throw new HoldfastError('InvalidRequest', `a lab has 1 to 16 VMs, not ${count}`, {
      hint: 'Give --vms a number from 1 to 16.',
    })
  return Array.from({ length: count }, (_, i) => ({ name: `lab-${i + 1}`, boots: i % 3 === 2 ? 'disk' : 'kernel' }))
}

function endpointOf(place: LabPlace, scope: string): Endpoint {
  return {
    id: `lab-${place.name}` as EndpointId,
    platform: 'qemu',
    address: vmsFolder(place),
    credentialRef: '',
    identity: null,
    options: { scope },
  }
}

async function vmStatus(dir: string): Promise<LabVmStatus> {
  const name = dir.split('/').at(-1) ?? dir
  try {
    const vm = await LabVm.open(dir)
    const running = await vm.running()
    if (running === null) return { name: vm.name, dir, pid: null, guest: 'off', problem: null }
    try {
      await using _agent = await vm.agent(2_000)
      return { name: vm.name, dir, pid: running.pid, guest: 'answers', problem: null }
    } catch (error) {
      return { name: vm.name, dir, pid: running.pid, guest: 'silent', problem: describeError(error) }
    }
  } catch (error) {
    return { name, dir, pid: null, guest: 'off', problem: describeError(error) }
  }
}

async function vmFolders(place: LabPlace): Promise<string[]> {
  const folder = vmsFolder(place)
  return (await foldersIn(folder)).map((name) => join(folder, name)).filter((dir) => existsSync(join(dir, VM_FILE)))
}

async function foldersIn(folder: string): Promise<string[]> {
  if (!existsSync(folder)) return []
  return (await readdir(folder, { withFileTypes: true })).filter((e) => e.isDirectory()).map((e) => e.name)
}

async function claimLab(place: LabPlace, lifetime: Lifetime): Promise<LabRecord> {
  const before = await readRecord(place)
  if (before?.keeper && before.keeper.pid !== process.pid && (await isAlive(before.keeper)))
    throw new HoldfastError(
      'AlreadyRunning',
      `the lab “${place.name}” is kept running by process ${before.keeper.pid}`,
      {
        hint: `End it there, or use another name: --name.`,
      },
    )
  const keeper = lifetime === 'parent' ? await identify(process.pid) : null
  const record: LabRecord = { v: 1, name: place.name, scope: before?.scope ?? randomUUID(), keeper }
  await writeRecord(place, record)
  return record
}

async function readRecord(place: LabPlace): Promise<LabRecord | null> {
  const file = join(labFolder(place), 'lab.json')
  return existsSync(file) ? (JSON.parse(await readFile(file, 'utf8')) as LabRecord) : null
}

async function writeRecord(place: LabPlace, record: LabRecord): Promise<void> {
  const file = join(labFolder(place), 'lab.json')
  await writeFile(`${file}.${process.pid}`, `${JSON.stringify(record, null, 2)}\n`)
  await rename(`${file}.${process.pid}`, file)
}

async function endAll(vms: readonly LabVm[], cause: unknown): Promise<void> {
  for (const vm of vms) {
    try {
      await vm.stop('kill')
    } catch (error) {
      throw new AggregateError([cause, error], `the lab did not start, and VM ${vm.name} did not end`)
    }
  }
}
