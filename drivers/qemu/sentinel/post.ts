import { readdir } from 'node:fs/promises'
import { toHoldfastError, type HoldfastError } from '../../../base/index.ts'
import { argumentsOf } from '../../transport/index.ts'
import type { OpContext } from '../../driver.ts'
import type { OpKey } from '../../values.ts'
import { isDeath } from '../effects.ts'
import type { Host } from '../host.ts'
import { readRounds } from '../round/record.ts'
import { isRunning, listVms, type Vm } from '../vm.ts'
import { Sentinel } from './sentinel.ts'

/** Milliseconds: a younger round may still be on its way to the sentinel that its opening starts. */
const OPENING = 120_000
/** Ours is asked to watch, and stops nothing: it never has to hurry. */
const LIMIT = 60_000

/**
 * watchPoints of the interface. A sentinel that only watches ends with the processes of its worker (a service that is
 * upgraded, a container), the point does not. Two for one point do no harm: both look, and giving up twice is once.
 */
export async function watchPoints(host: Host, ctx: OpContext): Promise<{ open: number; posted: number }> {
  let open = 0
  let posted = 0
  let failure: HoldfastError | undefined
  let alive: ReadonlySet<string> | undefined
  for await (const found of listVms(host)) {
    ctx.signal.throwIfAborted()
    try {
      if ('error' in found) throw found.error
      const rounds = await readRounds(found.vm, ctx.installation)
      open += rounds.length
      const grown = rounds.filter(({ createdAt }) => Date.parse(ctx.now()) - Date.parse(createdAt) >= OPENING)
      // Of a VM that does not run nothing grows.
      if (grown.length === 0 || !(await isRunning(found.vm))) continue
      alive ??= await watched()
      for (const { opKey } of grown) {
        if (alive.has(opKey)) continue
        await post(found.vm, opKey as OpKey)
        ctx.log.info({ vm: found.vm.ref.id, opKey }, 'nobody watched over an open point: a sentinel does again')
        posted += 1
      }
    } catch (error) {
      if (isDeath(error)) throw error
      // The other VMs first.
      failure ??= toHoldfastError(error)
    }
  }
  if (failure) throw failure
  return { open, posted }
}

async function post(vm: Vm, opKey: OpKey): Promise<void> {
  const sentinel = await Sentinel.start(vm, opKey, LIMIT)
  try {
    await sentinel.leaveWatching()
  } finally {
    sentinel.release()
  }
}

/** Operations that have a living sentinel on this machine, whoever started it. */
async function watched(): Promise<ReadonlySet<string>> {
  const found = new Set<string>()
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid)) continue
    // What may not be looked at is somebody else's.
    const [args] = await Promise.allSettled([argumentsOf(Number(pid))])
    if (args.status === 'rejected' || !/\/sentinel\/main\.[jt]s$/.test(args.value?.at(-2) ?? '')) continue
    const opKey = /"opKey":"([^"]+)"/.exec(args.value?.at(-1) ?? '')?.[1]
    if (opKey !== undefined) found.add(opKey)
  }
  return found
}
