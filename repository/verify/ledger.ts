import type { LedgerPass, VerifyLedger } from '../types.ts'
import { lastReadMs } from './coverage.ts'
import type { ListedPack } from './pack-listing.ts'

const HOUR = 3_600_000
/** Bucket of packs that were never read. */
const NEVER = -1

/** Which packs a budget reaches: those whose last pass is oldest. */
export interface ScrubPlan {
  /** Packs that are due, and those that the budget leaves for later. */
  readonly count: number
  readonly later: number
  /** Packs that an earlier attempt has judged, and that the budget has paid already. */
  readonly judged: number
  /** Packs whose lock keeps them for longer than their age. */
  readonly young: number
  /** The oldest last pass of a pack that is due; 0 if one was never read. */
  readonly oldestMs: number
  /** To be asked once for each pack, in the order of names. `pass`: as the ledger has it. */
  isDue(pack: ListedPack, pass: LedgerPass | undefined): boolean
}

/**
 * §12.1: oldest first, within a budget of bytes. One reading of listing and ledger side by side counts bytes by the hour of
 * the last pass, so that memory does not follow the number of packs; within the hour that the budget ends in, packs go in the
 * order of their names. At least one pack is due.
 */
export async function planScrub(
  pages: AsyncIterable<readonly ListedPack[]>,
  options: {
    readonly level: 'L3' | 'L4'
    readonly budget: number
    readonly ledger: VerifyLedger | undefined
    /** Packs that are younger are left out. Unix milliseconds. */
    readonly before: number
    /** Packs with a pass since then count for the budget and are not due again. Unix milliseconds. */
    readonly since?: number | undefined
    readonly signal: AbortSignal
  },
): Promise<ScrubPlan> {
  const { level, budget, ledger, before, since, signal } = options
  const hours = new Map<number, { bytes: number; packs: number }>()
  let young = 0
  let judged = 0
  let spent = 0
  await using cursor = LedgerCursor.over(ledger, signal)
  for await (const page of pages) {
    for (const pack of page) {
      const last = await cursor.at(pack.sha)
      if (pack.modified > before) {
        young += 1
        continue
      }
      if (isJudged(last, level, since)) {
        judged += 1
        spent += pack.size
        continue
      }
      const hour = hourOf(last, level)
      const seen = hours.get(hour) ?? { bytes: 0, packs: 0 }
      hours.set(hour, { bytes: seen.bytes + pack.size, packs: seen.packs + 1 })
    }
  }
  const sorted = [...hours].sort(([a], [b]) => a - b)
  let left = Math.max(0, budget - spent)
  const atLeast = judged === 0 ? 1 : 0
  let count = 0
  let end = sorted.length
  for (const [index, [, { bytes, packs }]] of sorted.entries()) {
    if (bytes > left) {
      end = index
      break
    }
    left -= bytes
    count += packs
  }
  const partial = sorted[end]
  const [limit, mean] = partial === undefined ? [Infinity, 0] : [partial[0], partial[1].bytes / partial[1].packs]
  // At least one: a budget below the size of a pack would otherwise never get anywhere.
  const some = partial === undefined ? 0 : Math.max(count === 0 ? atLeast : 0, Math.floor(left / mean))
  const all = sorted.reduce((sum, [, { packs }]) => sum + packs, 0)
  let taken = 0
  return {
    count: count + some,
    later: all - count - some,
    young,
    judged,
    oldestMs: Math.max(0, (sorted[0]?.[0] ?? 0) * HOUR),
    isDue({ size, modified }, pass) {
      if (modified > before || isJudged(pass, level, since)) return false
      const hour = hourOf(pass, level)
      if (hour !== limit) return hour < limit
      if (size > left && !(taken === 0 && count === 0 && atLeast > 0)) return false
      left -= size
      taken += 1
      return true
    },
  }
}

function hourOf(pass: LedgerPass | undefined, level: 'L3' | 'L4'): number {
  const last = lastMs(pass, level)
  return last === 0 ? NEVER : Math.floor(last / HOUR)
}

function lastMs(pass: LedgerPass | undefined, level: 'L3' | 'L4'): number {
  if (pass === undefined) return 0
  return level === 'L4' ? pass.l4Ms : lastReadMs(pass)
}

/** Whether a pass is of the verify that began then. `since` undefined: none is. */
export function isJudged(pass: LedgerPass | undefined, level: 'L3' | 'L4', since: number | undefined): boolean {
  return since !== undefined && lastMs(pass, level) >= since
}

/** Looks packs up in a ledger that are asked for in the order of names. */
export class LedgerCursor implements AsyncDisposable {
  readonly #passes: AsyncIterator<LedgerPass> | undefined
  #next: LedgerPass | undefined
  #started = false

  private constructor(passes: AsyncIterator<LedgerPass> | undefined) {
    this.#passes = passes
  }

  static over(ledger: VerifyLedger | undefined, signal: AbortSignal): LedgerCursor {
    return new LedgerCursor(ledger?.passes(signal)[Symbol.asyncIterator]())
  }

  async at(pack: string): Promise<LedgerPass | undefined> {
    if (!this.#started) await this.#advance()
    this.#started = true
    while (this.#next !== undefined && this.#next.pack < pack) await this.#advance()
    return this.#next?.pack === pack ? this.#next : undefined
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#passes?.return?.(undefined)
  }

  async #advance(): Promise<void> {
    const step = await this.#passes?.next()
    this.#next = step === undefined || step.done === true ? undefined : step.value
  }
}
