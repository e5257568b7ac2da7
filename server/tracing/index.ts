/** Traces for OpenTelemetry: each run that has ended is told to a collector, where one is named. Off by default. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { LiveRuns } from '../../api/index.ts'
import { describeError, isHoldfastError } from '../../base/index.ts'
import type { Catalog } from '../../catalog/index.ts'
import type { TracingConfig } from './config.ts'
import { traceOf } from './spans.ts'

export { tracingConfig, type TracingConfig } from './config.ts'

export interface TraceDeps {
  readonly catalog: Catalog
  readonly live: Pick<LiveRuns, 'runbook'>
  readonly version: string
  readonly now: () => number
  readonly log: { info(fields: object, message: string): void; warn(fields: object, message: string): void }
  /** Default: the global one. */
  readonly fetch?: typeof fetch
}

export interface TraceKeeper {
  /** Tells what has ended since the last time; whether all of it was taken. */
  tick(signal: AbortSignal): Promise<boolean>
  /** Until the signal. */
  run(signal: AbortSignal): Promise<void>
}

const everyMs = 5_000
/** While nothing is taken. */
const awayMs = 60_000
const answersMs = 10_000
/** Traces are for looking, not for keeping: of a collector that stays away the oldest are dropped. */
const mostWaiting = 1_000
const mostTold = 10_000
/** A server that starts learns of runs that ended while it was away. */
const endedWithinMs = 86_400_000
const page = 500

/** `config` null: never tells anything. */
export function traceKeeper(config: TracingConfig | null, deps: TraceDeps): TraceKeeper {
  const { catalog, live, version, now, log } = deps
  const told = new Set<string>()
  const waiting = new Set<string>()
  let seq = catalog.events.newest()
  let isAway = false

  const gather = (): void => {
    for (;;) {
      const found = catalog.events.after(seq, page)
      for (const { type, subject } of found) {
        if (type !== 'run' || subject === null || told.has(subject)) continue
        const ended = catalog.runs.find(subject)?.endedMs ?? null
        if (ended !== null && now() - ended < endedWithinMs) waiting.add(subject)
      }
      seq = found.at(-1)?.seq ?? seq
      if (found.length < page) break
    }
    let dropped = 0
    for (const runId of waiting) {
      if (waiting.size <= mostWaiting) break
      waiting.delete(runId)
      dropped += 1
    }
    if (dropped > 0) log.warn({ dropped }, 'traces of runs were dropped: the collector takes none')
  }

  /** Whether it is done with: taken, refused for good, or of a run whose history is nowhere. */
  const tell = async (
    { url, headers, resource }: TracingConfig,
    runId: string,
    signal: AbortSignal,
  ): Promise<boolean> => {
    const run = catalog.runs.find(runId)
    if (run === undefined) return true
    const book = await live.runbook(run)
    // The catalog knows before the engine has closed it.
    if (book.endedMs === null) return false
    const response = await (deps.fetch ?? fetch)(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(traceOf(book, run, { resource, version })),
      redirect: 'error',
      signal: AbortSignal.any([signal, AbortSignal.timeout(answersMs)]),
    })
    await response.body?.cancel()
    if (response.ok) return true
    if (response.status >= 500 || response.status === 429 || response.status === 408)
      throw new Error(`the collector answered ${response.status}`)
    log.warn({ run: runId, status: response.status }, 'the collector refuses the trace of a run')
    return true
  }

  const tick = async (signal: AbortSignal): Promise<boolean> => {
    if (config === null) return true
    gather()
    for (const runId of waiting) {
      if (signal.aborted) return false
      try {
        if (!(await tell(config, runId, signal))) continue
      } catch (error) {
        if (!isHoldfastError(error) || error.code !== 'NotFound') {
          // Once, and once when it is back: a collector is no part of what is promised.
          if (!isAway && !signal.aborted) log.warn({ error: describeError(error) }, 'traces are not taken; they wait')
          isAway = true
          return false
        }
      }
      waiting.delete(runId)
      told.add(runId)
      for (const first of told) {
        if (told.size <= mostTold) break
        told.delete(first)
      }
    }
    if (isAway) log.info({}, 'traces are taken again')
    isAway = false
    return true
  }

  return {
    tick,
    async run(signal) {
      if (config === null) return
      log.info({ host: new URL(config.url).host }, 'ended runs are told as traces')
      while (!signal.aborted) {
        const isDone = await tick(signal).catch((error: unknown) => {
          log.warn({ error: describeError(error) }, 'traces failed')
          return false
        })
        // Ends early with the signal, which is no error here: the loop looks at it.
        await Promise.allSettled([sleep(isDone ? everyMs : awayMs, undefined, { signal })])
      }
    },
  }
}
