import { setTimeout as sleep } from 'node:timers/promises'
import type { Connection } from '@temporalio/client'
import { type NativeConnection, Worker } from '@temporalio/worker'
import type { ControlActivities } from '../activities/index.ts'
import { toHoldfastError } from '../base/index.ts'
import { controlQueue } from '../workflows/shared/queues.ts'
import { workflowBundle } from './bundle.ts'
import type { Home, TemporalTarget } from './config.ts'
import type { ProcessLog } from './log.ts'
import { announce } from './place.ts'
import { aborted, forceMs, graceMs, runUntilStopped } from './shutdown.ts'
import { prepareNamespace } from './temporal-server.ts'
import { connectOnce } from './temporal.ts'

export interface ControlOptions {
  readonly home: Home
  readonly target: TemporalTarget
  /** Whether the namespace is prepared first: the embedded Temporal was, by who started it. */
  readonly prepares: boolean
  readonly connection: Connection
  readonly activities: ControlActivities
  readonly log: ProcessLog
}

/** The role that a server announces while it works on the control queue. */
export const controlRole = 'server-engine'

const againAfterMs = 1_000
const longestPauseMs = 15_000
/** What worked for so long has earned a quick start. */
const stableMs = 60_000

/**
 * Works on the control queue until the signal: connects to Temporal when it is there, however late, and again after
 * whatever ended the work. Never throws: a server without its engine still answers and alerts, and its alerts say
 * that nobody works.
 */
export async function workForEngine(options: ControlOptions, signal: AbortSignal): Promise<void> {
  const { log, target } = options
  let pauseMs = againAfterMs
  let said = ''
  while (!signal.aborted) {
    const startedMs = performance.now()
    try {
      await workOnce(options, signal)
    } catch (error) {
      if (signal.aborted) return
      const { code, message, hint } = toHoldfastError(error)
      // Once for each reason: it may be away for a night.
      if (message !== said)
        log.error({ code, error: message, hint, temporal: target.address }, 'no work for the engine')
      said = message
    }
    if (performance.now() - startedMs > stableMs) {
      pauseMs = againAfterMs
      said = ''
    }
    // Ends early with the signal, which is no error here: the loop looks at it.
    await Promise.allSettled([sleep(pauseMs, undefined, { signal })])
    pauseMs = Math.min(pauseMs * 2, longestPauseMs)
  }
}

async function workOnce(options: ControlOptions, signal: AbortSignal): Promise<void> {
  const { home, target, prepares, connection, activities, log } = options
  const { codePath } = await workflowBundle(home.cache, log)
  const native = await abandonable(connectOnce(target), signal)
  try {
    if (prepares) await prepareNamespace({ connection, namespace: target.namespace, log, signal })
    signal.throwIfAborted()
    const worker = await Worker.create({
      connection: native,
      namespace: target.namespace,
      taskQueue: controlQueue,
      identity: `server-${process.pid}`,
      workflowBundle: { codePath },
      activities,
      maxCachedWorkflows: 200,
      shutdownGraceTime: graceMs,
      shutdownForceTime: forceMs,
    })
    await runUntilStopped(worker, signal, async (ended) => {
      using _notice = await announce(home, controlRole, null)
      log.info({ temporal: target.address }, 'the server works for the engine')
      await aborted(ended)
    })
  } finally {
    await native.close()
  }
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
