import { describeError, isHoldfastError, type HoldfastError } from '../../base/index.ts'
import { datastoreOf } from '../datastore.ts'
import type { OpContext } from '../driver.ts'
import type { DiskRef, Finding, PowerState, VmFacts } from '../values.ts'
import { resolveFile } from './description.ts'
import { describedDisks, foreignOverlays, inspectDisks } from './disks.ts'
import type { Host } from './host.ts'
import { readOwner } from './owner.ts'
import { readRounds } from './round/record.ts'
import { follows } from './standby/record.ts'
import { isRunning, isStopped, listVms, powerOf, runState, withAgent, withMonitor, type Vm } from './vm.ts'

/**
 * Every VM of the endpoint, or those named; one that cannot be read is yielded with a blocking finding. A standby of ours
 * is a copy of a VM and none by itself until it has taken over: it is told of only by name.
 */
export async function* discoverVms(
  host: Host,
  ctx: OpContext,
  ids: readonly string[] | undefined,
): AsyncGenerator<VmFacts, void, undefined> {
  const wanted = ids && new Set(ids)
  for await (const found of listVms(host)) {
    ctx.signal.throwIfAborted()
    if ('error' in found) yield unreadable(host, found)
    else if (wanted ? wanted.has(found.vm.ref.id) : !(await follows(found.vm))) yield await factsOf(found.vm, ctx)
  }
}

export async function factsOf(vm: Vm, ctx: OpContext): Promise<VmFacts> {
  const findings: Finding[] = []
  const note = (code: string, severity: Finding['severity'], error: unknown, hint: string): void => {
    findings.push({
      code,
      severity,
      disk: null,
      message: describeError(error),
      hint: isHoldfastError(error) ? error.hint : hint,
    })
  }
  const described = await describedDisks(vm)
  findings.push(...described.findings)
  let live: Live = { power: 'stopped', disks: described.disks, overlays: 0 }
  try {
    if (await isRunning(vm)) live = await look(vm, ctx)
  } catch (error) {
    ctx.signal.throwIfAborted()
    if (!isStopped(error)) {
      live = { ...live, power: 'unknown' }
      note('vm-unreadable', 'blocking', error, 'Look at the VM and its monitor.')
    }
  }
  let owner = null
  try {
    owner = await readOwner(vm)
  } catch (error) {
    note('owner-unreadable', 'blocking', error, 'Look at the owner mark in the folder of the VM.')
  }
  return {
    vm: vm.ref,
    power: live.power,
    tags: vm.description.tags,
    disks: await placed(vm, live.disks),
    guest: await agentOf(vm, live.power, ctx),
    foreignSnapshots: live.overlays,
    owner,
    findings,
  }
}

async function placed(vm: Vm, disks: readonly DiskRef[]): Promise<DiskRef[]> {
  const files = new Map(vm.description.disks.map(({ key, file }) => [key, resolveFile(vm.dir, file)]))
  return await Promise.all(
    disks.map(async (disk) => {
      const file = files.get(disk.key)
      const datastore = file === undefined ? undefined : await datastoreOf(vm.ref.endpoint, file)
      return datastore === undefined ? disk : { ...disk, datastore }
    }),
  )
}

interface Live {
  readonly power: PowerState
  readonly disks: readonly DiskRef[]
  readonly overlays: number
}

function look(vm: Vm, ctx: OpContext): Promise<Live> {
  return withMonitor(
    vm,
    async (monitor) => {
      const state = await runState(monitor)
      const disks = await inspectDisks(vm, monitor)
      return {
        power: state === 'prelaunch' && (await isOurStart(vm, ctx)) ? 'stopped' : powerOf(state),
        disks: disks.map((d) => d.ref),
        overlays: disks.flatMap(foreignOverlays).length,
      }
    },
    ctx.signal,
  )
}

/** A QEMU that a round of ours started without letting the guest run: for its owner the VM is off. */
export async function isOurStart(vm: Vm, ctx: OpContext): Promise<boolean> {
  return (await readRounds(vm, ctx.installation)).some((r) => r.startedByUs)
}

async function agentOf(vm: Vm, power: PowerState, ctx: OpContext): Promise<VmFacts['guest']> {
  if (power !== 'running') return { agent: power === 'stopped' ? 'absent' : 'unknown', os: null }
  try {
    const os = await withAgent(vm, (agent) => agent.osInfo({ limit: 2_000 }), { limit: 1_000, signal: ctx.signal })
    return { agent: 'running', os: os['pretty-name'] ?? os.id ?? null }
  } catch (error) {
    ctx.signal.throwIfAborted()
    if (!isHoldfastError(error)) throw error
    // One that refuses a question is there; one that is silent may be starting, stuck or not installed.
    if (error.code === 'GuestRefused' || (error.code === 'GuestAgentDisabled' && error.native))
      return { agent: 'running', os: null }
    return { agent: error.code === 'GuestAgentDisabled' ? 'absent' : 'unknown', os: null }
  }
}

function unreadable(
  host: Host,
  { dir, name, error }: { readonly dir: string; readonly name: string; readonly error: HoldfastError },
): VmFacts {
  return {
    vm: { platform: 'qemu', endpoint: host.endpoint.id, scope: host.scope, id: `unreadable:${name}`, name },
    power: 'unknown',
    tags: [],
    disks: [],
    guest: { agent: 'unknown', os: null },
    foreignSnapshots: 0,
    owner: null,
    findings: [
      {
        code: 'vm-unreadable',
        severity: 'blocking',
        disk: null,
        message: `${dir}: ${error.message}`,
        hint: error.hint,
      },
    ],
  }
}
