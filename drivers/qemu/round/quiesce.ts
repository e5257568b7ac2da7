import { setTimeout as sleep } from 'node:timers/promises'
import { HoldfastError, describeError, isHoldfastError } from '../../../base/index.ts'
import type { AgentClient } from '../../qmp/index.ts'
import type { OpContext } from '../../driver.ts'
import type { Consistency, GuestHook, PointRequest } from '../../values.ts'
import { isDeath } from '../effects.ts'
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

/** What the caller brings: the switch, and what must be at hand for it before the guest is frozen. */
export interface CutSteps<T> {
  /** Gets ready for the switch (connects, looks), and is done when `work` is. */
  readonly hold: <R>(work: (cut: () => Promise<T>) => Promise<R>) => Promise<R>
  readonly beforeFreeze: () => Promise<void>
}

/**
 * Hooks → freeze → cut → thaw (drivers.md §5.2). The cut happens exactly once, frozen or not, unless quiescing failed
 * and `onQuiesceFailure` is 'fail'. When it returns or throws, the guest is thawed, or the error is `GuestStuck`. From
 * the freeze on `ctx.signal` is not looked at: `freezeLimit` bounds the time.
 */
export async function quiesced<T>(
  vm: Vm,
  request: PointRequest,
  ctx: OpContext,
  steps: CutSteps<T>,
): Promise<Quiesced<T>> {
  const notes: string[] = []
  const freezing = await prepare(vm, request, ctx, notes)
  if (notes.length > 0 && freezing === null && request.want !== 'crash' && request.onQuiesceFailure === 'fail')
    throw refused(vm, notes.join('; '))
  ctx.signal.throwIfAborted()
  if (freezing === null) {
    const result = await steps.hold((cut) => cut())
    return { result, consistency: 'crash', degraded: notes.join('; ') || null, frozenMs: null }
  }
  const frozen = await steps.hold(async (cut) => {
    await steps.beforeFreeze()
    return await freezeAround(vm, request, freezing, cut)
  })
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

/** One conversation for freeze and thaw: another one would cost its synchronisation while the guest stands still. */
async function freezeAround<T>(
  vm: Vm,
  request: PointRequest,
  { deadline }: Freezing,
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

/** What is known of the guest from the freeze to the confirmed thaw. */
class FrozenGuest {
  frozenMs: number | null = null
  /** The first error, which a failing thaw must not hide. */
  failed: unknown
  readonly #vm: Vm
  readonly #limit: number
  #started = 0
  #count: number | null = null
  #agent: AgentClient | undefined
  #thawing: Promise<number | null> | undefined
  #late = false
  #limiter: NodeJS.Timeout | undefined

  constructor(vm: Vm, limit: number) {
    this.#vm = vm
    this.#limit = limit
  }

  /** Whether a freeze was asked for at all; before that no part of the guest can be frozen. */
  get wasAsked(): boolean {
    return this.#agent !== undefined
  }

  /** null: frozen. Otherwise why not; parts of the guest may be frozen all the same. */
  async freeze(agent: AgentClient): Promise<string | null> {
    this.#started = performance.now()
    this.#agent = agent
    try {
      this.#count = await agent.freeze({ limit: this.#limit })
    } catch (error) {
      if (!isHoldfastError(error) || !quiesceCodes.has(error.code)) throw error
      return error.message
    }
    this.#limiter = setTimeout(
      () => {
        this.#late = true
        void Promise.allSettled([this.#thaw()])
      },
      Math.max(0, this.#limit - (performance.now() - this.#started)),
    )
    return null
  }

  /** After the switch. null: it was frozen to the end; otherwise why that is not known. */
  async thaw(): Promise<string | null> {
    const wasLate = this.#late
    const thawed = await this.#thaw()
    if (wasLate) return `the freeze limit of ${this.#limit} ms passed before the switch`
    if (thawed === null || this.#count === null) return 'the thaw was not confirmed'
    // Fewer than were frozen: something in the guest thawed the others in between (lab/README.md).
    if (thawed < this.#count) return `only ${thawed} of ${this.#count} file systems were still frozen after the switch`
    return null
  }

  /** Whatever happened: returns with a thawed guest, or throws `GuestStuck`. Asks on a conversation of its own. */
  async settle(): Promise<void> {
    clearTimeout(this.#limiter)
    if (this.#agent === undefined || isDeath(this.failed)) return
    if (this.#thawing !== undefined && (await this.#thawing) !== null) return
    try {
      await thawGuest(this.#vm, this.#limit + 10_000)
    } catch (error) {
      if (!isHoldfastError(error)) throw error
      const after = this.failed === undefined ? '' : ` (after: ${describeError(this.failed)})`
      throw new HoldfastError(error.code, `${error.message}${after}`, { hint: error.hint, cause: this.failed ?? error })
    }
  }

  /** How many file systems it thawed; null: no answer, which `settle` makes good. */
  #thaw(): Promise<number | null> {
    return (this.#thawing ??= this.#thawOnce())
  }

  async #thawOnce(): Promise<number | null> {
    const agent = this.#agent
    if (!agent) return null
    try {
      const count = await agent.thaw({ limit: 5_000 })
      this.frozenMs = Math.ceil(performance.now() - this.#started)
      return (await agent.freezeStatus({ limit: 5_000 })) === 'thawed' ? count : null
    } catch (error) {
      if (!isHoldfastError(error) || !quiesceCodes.has(error.code)) throw error
      return null
    }
  }
}

function refused(vm: Vm, problem: string): HoldfastError {
  return new HoldfastError('QuiesceFailed', `VM “${vm.description.name}” cannot be quiesced: ${problem}`)
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
