import { setTimeout as sleep } from 'node:timers/promises'
import { HoldfastError, isHoldfastError } from '../../base/index.ts'
import type { OpContext } from '../driver.ts'
import type { Millis, PowerState } from '../values.ts'
import { isOurStart } from './discover.ts'
import { launch, stop } from './launch.ts'
import { isRunning, isStopped, powerOf, runState, withAgent, withMonitor, type Vm } from './vm.ts'

export async function driveTo(
  vm: Vm,
  ctx: OpContext,
  want: 'running' | 'stopped' | 'off',
  limit: Millis,
): Promise<{ before: PowerState; after: PowerState }> {
  const before = await powerState(vm, ctx)
  if (want === 'running') await run(vm, before)
  else if (want === 'off')
    await vm.host.effects.run('program: end qemu', () => stop(vm.dir, { how: 'quit', limit: Math.max(5_000, limit) }))
  else if (before !== 'stopped') await shutDown(vm, ctx, limit)
  return { before, after: await powerState(vm, ctx) }
}

/** `stopped` for a VM whose process a round of ours started and nobody has let run. */
export async function powerState(vm: Vm, ctx: OpContext): Promise<PowerState> {
  if (!(await isRunning(vm))) return 'stopped'
  try {
    const state = await withMonitor(vm, runState, ctx.signal)
    return state === 'prelaunch' && (await isOurStart(vm, ctx)) ? 'stopped' : powerOf(state)
  } catch (error) {
    if (isStopped(error)) return 'stopped'
    throw error
  }
}

/** A process that waits, for whatever reason, is told to go on; also one that a backup of the stopped VM holds open. */
async function run(vm: Vm, before: PowerState): Promise<void> {
  if (before === 'running') return
  if (await isRunning(vm)) await withMonitor(vm, (monitor) => monitor.call('cont'))
  else await vm.host.effects.run('program: start qemu', () => launch(vm.dir, { lifetime: 'detached' }))
}

/** Asks the agent, or presses the power button where there is none, and waits until the process has ended. */
async function shutDown(vm: Vm, ctx: OpContext, limit: Millis): Promise<void> {
  const deadline = Date.now() + limit
  await askGuest(vm, ctx)
  while (await isRunning(vm)) {
    ctx.signal.throwIfAborted()
    if (Date.now() >= deadline)
      throw new HoldfastError('GuestRefused', `VM “${vm.description.name}” did not shut down within ${limit} ms`)
    await sleep(100)
  }
}

async function askGuest(vm: Vm, ctx: OpContext): Promise<void> {
  try {
    // It answers nothing on success: the end of the process is the answer.
    await withAgent(vm, (agent) => agent.call('guest-shutdown', { mode: 'powerdown' }, { limit: 2_000 }), {
      limit: 2_000,
      signal: ctx.signal,
    })
  } catch (error) {
    ctx.signal.throwIfAborted()
    if (!isHoldfastError(error)) throw error
    if (error.code === 'HypervisorTimeout' || error.code === 'NetworkFailure') return
    await withMonitor(vm, (monitor) => monitor.call('system_powerdown'), ctx.signal)
  }
}
