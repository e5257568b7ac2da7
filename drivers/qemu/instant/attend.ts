import { stat } from 'node:fs/promises'
import { bytes } from '../../../base/index.ts'
import type { OpContext } from '../../driver.ts'
import type { InstantState, TargetVm } from '../../facets.ts'
import { resolveFile } from '../description.ts'
import type { Host } from '../host.ts'
import { isRunning, isStopped, powerOf, runState, withMonitor, type Monitor, type Vm } from '../vm.ts'
import { instantVm } from './ours.ts'

interface BlockStats {
  readonly stats: { readonly rd_bytes: number; readonly wr_bytes: number }
  readonly qdev?: string
}

export async function attendInstant(host: Host, ctx: OpContext, target: TargetVm): Promise<InstantState> {
  const vm = await instantVm(host, ctx, target)
  const overlayBytes = bytes(await overlaysOf(vm))
  const off: InstantState = { power: 'stopped', readBytes: bytes(0), writtenBytes: bytes(0), overlayBytes }
  if (!(await isRunning(vm))) return off
  try {
    return await withMonitor(vm, async (monitor) => ({ ...(await look(monitor)), overlayBytes }), ctx.signal)
  } catch (error) {
    if (isStopped(error)) return off
    throw error
  }
}

async function look(monitor: Monitor): Promise<Omit<InstantState, 'overlayBytes'>> {
  await goOn(monitor)
  // Devices only: nodes are counted once more.
  const stats = (await monitor.call<readonly BlockStats[]>('query-blockstats')).filter((one) => one.qdev !== undefined)
  const sum = (of: (one: BlockStats) => number): number => stats.reduce((total, one) => total + of(one), 0)
  return {
    power: powerOf(await runState(monitor)),
    readBytes: bytes(sum(({ stats: { rd_bytes } }) => rd_bytes)),
    writtenBytes: bytes(sum(({ stats: { wr_bytes } }) => wr_bytes)),
  }
}

/** It falls back as long as the server is away: the next look tries again. */
export async function goOn(monitor: Monitor): Promise<void> {
  if ((await runState(monitor)) === 'io-error') await monitor.call('cont')
}

async function overlaysOf(vm: Vm): Promise<number> {
  let total = 0
  for (const { file } of vm.description.disks) total += (await stat(resolveFile(vm.dir, file))).blocks * 512
  return total
}
