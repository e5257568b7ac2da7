import { HoldfastError, describeError, isHoldfastError } from '../../../base/index.ts'
import type { AgentClient } from '../../qmp/index.ts'
import type { OpContext } from '../../driver.ts'
import type { Consistency, GuestHook, PointRequest } from '../../values.ts'
import { isDeath } from '../effects.ts'
import { withAgent, type Vm } from '../vm.ts'
import { armDeadline, disarmDeadline, type Deadline } from './deadline.ts'
import { flushGuest } from './flush.ts'
import { FrozenGuest, quiesceCodes } from './frozen.ts'

export interface Quiesced<T> {
  readonly result: T
  readonly consistency: Consistency
  /** Why it is less than what was asked for; null: it is not. */
  readonly degraded: string | null
  /** From sending the freeze to the confirmed thaw; null: never frozen. */
  readonly frozenMs: number | null
}

/** What the caller brings: the switch, and what must be at hand for it before the guest is frozen. */
export interface CutSteps<T> {
  /** Gets ready for the switch (connects, looks), and is done when `work` is. */
  readonly hold: <R>(work: (cut: () => Promise<T>) => Promise<R>) => Promise<R>
  readonly beforeFreeze: () => Promise<void>
}

/**
 * Hooks → freeze → cut → thaw (drivers.md §5.2). The cut happens exactly once, frozen or not, unless quiescing failed
 * and `onQuiesceFailure` is 'fail'. When it returns or throws, the guest is thawed, or the error is `GuestStuck`. From
 * the freeze on `ctx.signal` is not looked at: `freezeLimit` bounds the time. Once a hook before the freeze was started,
 * those after the thaw run too, however the rest ends: what one has put on hold, another lets go.
 */
export async function quiesced<T>(
  vm: Vm,
  request: PointRequest,
  ctx: OpContext,
  steps: CutSteps<T>,
): Promise<Quiesced<T>> {
  const begun: Begun = { owed: false, notes: [] }
  let quiet: Quiesced<T>
  try {
    quiet = await cutQuietly(vm, request, ctx, steps, begun)
  } catch (error) {
    if (begun.owed && !isDeath(error)) await releaseHooks(vm, request, ctx)
    throw error
  }
  if (begun.owed) await afterwards(vm, request, ctx, begun.notes)
  return { ...quiet, degraded: begun.notes.join('; ') || null }
}

/** What has happened so far, known also to whoever sees only the error. */
interface Begun {
  /** A hook before the freeze was started, or a deadline armed: what comes after the thaw is owed. */
  owed: boolean
  readonly notes: string[]
}

async function cutQuietly<T>(
  vm: Vm,
  request: PointRequest,
  ctx: OpContext,
  steps: CutSteps<T>,
  begun: Begun,
): Promise<Quiesced<T>> {
  const { notes } = begun
  const freezing = await prepare(vm, request, ctx, begun)
  if (notes.length > 0 && freezing === null && request.want !== 'crash' && request.onQuiesceFailure === 'fail')
    throw refused(vm, notes.join('; '))
  ctx.signal.throwIfAborted()
  if (freezing === null) {
    const result = await steps.hold((cut) => cut())
    return { result, consistency: 'crash', degraded: null, frozenMs: null }
  }
  const { hooked } = freezing
  if (request.want === 'application' && hooked !== 'well') {
    // What has failed has been noted already.
    if (hooked === 'none') notes.push('no application hook is set for this VM')
    if (request.onQuiesceFailure === 'fail') throw refused(vm, notes.join('; '))
  }
  const frozen = await steps.hold(async (cut) => {
    await steps.beforeFreeze()
    return await freezeAround(vm, request, freezing, cut)
  })
  if (frozen.problem !== null) notes.unshift(frozen.problem)
  const isAtRest = hooked === 'well' && request.want === 'application'
  const reached = frozen.problem !== null ? 'crash' : isAtRest ? 'application' : 'filesystem'
  return { result: frozen.result, consistency: reached, degraded: null, frozenMs: frozen.frozenMs }
}

/** How the hooks ended: a point is application consistent only if each of them went well. */
type Hooked = 'none' | 'well' | 'failed'

interface Freezing {
  readonly deadline: Deadline | null
  readonly hooked: Hooked
}

/** Everything that an agent refuses once it is frozen. null: go on without a freeze; `notes` say why. */
async function prepare(vm: Vm, request: PointRequest, ctx: OpContext, begun: Begun): Promise<Freezing | null> {
  const { notes } = begun
  if (request.want === 'crash') return null
  try {
    return await withAgent(
      vm,
      async (agent) => {
        if ((await agent.freezeStatus()) === 'frozen') {
          await agent.thaw()
          notes.push('the guest was frozen already and was thawed first')
        }
        await flushGuest(vm, agent, ctx)
        begun.owed = request.hooks.some((h) => h.when === 'before-freeze')
        const hooked = await runHooks(agent, request, 'before-freeze', ctx, notes)
        // Once more, and quickly now: what came during the first, and what the hooks have made.
        await flushGuest(vm, agent, ctx)
        const mounts = (await agent.filesystems()).map((f) => f.mountpoint)
        const deadline = await armed(vm, agent, request, mounts, ctx)
        begun.owed = true
        return { deadline, hooked }
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

/** null: the endpoint freezes guests in which none can be armed. */
async function armed(
  vm: Vm,
  agent: AgentClient,
  request: PointRequest,
  mounts: readonly string[],
  ctx: OpContext,
): Promise<Deadline | null> {
  try {
    return await armDeadline(agent, request.freezeLimit, mounts, ctx.signal)
  } catch (error) {
    if (!vm.host.freezeWithoutDeadline) throw error
    return null
  }
}

interface Outcome<T> {
  readonly result: T
  readonly frozenMs: number | null
  /** Why the cut is not known to have happened while frozen. */
  readonly problem: string | null
}

/** One conversation for freeze and thaw: another one would cost its synchronisation while the guest stands still. */
async function freezeAround<T>(
  vm: Vm,
  request: PointRequest,
  { deadline }: Pick<Freezing, 'deadline'>,
  cut: () => Promise<T>,
): Promise<Outcome<T>> {
  const guest = new FrozenGuest(vm, request.freezeLimit)
  try {
    return await withAgent(
      vm,
      async (agent) => {
        let problem = await guest.freeze(agent)
        if (problem !== null && request.onQuiesceFailure === 'fail') throw refused(vm, problem)
        const result = await cut()
        const end = performance.now()
        problem ??= await guest.thaw()
        if (deadline !== null && end >= deadline.firesAt)
          problem ??= 'the deadline in the guest may have thawed it before the switch'
        if (problem !== null && request.onQuiesceFailure === 'fail') throw refused(vm, problem)
        return { result, frozenMs: guest.frozenMs, problem }
      },
      { limit: request.freezeLimit },
    )
  } catch (error) {
    guest.failed = error
    const isMute = !guest.wasAsked && isHoldfastError(error) && quiesceCodes.has(error.code)
    if (!isMute || request.onQuiesceFailure === 'fail') throw error
    return { result: await cut(), frozenMs: null, problem: error.message }
  } finally {
    await guest.settle()
  }
}

function refused(vm: Vm, problem: string): HoldfastError {
  return new HoldfastError('QuiesceFailed', `VM “${vm.description.name}” cannot be quiesced: ${problem}`)
}

/** Takes back the deadline and runs the hooks after the thaw. */
async function afterwards(vm: Vm, request: PointRequest, ctx: OpContext, notes: string[]): Promise<void> {
  try {
    await withAgent(vm, async (agent) => {
      try {
        await disarmDeadline(agent)
      } catch (error) {
        // It ends by itself, and the next round replaces it; thawing a thawed guest harms nobody.
        ctx.log.warn({ vm: vm.ref.id, error: describeError(error) }, 'the thaw deadline could not be taken back')
      }
      await runHooks(agent, request, 'after-thaw', ctx, notes)
    })
  } catch (error) {
    const must = request.hooks.some((h) => h.when === 'after-thaw' && h.onFailure === 'fail')
    if (must || !isHoldfastError(error) || !quiesceCodes.has(error.code)) throw error
    notes.push(`after the thaw: ${error.message}`)
  }
}

/** The round has failed for another reason, which is thrown; that the hooks fail as well is for the log. */
async function releaseHooks(vm: Vm, request: PointRequest, ctx: OpContext): Promise<void> {
  try {
    await afterwards(vm, request, { ...ctx, signal: new AbortController().signal }, [])
  } catch (error) {
    if (isDeath(error)) throw error
    ctx.log.warn({ vm: vm.ref.id, error: describeError(error) }, 'a hook after the thaw failed, after the round had')
  }
}

async function runHooks(
  agent: AgentClient,
  request: PointRequest,
  when: GuestHook['when'],
  ctx: OpContext,
  notes: string[],
): Promise<Hooked> {
  const hooks = request.hooks.filter((h) => h.when === when)
  let hooked: Hooked = hooks.length === 0 ? 'none' : 'well'
  for (const hook of hooks) {
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
    hooked = 'failed'
  }
  return hooked
}
