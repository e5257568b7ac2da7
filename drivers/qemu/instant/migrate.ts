import { setTimeout as sleep } from 'node:timers/promises'
import { HoldfastError, bytes, formatBytes } from '../../../base/index.ts'
import { diskNames } from '../../names.ts'
import { BlockGraph } from '../../qmp/index.ts'
import type { OpContext } from '../../driver.ts'
import type { TargetVm } from '../../facets.ts'
import type { DiskKey, VmRef } from '../../values.ts'
import { diskNodes } from '../command-line.ts'
import type { DiskDescription, VmDescription } from '../description.ts'
import type { Host } from '../host.ts'
import { launch, stop } from '../launch.ts'
import { readPlan, writePlan, writeVm } from '../target/index.ts'
import { isRunning, runState, withMonitor, type Monitor, type Vm } from '../vm.ts'
import { goOn } from './attend.ts'
import { instantVm } from './ours.ts'

const pollMs = 300

interface StreamJob {
  readonly device: string
  readonly len: number
  readonly offset: number
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
  const failed = new Set<string>()
  for (;;) {
    const left = await withMonitor(vm, (monitor) => advance(vm, monitor, target, ctx, failed), ctx.signal)
    if (left === 0) break
    await sleep(pollMs, undefined, { signal: ctx.signal })
  }
  const now = (await instantVm(host, ctx, target)).description
  await writeVm(host, vm.dir, standingAlone(now))
  // Nobody has let it run: the process was ours, for the copy.
  if ((await withMonitor(vm, runState, ctx.signal)) === 'prelaunch')
    await host.effects.run('program: end qemu', () => stop(vm.dir, { how: 'quit', limit: 30_000 }))
  await writePlan({ host }, vm.dir, { ...plan, after: standingAlone(plan.after), state: 'swapped' })
  return vm.ref
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
  await goOn(monitor)
  const jobs = await monitor.call<readonly StreamJob[]>('query-block-jobs')
  const graph = await BlockGraph.read(monitor)
  let left = 0
  for (const [n, disk] of vm.description.disks.entries()) {
    if (disk.backing === undefined) continue
    const id = diskNames(target.opKey, n).job
    const job = jobs.find(({ device }) => device === id)
    if (job === undefined) left += await begin(monitor, graph, disk, id)
    else {
      left += 1
      if (job['io-status'] === 'ok') tell(ctx, disk, job)
      // Of an earlier attempt, whose cause may be gone: once more.
      else if (failed.has(id)) throw copyFailed(vm, disk, job)
      else {
        failed.add(id)
        await monitor.call('block-job-resume', { device: id })
      }
    }
  }
  return left
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
