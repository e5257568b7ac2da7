import type { Connection } from '@temporalio/client'
import { Worker } from '@temporalio/worker'
import type { ControlActivities } from '../activities/index.ts'
import { controlQueue } from '../workflows/shared/queues.ts'
import { workflowBundle } from './bundle.ts'
import type { Home, TemporalTarget } from './config.ts'
import { connectUntil, engineRole, persistently } from './engine.ts'
import type { ProcessLog } from './log.ts'
import { announce } from './place.ts'
import { aborted, forceMs, graceMs, runUntilStopped } from './shutdown.ts'
import { prepareNamespace } from './temporal-server.ts'
import { cacheFolder } from '../appliance/index.ts'

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
export const controlRole = engineRole('server')

/**
 * Works on the control queue until the signal: connects to Temporal when it is there, however late, and again after
 * whatever ended the work. Never throws: a server without its engine still answers and alerts, and its alerts say
 * that nobody works.
 */
export async function workForEngine(options: ControlOptions, signal: AbortSignal): Promise<void> {
  // It ends with the signal alone.
  await Promise.allSettled([persistently({ ...options, signal }, () => workOnce(options, signal))])
}

async function workOnce(options: ControlOptions, signal: AbortSignal): Promise<void> {
  const { home, target, prepares, connection, activities, log } = options
  const { codePath } = await workflowBundle(cacheFolder(), log)
  const native = await connectUntil(target, signal)
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
