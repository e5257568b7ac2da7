import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { HoldfastError, toHoldfastError } from '../../base/index.ts'
import { AgentClient, QmpClient, isGone, type ExecuteOptions, type QmpArguments, type QmpCaller } from '../qmp/index.ts'
import type { PowerState, VmRef } from '../values.ts'
import { runPaths, type RunPaths } from './command-line.ts'
import { readDescription, type VmDescription } from './description.ts'
import type { Host } from './host.ts'
import { findRunning } from './launch.ts'
import { KeyedLocks } from './locks.ts'

/** A VM as its folder describes it; whether it runs is asked each time. */
export interface Vm {
  readonly host: Host
  readonly ref: VmRef
  readonly dir: string
  readonly description: VmDescription
  readonly paths: RunPaths
}

export type Found = { readonly vm: Vm } | { readonly dir: string; readonly name: string; readonly error: HoldfastError }

/** Every folder of the endpoint that has a `vm.json`; what cannot be read is yielded with its error, never left out. */
export async function* listVms(host: Host): AsyncGenerator<Found, void, undefined> {
  let entries
  try {
    entries = await readdir(host.endpoint.address, { withFileTypes: true })
  } catch (error) {
    throw new HoldfastError('AccessDenied', `cannot list the VMs in ${host.endpoint.address}`, {
      cause: error,
      hint: 'Check that the folder exists and that the worker may read it.',
    })
  }
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (!entry.isDirectory()) continue
    const dir = join(host.endpoint.address, entry.name)
    try {
      yield { vm: vmAt(host, dir, await readDescription(dir)) }
    } catch (error) {
      const failure = toHoldfastError(error)
      if (failure.code !== 'NotFound') yield { dir, name: entry.name, error: failure }
    }
  }
}

export function vmAt(host: Host, dir: string, description: VmDescription): Vm {
  const ref: VmRef = {
    platform: 'qemu',
    endpoint: host.endpoint.id,
    scope: host.scope,
    id: description.uuid,
    name: description.name,
  }
  return { host, ref, dir, description, paths: runPaths(dir, description) }
}

/**
 * The VM of this id. Throws `NotFound` only if every folder could be read and none has it: what cannot be read now is
 * not proved absent (drivers.md R25).
 */
export async function locateVm(host: Host, id: string): Promise<Vm> {
  const found: Vm[] = []
  const unreadable: HoldfastError[] = []
  for await (const entry of listVms(host)) {
    if ('error' in entry) unreadable.push(entry.error)
    else if (entry.vm.ref.id === id) found.push(entry.vm)
  }
  const [vm, second] = found
  if (second)
    throw new HoldfastError('ForeignState', `two folders claim to be VM ${id}: ${vm?.dir} and ${second.dir}`, {
      hint: 'Give the copy a uuid of its own in its vm.json.',
    })
  if (vm) return vm
  if (unreadable[0]) throw unreadable[0]
  throw new HoldfastError('NotFound', `there is no VM ${id} in ${host.endpoint.address}`)
}

/** Where the scratch of this VM's rounds lies: a folder of its own, because what others keep there is not ours. */
export function scratchFolder(vm: Vm): string {
  return vm.host.scratch === null ? vm.dir : join(vm.host.scratch, vm.ref.id)
}

export async function isRunning(vm: Vm): Promise<boolean> {
  return (await findRunning(vm.dir, vm.description)) !== null
}

/** A monitor for the time of one piece of work. */
export interface Monitor extends QmpCaller {
  readonly client: QmpClient
  call<T>(command: string, args?: QmpArguments, options?: ExecuteOptions): Promise<T>
}

/** Held per socket by the whole process: drivers of several endpoints may reach the same VM. */
const locks = new KeyedLocks()

/**
 * Connects to the VM's monitor, does the work and disconnects: the monitor serves one client at a time, so no work may
 * be long. Throws `NotFound` with `data.stopped` if the VM does not run.
 */
export function withMonitor<T>(vm: Vm, work: (monitor: Monitor) => Promise<T>, signal?: AbortSignal): Promise<T> {
  const { effects } = vm.host
  const converse = async (): Promise<T> => {
    const peer = `the monitor of VM “${vm.description.name}”`
    let client: QmpClient
    try {
      client = await effects.run('qmp: connect', () =>
        QmpClient.connect(vm.paths.qmp, { peer, ...(signal && { signal }) }),
      )
    } catch (error) {
      throw isGone(error) && !(await isRunning(vm)) ? stopped(vm, error) : error
    }
    const forget = effects.atDeath(() => client.close())
    try {
      return await work({
        client,
        call: <R>(command: string, args?: QmpArguments, options?: ExecuteOptions) =>
          effects.run(`qmp: ${command}`, () =>
            client.execute<R>(command, args, { ...(signal && { signal }), ...options }),
          ),
      })
    } finally {
      forget()
      client.close()
    }
  }
  return locks.hold(vm.paths.qmp, converse, signal)
}

/** An agent conversation for the time of one piece of work; synchronised, so that no earlier answer reaches us. */
export function withAgent<T>(
  vm: Vm,
  work: (agent: AgentClient) => Promise<T>,
  options: { readonly limit?: number; readonly signal?: AbortSignal } = {},
): Promise<T> {
  const { effects } = vm.host
  const converse = async (): Promise<T> => {
    const agent = await effects.run('agent: connect', () =>
      AgentClient.connect(vm.paths.agent, {
        ...options,
        peer: `the agent of VM “${vm.description.name}”`,
        around: (what, exchange) => effects.run(`agent: ${what}`, exchange),
      }),
    )
    const forget = effects.atDeath(() => agent.close())
    try {
      return await work(agent)
    } finally {
      forget()
      agent.close()
    }
  }
  return locks.hold(vm.paths.agent, converse, options.signal)
}

export function stopped(vm: Vm, cause?: unknown): HoldfastError {
  return new HoldfastError('NotFound', `VM “${vm.description.name}” does not run`, {
    hint: 'Start it first.',
    data: { stopped: true },
    ...(cause !== undefined && { cause }),
  })
}
export function isStopped(error: unknown): boolean {
  const found = toHoldfastError(error)
  return found.code === 'NotFound' && found.data?.['stopped'] === true
}

/** QEMU's run state (`query-status`, qapi/run-state.json) in our words; `prelaunch` is told apart by the caller. */
export async function runState(monitor: QmpCaller): Promise<string> {
  return (await monitor.call<{ status: string }>('query-status')).status
}
export function powerOf(state: string): PowerState {
  switch (state) {
    case 'running':
      return 'running'
    case 'paused':
    case 'prelaunch':
    case 'debug':
      return 'paused'
    case 'suspended':
      return 'suspended'
    case 'io-error':
      return 'io-error'
    case 'shutdown':
    case 'guest-panicked':
      return 'stopped'
    default:
      return 'unknown'
  }
}
