import {
  CancellationScope,
  condition,
  defineSignal,
  defineUpdate,
  isCancellation,
  setCurrentDetails,
  setHandler,
  sleep,
} from '@temporalio/workflow'
import type { SerializedError } from '../../base/index.ts'
import { errorOf, workflowFailure } from './failures.ts'
import { defaults } from './options.ts'
import { cut } from './steps.ts'
import { cancelNoteSignal, heldRefusal, holdSignal, pauseUpdate, resumeUpdate, retryNowUpdate } from './contract.ts'
import type { Hold, Requester, Tuning } from './contract.ts'

const pause = defineUpdate<void, [Requester]>(pauseUpdate)
const resume = defineUpdate<void, [Requester]>(resumeUpdate)
const retryNow = defineUpdate<void, [Requester]>(retryNowUpdate)
const hold = defineSignal<[Hold | null]>(holdSignal)
const cancelNote = defineSignal<[Requester]>(cancelNoteSignal)

/** A cancelled mover says good-bye within its heartbeat interval; one that does not is not waited for. */
const cancelGraceMs = 6_000
const quickProbes = 30

/**
 * What people can do to a run: pause and resume it, tell it to go on, cancel it with a word. Made first thing in a
 * workflow, so that no update meets a run without handlers.
 */
export class RunControl {
  #paused: Requester | null = null
  /** Stands still with the run that started it. */
  #held: Hold | null = null
  /** Stands still until its window opens, or somebody says that it goes on now. */
  #outside: Hold | null = null
  /** A point in time is open: it may not stay so for ever. */
  #isOpen = false
  /** Why a pause is refused from now on. */
  #closed: string | null = null
  #note: Requester | null = null
  #wakeUps = 0
  #stage = 'starting'
  /** Time in which the run stood still, up to the last change of that. */
  #stoodMs = 0
  #standsSinceMs: number | null = null
  readonly #waiting = new Map<string, SerializedError>()
  readonly #pausable = new Set<CancellationScope>()
  readonly #operatorWaitMs: number
  readonly #reprobeMs: number

  constructor(tuning: Tuning) {
    this.#operatorWaitMs = tuning.operatorWaitMs ?? defaults.operatorWaitMs
    this.#reprobeMs = tuning.reprobeMs ?? defaults.reprobeMs
    setHandler(pause, (by) => this.#pause(by), { validator: (by: Requester) => this.#mayPause(by) })
    setHandler(resume, () => this.#resume(), { validator: (by: Requester) => this.#mayResume(by) })
    setHandler(retryNow, () => this.#wake(), { validator: (by: Requester) => this.#mayRetry(by) })
    setHandler(hold, (by) => this.#hold(by))
    setHandler(cancelNote, (by) => {
      this.#note = by
    })
  }

  /** Who cancelled and why, if they said so. */
  get note(): Requester | null {
    return this.#note
  }

  /** Who paused it, or holds it, or why its window is closed; null: it goes on. */
  get stopped(): Hold | null {
    return this.#paused ?? this.#held ?? this.#outside
  }

  /** Why it stands still outside its window; null: it does not. */
  get outside(): Hold | null {
    return this.#outside
  }

  /** Its window has ended, or null: it is open. */
  standOutside(why: Hold | null): void {
    this.#outside = why
    this.#show()
  }

  /** The stage shown on the run: one line of Markdown. */
  stage(text: string): void {
    this.#stage = text
    this.#show()
  }

  /** From now on the run cannot be paused: what follows is short and must not stop half-way. */
  close(why: string): void {
    this.#closed = why
    this.#tally()
  }
  reopen(): void {
    this.#closed = null
    this.#isOpen = false
    this.#tally()
  }
  /** From now on a point in time is open, until `reopen`. */
  opened(): void {
    this.#isOpen = true
  }

  /**
   * Passes at once, or when a paused run is resumed. Throws PointBroken with `givenBack` if it stands still for longer than
   * its point in time may stay open.
   */
  async gate(): Promise<void> {
    while (this.#stands) {
      if (this.#mustGiveBack)
        throw workflowFailure('PointBroken', 'it stands still for longer than its point in time may stay open', {
          data: { givenBack: true },
        })
      await condition(() => !this.#stands || this.#mustGiveBack)
    }
  }

  /** What is being committed comes to its end, whatever the run that started it does meanwhile. */
  get #stands(): boolean {
    return this.stopped !== null && (this.#closed === null || this.#paused !== null)
  }

  /** A clock that stops while the run stands still: a night outside its window uses up nobody's patience. */
  #workingMs(): number {
    this.#tally()
    return Date.now() - this.#stoodMs
  }

  #tally(): void {
    const now = Date.now()
    if (this.#standsSinceMs !== null) this.#stoodMs += now - this.#standsSinceMs
    this.#standsSinceMs = this.#stands ? now : null
  }

  get #mustGiveBack(): boolean {
    return this.#isOpen && this.#closed === null && this.#held?.releases === true
  }

  /**
   * Runs work that a pause may stop at any time and that goes on where it stood when it is called again. A cancel of
   * the run is passed on, and waited for no longer than the grace time.
   */
  async pausable<T>(work: () => Promise<T>): Promise<T> {
    for (;;) {
      await this.gate()
      const scope = new CancellationScope({ cancellable: true })
      this.#pausable.add(scope)
      try {
        return await withinGrace(scope.run(work))
      } catch (thrown) {
        const stoppedByPause = isCancellation(thrown) && !CancellationScope.current().consideredCancelled
        if (!stoppedByPause || !scope.consideredCancelled) throw thrown
      } finally {
        this.#pausable.delete(scope)
      }
    }
  }

  /**
   * Repeats a step that needs a person, or that failed for longer than its own retries last: waits, says what to do,
   * looks again by itself, and goes on at once when told to. Other errors, and those that outlast the waiting time
   * since the first of them, are thrown. `limitMs`: where what the run was told is too long.
   */
  async patiently<T>(what: string, work: () => Promise<T>, limitMs = Number.POSITIVE_INFINITY): Promise<T> {
    const mostMs = Math.min(limitMs, this.#operatorWaitMs)
    let waitedMs = 0
    for (let probes = 0; ; probes += 1) {
      const begunMs = this.#workingMs()
      try {
        return await work()
      } catch (thrown) {
        const error = errorOf(thrown)
        if (error === undefined || !isWorthWaiting(error)) throw thrown
        const endedMs = this.#workingMs()
        // A step that comes to need a person has worked until then. All others had failed for as long as their own
        // retries last, which is hours.
        if (probes > 0 && error.retry !== 'operator') waitedMs += endedMs - begunMs
        if (waitedMs >= mostMs) throw thrown
        await this.#wait(what, error, probes, mostMs)
        waitedMs += this.#workingMs() - endedMs
      }
    }
  }

  async #wait(what: string, error: SerializedError, probes: number, mostMs: number): Promise<void> {
    const pauseMs = Math.min(mostMs, probes < quickProbes ? this.#reprobeMs : 5 * this.#reprobeMs)
    const wakeUp = this.#wakeUps
    this.#waiting.set(what, error)
    this.#show()
    try {
      const summary = cut(`waiting: ${what}: ${error.message}`, 200)
      await condition(() => this.#wakeUps !== wakeUp, pauseMs, { summary })
      await this.gate()
    } finally {
      this.#waiting.delete(what)
      this.#show()
    }
  }

  #pause(by: Requester): void {
    this.#paused = by
    for (const scope of this.#pausable) scope.cancel()
    this.#show()
  }

  /** What is being committed comes to its end: that takes seconds. */
  #hold(by: Hold | null): void {
    this.#held = by
    if (by !== null && this.#closed === null) for (const scope of this.#pausable) scope.cancel()
    this.#show()
  }

  /** Of one that is paused outside its window the pause ends; once more, and it goes on now. */
  #resume(): void {
    if (this.#paused !== null) this.#paused = null
    else this.#outside = null
    this.#wake()
  }

  #wake(): void {
    this.#wakeUps += 1
    this.#show()
  }

  #mayPause(by: Requester): void {
    checkRequester(by)
    if (this.#paused !== null) throw refuse(`the run is paused already, by ${this.#paused.user}`)
    if (this.#closed !== null) throw refuse(this.#closed)
  }

  #mayResume(by: Requester): void {
    checkRequester(by)
    if (this.#paused === null && this.#held !== null) throw refuse(heldRefusal)
    if (this.stopped === null && this.#waiting.size === 0) throw refuse('the run is neither paused nor waiting')
  }

  #mayRetry(by: Requester): void {
    checkRequester(by)
    if (this.#waiting.size === 0) throw refuse('no step of the run waits for a person')
  }

  #show(): void {
    this.#tally()
    const lines = [this.#stage]
    if (this.#paused !== null) lines.push(`**Paused** by ${this.#paused.user}: ${this.#paused.reason}`)
    if (this.#outside !== null) lines.push(`**Outside its window**: ${this.#outside.reason}`)
    if (this.#held !== null) lines.push(`**Stands still** with its plan: ${this.#held.user}: ${this.#held.reason}`)
    for (const [what, error] of this.#waiting) {
      lines.push(`**Waiting** at ${what}: ${error.message} (${error.code}). ${error.hint}`)
    }
    setCurrentDetails(lines.join('\n\n'))
  }
}

/** Passes on what `work` ends with, but after a cancel waits for it only for the grace time. */
async function withinGrace<T>(work: Promise<T>): Promise<T> {
  const graceOver = CancellationScope.current().cancelRequested.catch((cancelled: unknown) =>
    CancellationScope.nonCancellable(async () => {
      await sleep(cancelGraceMs, { summary: 'waiting for the movers to stop' })
      throw cancelled
    }),
  )
  return Promise.race([work, graceOver])
}

function isWorthWaiting(error: SerializedError): boolean {
  // A bug does not go away by waiting.
  if (error.code === 'Internal') return false
  return error.retry === 'operator' || error.retry === 'transient' || error.retry === 'after'
}

function refuse(message: string): Error {
  return workflowFailure('InvalidRequest', message)
}

function checkRequester(by: unknown): void {
  const { user, reason } = (typeof by === 'object' && by !== null ? by : {}) as Partial<Requester>
  if (typeof user !== 'string' || user === '' || user.length > 200) throw refuse('the request does not say who asks')
  if (typeof reason !== 'string' || reason.length > 2000) throw refuse('the request does not say why')
}
