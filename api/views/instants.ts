import type { z } from '@hono/zod-openapi'
import { formatDuration } from '../../base/index.ts'
import type { InstantView } from '../../catalog/index.ts'
import type { PendingStep } from '../../runbook/types.ts'
import type { instantSchema } from '../schemas/instants.ts'

type Instant = z.infer<typeof instantSchema>

/** Whoever boots a VM out of a repository for longer has most likely forgotten it: its point cannot go, and what its
 *  guest writes is in no backup. */
export const forgottenAfterMs = 24 * 3_600_000

/** `pending`: steps that have not ended, whose heartbeats tell what the guest does. */
export function instantView(row: InstantView, pending: readonly PendingStep[], nowMs: number): Instant {
  const { runId, workflowId, state, name, network, vmId, vmName, pointId, pointMs, error } = row
  const { repositoryId, repositoryName, endpointId, endpointName, requestedUser, startedMs, bootedMs, endedMs } = row
  return {
    ...{ runId, workflowId, state, name, network, vmId, vmName, pointId, pointMs, repositoryId, repositoryName },
    ...{ requestedUser, startedMs, bootedMs, endedMs, error },
    hypervisorId: endpointId,
    hypervisorName: endpointName,
    ageMs: Math.max(0, (endedMs ?? nowMs) - startedMs),
    isForgotten: isForgotten(row, nowMs),
    bootList: row.boot && { ...row.boot },
    todo: todoOf(row, nowMs),
    io: endedMs === null ? ioOf(pending) : null,
    command: `holdfast instant show ${runId}`,
  }
}

export function isForgotten({ startedMs, endedMs }: InstantView, nowMs: number): boolean {
  return endedMs === null && nowMs - startedMs >= forgottenAfterMs
}

function todoOf(row: InstantView, nowMs: number): string {
  switch (row.state) {
    case 'starting':
      return 'Nothing: it is being started.'
    case 'running': {
      const since = isForgotten(row, nowMs) ? ` It runs for ${formatDuration(nowMs - row.startedMs)}.` : ''
      return row.error === null
        ? `Migrate it, or discard it.${since}`
        : `The copy ended early; remove its cause, then migrate again, or discard it.${since}`
    }
    case 'migrating':
      return 'Nothing: it is being copied while it runs.'
    case 'migrated':
      return 'Nothing: it stands alone. Give it a plan if it is to be backed up.'
    case 'discarded':
      return 'Nothing: it is gone.'
    case 'failed':
      return row.bootedMs === null ? 'See the run for what went wrong.' : 'Its VM may still run: see the run.'
  }
}

/** Whatever comes in a heartbeat is believed only as far as it has the form of `InstantBeat`. */
function ioOf(pending: readonly PendingStep[]): Instant['io'] {
  const step = pending.find(({ activityType }) => activityType === 'attendInstant')
  const beat = step?.heartbeat
  if (step === undefined || typeof beat !== 'object' || beat === null) return null
  const { v, power, readBytes, writtenBytes, overlayBytes, fetchedBytes } = beat as { readonly [name: string]: unknown }
  const known = powers.find((one) => one === power)
  if (v !== 1 || known === undefined) return null
  if (!isCount(readBytes) || !isCount(writtenBytes) || !isCount(overlayBytes)) return null
  return {
    ...{ power: known, readBytes, writtenBytes, overlayBytes },
    fetchedBytes: isCount(fetchedBytes) ? fetchedBytes : null,
    seenMs: step.heartbeatMs,
  }
}

const powers = ['running', 'stopped', 'paused', 'suspended', 'io-error', 'unknown'] as const

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}
