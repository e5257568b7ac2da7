import { setTimeout as sleep } from 'node:timers/promises'
import type { NativeConnection } from '@temporalio/worker'
import { toHoldfastError } from '../base/index.ts'
import type { TemporalTarget } from './config.ts'
import type { ProcessLog } from './log.ts'
import { connectOnce } from './temporal.ts'

const againAfterMs = 1_000
const longestPauseMs = 15_000
/** What worked for so long has earned a quick start. */
const stableMs = 60_000

export interface Engine {
  readonly target: TemporalTarget
  readonly log: ProcessLog
  /** Ends the waiting. */
  readonly signal: AbortSignal
}

/** The role that a process announces while it works for the engine, beside its own: that one it has without it. */
export function engineRole(role: string): string {
  return `engine-${role}`
}

/**
 * Tries until it succeeds, however long that takes, with pauses that grow to 15 s. Says each reason once: Temporal may
 * be away for a night. Throws the reason of the signal, and nothing else.
 */
export async function persistently<T>({ log, target, signal }: Engine, attempt: () => Promise<T>): Promise<T> {
  let pauseMs = againAfterMs
  let said = ''
  for (;;) {
    signal.throwIfAborted()
    const startedMs = performance.now()
    try {
      return await attempt()
    } catch (error) {
      signal.throwIfAborted()
      const { code, message, hint } = toHoldfastError(error)
      if (message !== said)
        log.error({ code, error: message, hint, temporal: target.address }, 'no work for the engine')
      said = message
    }
    if (performance.now() - startedMs > stableMs) {
      pauseMs = againAfterMs
      said = ''
    }
    // Ends early with the signal: the loop looks at it.
    await Promise.allSettled([sleep(pauseMs, undefined, { signal })])
    pauseMs = Math.min(pauseMs * 2, longestPauseMs)
  }
}

/** One try, until the signal. Throws TemporalUnavailable. */
export async function connectUntil(target: TemporalTarget, signal: AbortSignal): Promise<NativeConnection> {
  return abandonable(connectOnce(target), signal)
}

/**
 * A connection whose namespace answers, however late. Throws the reason of the signal, and nothing else: who serves
 * the disks of guests must not end because the engine is away.
 */
export function connectPatiently(engine: Engine): Promise<NativeConnection> {
  const { target, signal } = engine
  return persistently(engine, async () => {
    const connection = await connectUntil(target, signal)
    try {
      await connection.workflowService.describeNamespace({ namespace: target.namespace })
      return connection
    } catch (error) {
      await connection.close()
      throw error
    }
  })
}

/** A place that swallows packets must not keep us from ending; a connection that comes too late is closed. */
async function abandonable(connecting: Promise<NativeConnection>, signal: AbortSignal): Promise<NativeConnection> {
  const over = Promise.withResolvers<never>()
  const stop = (): void => over.reject(signal.reason)
  signal.addEventListener('abort', stop, { once: true })
  if (signal.aborted) stop()
  try {
    return await Promise.race([connecting, over.promise])
  } catch (error) {
    void Promise.allSettled([connecting.then((late) => late.close())])
    throw error
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
