import type { Endpoint } from '../../values.ts'

/** What the sentinel is told at its start, as its one argument (JSON). */
export interface SentinelTask {
  readonly opKey: string
  /** Where the VM is, for the one that watches over a round; an endpoint carries no secret. */
  readonly endpoint: Endpoint
  readonly dir: string
  /** Monitors of the VM; the first that greets is used. */
  readonly monitors: readonly string[]
  readonly agent: string
  /** Milliseconds that the guest may be stopped or frozen before the sentinel acts though its parent lives. */
  readonly limit: number
  /** File that exists as long as the round does. */
  readonly record: string
}

/**
 * Lines from the parent. `stopping` and `freezing` come before the act; `released` when the guest runs again, thawed;
 * `watch` asks to stay until the round's record is gone and to keep its scratch from stopping the guest; `done` ends it,
 * after it has released what it still holds. The end of the stream without either means that the parent has died.
 */
export type SentinelWord = 'stopping' | 'freezing' | 'released' | 'watch' | 'done'
