import { setTimeout as sleep } from 'node:timers/promises'
import { HoldfastError, describeError, isHoldfastError } from '../../../base/index.ts'
import type { AgentClient } from '../../qmp/index.ts'
import type { OpContext } from '../../driver.ts'
import type { Consistency, GuestHook, PointRequest } from '../../values.ts'
import { withAgent, type Vm } from '../vm.ts'
import { armDeadline, disarmDeadline, type Deadline } from './deadline.ts'

export interface Quiesced<T> {
  readonly result: T
  readonly consistency: Consistency
  /** Why it is less than what was asked for; null: it is not. */
  readonly degraded: string | null
  /** From sending the freeze to the confirmed thaw; null: never frozen. */
  readonly frozenMs: number | null
}

/**
 * Hooks → freeze → `cut` → thaw (drivers.md §5.2). `cut` runs in any case exactly once, frozen or not, unless quiescing
 * failed and `onQuiesceFailure` is 'fail'. When it returns or throws, the guest is thawed, or the error is `GuestStuck`.
 * From the freeze on `ctx.signal` is not looked at: `freezeLimit` bounds the time.
 */
export async function quiesced<T>(
  vm: Vm,
  request: PointRequest,
  ctx: OpContext,
  steps: { readonly beforeFreeze: () => Promise<void>; readonly cut: () => Promise<T> },
): Promise<Quiesced<T>> {
  const notes: string[] = []
  const freezing = await prepare(vm, request, ctx, notes)
  if (notes.length > 0 && freezing === null && request.want !== 'crash' && request.onQuiesceFailure === 'fail')
    throw refused(vm, notes.join('; '))
  if (freezing === null) {
    const result = await steps.cut()
    return { result, consistency: 'crash', degraded: notes.join('; ') || null, frozenMs: null }
  }
  await steps.beforeFreeze()
  const frozen = await freezeAround(vm, request, freezing, steps.cut)
  await afterwards(vm, request, ctx, notes)
  if (frozen.problem !== null) notes.unshift(frozen.problem)
  const hooked = request.hooks.some((h) => h.when === 'before-freeze')
  if (request.want === 'application' && !hooked) notes.push('no application hook is set for this VM')
  const reached =
    frozen.problem !== null ? 'crash' : hooked && request.want === 'application' ? 'application' : 'filesystem'
  return { result: frozen.result, consistency: reached, degraded: notes.join('; ') || null, frozenMs: frozen.frozenMs }
}

interface Freezing {
  readonly deadline: Deadline | null
}

/** Everything that an agent refuses once it is frozen. null: go on without a freeze; `notes` say why. */
async function prepare(vm: Vm, request: PointRequest, ctx: OpContext, notes: string[]): Promise<Freezing | null> {
  if (request.want === 'crash') return null
  try {
    return await withAgent(
      vm,
      async (agent) => {
        if ((await agent.freezeStatus()) === 'frozen') {
          await agent.thaw()
          notes.push('the guest was frozen already and was thawed first')
        }
        await runHooks(agent, request, 'before-freeze', ctx, notes)
        const mounts = (await agent.filesystems()).map((f) => f.mountpoint)
        try {
          return { deadline: await armDeadline(agent, request.freezeLimit, mounts, ctx.signal) }
        } catch (error) {
          if (!vm.host.freezeWithoutDeadline) throw error
          return { deadline: null }
        }
      },
      { signal: ctx.signal },
    )
  } catch (error) {
    ctx.signal.throwIfAborted()
    if (!isHoldfastError(error) || !quiesceCodes.has(error.code)) throw error
    notes.push(error.message)
    return null
  }
}
const quiesceCodes: ReadonlySet<string> = new Set([
  'QuiesceFailed',
  'GuestAgentDisabled',
  'GuestRefused',
  'HypervisorTimeout',
  'NetworkFailure',
  'ProtocolMismatch',
])

interface Outcome<T> {
  readonly result: T
  readonly frozenMs: number | null
  /** Why the cut is not known to have happened while frozen. */
  readonly problem: string | null
}

async function freezeAround<T>(
  vm: Vm,
  request: PointRequest,
  { deadline }: Freezing,
  cut: () => Promise<T>,
): Promise<Outcome<T>> {
  const started = performance.now()
  const left = (): number => Math.max(0, request.freezeLimit - (performance.now() - started))
  let thawed: Promise<number> | undefined
  const thaw = (): Promise<number> => (thawed ??= thawGuest(vm, request.freezeLimit + 10_000))
  let limiter: NodeJS.Timeout | undefined
  try {
    const frozen = await freeze(vm, request.freezeLimit)
    let problem = typeof frozen === 'string' ? frozen : null
    if (problem !== null && request.onQuiesceFailure === 'fail') throw refused(vm, problem)
    limiter = setTimeout(() => void Promise.allSettled([thaw()]), left())
    const result = await cut()
    const end = performance.now()
    const limitPassed = thawed !== undefined
    const count = await thaw()
    if (limitPassed) problem ??= `the freeze limit of ${request.freezeLimit} ms passed before the switch`
    if (deadline !== null && end >= deadline.firesAt)
      problem ??= 'the deadline in the guest may have thawed it before the switch'
    // Fewer than were frozen: something in the guest thawed the others in between (lab/README.md).
    if (typeof frozen === 'number' && count < frozen)
      problem ??= `only ${count} of ${frozen} file systems were still frozen after the switch`
    if (problem !== null && request.onQuiesceFailure === 'fail') throw refused(vm, problem)
    return { result, frozenMs: Math.ceil(performance.now() - started), problem }
  } catch (error) {
    await thawAfter(thaw, error)
    throw error
  } finally {
    clearTimeout(limiter)
  }
}

function refused(vm: Vm, problem: string): HoldfastError {
  return new HoldfastError('QuiesceFailed', `VM “${vm.description.name}” cannot be quiesced: ${problem}`)
}

/** A thaw that fails is worse than what came before it, and is reported together with it. */
async function thawAfter(thaw: () => Promise<unknown>, first: unknown): Promise<void> {
  try {
    await thaw()
  } catch (error) {
    if (!isHoldfastError(error) || error === first) throw error
    throw new HoldfastError(error.code, `${error.message} (after: ${describeError(first)})`, {
      hint: error.hint,
      cause: first,
    })
  }
}

/** How many file systems are frozen, or why none is known to be; parts of the guest may be frozen all the same. */
async function freeze(vm: Vm, limit: number): Promise<number | string> {
  try {
    return await withAgent(vm, (agent) => agent.freeze({ limit }), { limit })
  } catch (error) {
    if (!isHoldfastError(error) || !quiesceCodes.has(error.code)) throw error
    return error.message
  }
}

/**
 * Thaws and asks until the agent says `thawed`; returns how many file systems it thawed. An agent that does not answer
 * may be stuck in the freeze, which the guest's own deadline ends. Throws `GuestStuck` after `limit` milliseconds.
 */
export async function thawGuest(vm: Vm, limit: number): Promise<number> {
  const until = Date.now() + limit
  const attempt = async (agent: AgentClient): Promise<number> => {
    const count = await agent.thaw()
    const status = await agent.freezeStatus()
    if (status === 'thawed') return count
    throw new HoldfastError('GuestRefused', `the guest is ${status} after the thaw`)
  }
  for (;;) {
    try {
      return await withAgent(vm, attempt, { limit: Math.min(2_000, limit) })
    } catch (error) {
      if (!isHoldfastError(error) || !quiesceCodes.has(error.code)) throw error
      if (Date.now() >= until)
        throw new HoldfastError(
          'GuestStuck',
          `VM “${vm.description.name}” does not confirm that it is thawed: ${error.message}`,
          {
            cause: error,
          },
        )
    }
    await sleep(100)
  }
}

/** Takes back the deadline and runs the hooks after the thaw. */
async function afterwards(vm: Vm, request: PointRequest, ctx: OpContext, notes: string[]): Promise<void> {
  await withAgent(vm, async (agent) => {
    try {
      await disarmDeadline(agent)
    } catch (error) {
      // It ends by itself, and the next round replaces it; thawing a thawed guest harms nobody.
      ctx.log.warn({ vm: vm.ref.id, error: describeError(error) }, 'the thaw deadline could not be taken back')
    }
    await runHooks(agent, request, 'after-thaw', ctx, notes)
  })
}

async function runHooks(
  agent: AgentClient,
  request: PointRequest,
  when: GuestHook['when'],
  ctx: OpContext,
  notes: string[],
): Promise<void> {
  for (const hook of request.hooks.filter((h) => h.when === when)) {
    let why: string
    try {
      const result = await agent.exec(hook.path, hook.args, hook.timeout, ctx.signal)
      if (result.exit === 0) continue
      why = `hook ${hook.path} ended with ${result.exit}: ${(result.err || result.out).trim().slice(-500)}`
    } catch (error) {
      ctx.signal.throwIfAborted()
      why = `hook ${hook.path} failed: ${describeError(error)}`
    }
    if (hook.onFailure === 'fail') throw new HoldfastError('QuiesceFailed', why, { data: { hook: hook.path } })
    notes.push(why)
  }
}
