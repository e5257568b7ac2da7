import { open } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { HoldfastError, bytes, describeError, formatBytes, toHoldfastError } from '../../../base/index.ts'
import { diskNames } from '../../names.ts'
import { BlockGraph } from '../../qmp/index.ts'
import type { OpContext } from '../../driver.ts'
import type { TargetVm } from '../../facets.ts'
import type { DiskKey, VmRef } from '../../values.ts'
import { diskNodes, formatNode } from '../command-line.ts'
import { resolveFile, type DiskDescription, type VmDescription } from '../description.ts'
import type { Host } from '../host.ts'
import { launch, stop } from '../launch.ts'
import { readPlan, writePlan, writeVm } from '../target/index.ts'
import { isRunning, runState, withMonitor, type Monitor, type Vm } from '../vm.ts'
import { goOn } from './attend.ts'
import { instantVm } from './ours.ts'

const pollMs = 300
const flushLimitMs = 5 * 60_000

interface StreamJob {
  readonly device: string
  readonly len: number
  readonly offset: number
  /** By an error, or for a moment because its disk is drained. */
  readonly paused: boolean
  /** `cont` makes it ok again of a job that goes on standing still. */
  readonly 'io-status': 'ok' | 'failed' | 'nospace'
}

/**
 * One `block-stream` a disk, named by the operation: whoever comes after a crash finds it, and what it has copied is in
 * the overlay, so that another one goes on behind it. A VM that is off is held by a process that does not run it.
 */
export async function migrateInstant(host: Host, ctx: OpContext, target: TargetVm): Promise<VmRef> {
  const vm = await instantVm(host, ctx, target)
  const plan = await readPlan(vm.dir, target.opKey)
  if (!plan) throw new HoldfastError('NotFound', `there is no restore under way of “${vm.description.name}”`)
  if (plan.state === 'swapped') return vm.ref
  if (!(await isRunning(vm)))
    await host.effects.run('program: start qemu', () => launch(vm.dir, { lifetime: 'detached', paused: true }))
  try {
    await copyAll(vm, target, ctx)
  } catch (error) {
    // Who was only told to stop comes again, and goes on with the same process.
    if (!ctx.signal.aborted) await endIfOurs(vm).catch((inner: unknown) => reportLeft(ctx, vm, inner))
    throw error
  }
  await endIfOurs(vm, ctx.signal)
  const now = (await instantVm(host, ctx, target)).description
  await writeVm(host, vm.dir, standingAlone(now))
  await writePlan({ host }, vm.dir, { ...plan, after: standingAlone(plan.after), state: 'swapped' })
  return vm.ref
}

async function copyAll(vm: Vm, target: TargetVm, ctx: OpContext): Promise<void> {
  const failed = new Set<string>()
  for (;;) {
    const left = await withMonitor(vm, (monitor) => advance(vm, monitor, target, ctx, failed), ctx.signal)
    if (left === 0) break
    await sleep(pollMs, undefined, { signal: ctx.signal })
  }
  await makeDurable(vm, ctx)
}

/**
 * A stream flushes nothing: what it has copied is in the page cache, and where it lies in QEMU's memory. To open a node anew
 * is the one flush of the monitor that says when it has failed (block.c, bdrv_reopen_prepare); the options are those that
 * the node has. The guest stands still meanwhile, so what is in the page cache is written before.
 */
async function makeDurable(vm: Vm, ctx: OpContext): Promise<void> {
  const disks = vm.description.disks.filter(({ backing }) => backing !== undefined)
  for (const { file } of disks) {
    await using handle = await open(resolveFile(vm.dir, file), 'r')
    await handle.sync()
    ctx.progress({ what: 'making the copy durable' })
  }
  const reopen = async (monitor: Monitor): Promise<void> => {
    for (const disk of disks)
      await monitor.call('blockdev-reopen', { options: [formatNode(disk, null)] }, { limit: flushLimitMs })
  }
  await withMonitor(vm, reopen, ctx.signal)
}

/** Nobody has let it run: the process was ours, for the copy. */
async function endIfOurs(vm: Vm, signal?: AbortSignal): Promise<void> {
  if (!(await isRunning(vm))) return
  if ((await withMonitor(vm, runState, signal)) !== 'prelaunch') return
  await vm.host.effects.run('program: end qemu', () => stop(vm.dir, { how: 'quit', limit: 30_000 }))
}

function reportLeft(ctx: OpContext, vm: Vm, error: unknown): void {
  ctx.log.warn({ vm: vm.description.name, error: describeError(error) }, 'the process of a copy could not be ended')
}

function standingAlone(d: VmDescription): VmDescription {
  return { ...d, disks: d.disks.map(({ backing: _, ...disk }) => disk) }
}

/**
 * Starts what has to be copied; says how many disks still need what is served. A job that meets an error stands still, so
 * that nothing of it is lost, and goes on when it is asked to. None is left concluded: QEMU 7.2 dies when it is asked for
 * its nodes while a concluded stream still holds its filter.
 */
async function advance(
  vm: Vm,
  monitor: Monitor,
  target: TargetVm,
  ctx: OpContext,
  failed: Set<string>,
): Promise<number> {
  // Asked before the guest goes on: `cont` takes the status of a job that met an error, and lets it stand still.
  const jobs = await monitor.call<readonly StreamJob[]>('query-block-jobs')
  await goOn(monitor)
  const graph = await BlockGraph.read(monitor)
  let left = 0
  for (const [n, disk] of vm.description.disks.entries()) {
    if (disk.backing === undefined) continue
    const id = diskNames(target.opKey, n).job
    const job = jobs.find(({ device }) => device === id)
    if (job === undefined) left += await begin(monitor, graph, disk, id)
    else {
      left += 1
      if (job['io-status'] !== 'ok' && failed.has(id)) throw copyFailed(vm, disk, job)
      // Of an earlier attempt, whose cause may be gone: once more.
      if (!job.paused && job['io-status'] === 'ok') tell(ctx, disk, job)
      else if (await resume(monitor, id)) {
        if (failed.has(id)) throw copyFailed(vm, disk, job)
        failed.add(id)
      }
    }
  }
  return left
}

/** false: it did not stand still by an error; it goes on, or has ended. */
async function resume(monitor: Monitor, id: string): Promise<boolean> {
  try {
    await monitor.call('block-job-resume', { device: id })
    return true
  } catch (error) {
    if (['HypervisorRefused', 'NotFound'].includes(toHoldfastError(error).code)) return false
    throw error
  }
}

/** 0: the disk stands alone. */
async function begin(monitor: Monitor, graph: BlockGraph, disk: DiskDescription, id: string): Promise<0 | 1> {
  const node = diskNodes(disk.key)
  if (graph.node(node.source) === undefined) return 0
  if (graph.chain(node.format).some(({ name }) => name === node.source)) {
    await monitor.call('block-stream', { 'job-id': id, device: node.format, 'on-error': 'stop' })
    return 1
  }
  await monitor.call('blockdev-del', { 'node-name': node.source })
  return 0
}

function tell(ctx: OpContext, disk: DiskDescription, job: StreamJob): void {
  const done = job.offset
  ctx.progress({
    what: `${disk.key}: ${formatBytes(done)} of ${formatBytes(job.len)} looked through`,
    disk: disk.key as DiskKey,
    offset: bytes(done),
  })
}

function copyFailed(vm: Vm, disk: DiskDescription, job: StreamJob): HoldfastError {
  const isFull = job['io-status'] === 'nospace'
  const why = isFull ? 'there is no space left' : 'a read or write failed'
  return new HoldfastError(
    isFull ? 'CapacityExhausted' : 'SourceReadFailed',
    `copying ${disk.key} of “${vm.description.name}” stands still at ${formatBytes(job.offset)}: ${why} in ${vm.dir}`,
    { native: { code: 'block-stream', text: job['io-status'] } },
  )
}
