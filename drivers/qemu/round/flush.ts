import { describeError, isHoldfastError } from '../../../base/index.ts'
import type { AgentClient } from '../../qmp/index.ts'
import type { OpContext } from '../../driver.ts'
import type { Vm } from '../vm.ts'

const limitMs = 60_000

/**
 * Has the guest write its dirty pages while everybody in it goes on. A freeze writes them too, but with every writer
 * standing still: a guest that had just written much would stand as long as its disk takes for it.
 *
 * An improvement, not a condition: a guest that does not know sync(1), or is not done in a minute, is frozen all the same.
 */
export async function flushGuest(vm: Vm, agent: AgentClient, ctx: OpContext): Promise<void> {
  try {
    await agent.exec('/bin/sh', ['-c', 'sync'], limitMs, ctx.signal)
  } catch (error) {
    ctx.signal.throwIfAborted()
    if (!isHoldfastError(error)) throw error
    ctx.log.info({ vm: vm.ref.id, error: describeError(error) }, 'dirty pages of the guest were not written beforehand')
  }
}
