import { ActivityCancellationType, proxyActivities } from '@temporalio/workflow'
import type { ActivityInterfaceFor, ActivityOptions } from '@temporalio/workflow'
import { attemptsPerStart } from './attempts.ts'
import { controlQueue, siteQueue } from './queues.ts'
import type { Tuning } from './contract.ts'

/**
 * Time limits and retries of each kind of step. The cancellation type is always WAIT_CANCELLATION_COMPLETED: a cleanup must see where a step really ended.
 */
export const profiles = {
  /** Catalog reads and writes. */
  quick: {
    startToCloseTimeout: '30 seconds',
    scheduleToCloseTimeout: '10 minutes',
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry: { initialInterval: '1 second', maximumInterval: '30 seconds' },
  },
  /** The catalog as one file; beats, so that a server that died is noticed. */
  copy: {
    startToCloseTimeout: '10 minutes',
    scheduleToCloseTimeout: '30 minutes',
    heartbeatTimeout: '30 seconds',
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry: { initialInterval: '1 second', maximumInterval: '30 seconds' },
  },
  /** What came out of a run: the catalog may be away for a while. */
  record: {
    startToCloseTimeout: '30 seconds',
    scheduleToCloseTimeout: '1 hour',
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry: { initialInterval: '1 second', maximumInterval: '1 minute' },
  },
  /** Calls to the hypervisor and short ones to the repository. */
  hypervisor: {
    startToCloseTimeout: '10 minutes',
    scheduleToCloseTimeout: '12 hours',
    heartbeatTimeout: '30 seconds',
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry: { initialInterval: '2 seconds', maximumInterval: '2 minutes' },
  },
  /** Freeze, snapshot, thaw. A dead worker is noticed fast: the guest may be frozen. */
  quiesce: {
    startToCloseTimeout: '3 minutes',
    scheduleToCloseTimeout: '12 hours',
    heartbeatTimeout: '5 seconds',
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry: { initialInterval: '1 second', maximumInterval: '10 seconds', maximumAttempts: 3 },
  },
  /** One disk or range; every retry resumes. */
  mover: {
    startToCloseTimeout: '48 hours',
    heartbeatTimeout: '30 seconds',
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry: { initialInterval: '5 seconds', maximumInterval: '5 minutes', maximumAttempts: attemptsPerStart - 1 },
  },
  commit: {
    startToCloseTimeout: '30 minutes',
    heartbeatTimeout: '30 seconds',
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry: { initialInterval: '2 seconds', maximumInterval: '1 minute', maximumAttempts: attemptsPerStart - 1 },
  },
  /** Compensations: after an hour what is left is residue, and the orphan sweep owns it. */
  cleanup: {
    startToCloseTimeout: '10 minutes',
    scheduleToCloseTimeout: '1 hour',
    heartbeatTimeout: '30 seconds',
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry: { initialInterval: '2 seconds', maximumInterval: '1 minute' },
  },
  /** Boot and probe. */
  drill: {
    startToCloseTimeout: '1 hour',
    scheduleToCloseTimeout: '3 hours',
    heartbeatTimeout: '10 seconds',
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry: { initialInterval: '2 seconds', maximumInterval: '30 seconds', maximumAttempts: 2 },
  },
} as const satisfies { readonly [profile: string]: ActivityOptions }

export type ProfileName = keyof typeof profiles

export const defaults = {
  journalSourceBytes: null,
  freezeLimitMs: 5_000,
  stallTimeoutMs: 300_000,
  shutdownLimitMs: 300_000,
  operatorWaitMs: 24 * 3600_000,
  reprobeMs: 60_000,
} as const

/** Steps of a site: everything that touches its hypervisors and repositories. */
export function siteSteps<A>(site: string, profile: ProfileName, tuning: Tuning = {}): ActivityInterfaceFor<A> {
  const heartbeat =
    profile === 'mover' && tuning.moverHeartbeatMs !== undefined ? { heartbeatTimeout: tuning.moverHeartbeatMs } : {}
  return proxyActivities<A>({ ...profiles[profile], ...heartbeat, taskQueue: siteQueue(site) })
}

/** Steps of the control plane: the catalog has one writer. */
export function controlSteps<A>(profile: 'quick' | 'record' | 'copy'): ActivityInterfaceFor<A> {
  return proxyActivities<A>({ ...profiles[profile], taskQueue: controlQueue })
}
