import { describeError } from '../../base/index.ts'
import type { LedgerPass, VerifyLedger } from '../types.ts'

type Pass = Parameters<VerifyLedger['record']>[0][number]

/** Passes that are taken over, and handed on, at a time. */
const BATCH = 4096
const HAND_ON = 256

/**
 * The ledger of this host together with one that several hosts share: what others have read counts here, and what is read
 * here is handed on in batches. The shared one may be away: then this host goes by its own, which costs a second pass.
 */
export class SharedLedger implements VerifyLedger {
  readonly #own: VerifyLedger
  readonly #shared: VerifyLedger
  readonly #warn: (message: string) => void
  readonly #signal: AbortSignal
  #taken: Promise<void> | undefined
  #waiting: Pass[] = []
  #isAway = false

  constructor(own: VerifyLedger, shared: VerifyLedger, signal: AbortSignal, warn: (message: string) => void) {
    this.#own = own
    this.#shared = shared
    this.#signal = signal
    this.#warn = warn
  }

  async *passes(signal: AbortSignal): AsyncGenerator<LedgerPass> {
    this.#taken ??= this.#takeOver()
    await this.#taken
    yield* this.#own.passes(signal)
  }

  async record(passes: readonly Pass[]): Promise<void> {
    await this.#own.record(passes)
    this.#waiting.push(...passes)
    if (this.#waiting.length >= HAND_ON) await this.handOn()
  }

  /** What is still to be handed on. Never fails. */
  async handOn(): Promise<void> {
    const passes = this.#waiting.splice(0)
    if (passes.length > 0) await this.#unlessAway(() => this.#shared.record(passes))
  }

  async #takeOver(): Promise<void> {
    await this.#unlessAway(async () => {
      let batch: Pass[] = []
      for await (const { pack, l3Ms, l4Ms } of this.#shared.passes(this.#signal)) {
        if (l3Ms > 0) batch.push({ pack, level: 'L3', atMs: l3Ms })
        if (l4Ms > 0) batch.push({ pack, level: 'L4', atMs: l4Ms })
        if (batch.length < BATCH) continue
        await this.#own.record(batch)
        batch = []
      }
      if (batch.length > 0) await this.#own.record(batch)
    })
  }

  async #unlessAway(work: () => Promise<void>): Promise<void> {
    if (this.#isAway) return
    try {
      await work()
    } catch (error) {
      this.#signal.throwIfAborted()
      this.#isAway = true
      this.#warn(`the shared ledger of verify passes is left out: ${describeError(error)}`)
    }
  }
}
