import type { Client, DescribeWorkflowExecutionResponse } from '@temporalio/client'
import { decodeFromPayloadsAtIndex } from '@temporalio/common/lib/internal-non-workflow/index.js'
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js'
import { optionalTsToMs } from '@temporalio/common/lib/time.js'
import type { PendingStep } from '../../runbook/types.ts'

type PendingInfo = NonNullable<DescribeWorkflowExecutionResponse['pendingActivities']>[number]

/** `temporal.api.enums.v1.PendingActivityState` */
const states: { readonly [state: number]: PendingStep['state'] } = {
  2: 'started',
  3: 'cancel-requested',
  4: 'paused',
  5: 'paused',
}
/** `temporal.api.enums.v1.EventType` */
const activityTaskFailed = 12

function stateOf(info: PendingInfo): PendingStep['state'] {
  return info.paused === true ? 'paused' : (states[info.state ?? 0] ?? 'scheduled')
}

/** An activity that has not ended, as the runbook wants it. */
export async function pendingStep(client: Client, info: PendingInfo): Promise<PendingStep> {
  const payloads = info.heartbeatDetails?.payloads
  return {
    activityId: info.activityId ?? '',
    activityType: info.activityType?.name ?? '',
    state: stateOf(info),
    attempt: info.attempt ?? 1,
    maximumAttempts: info.maximumAttempts ?? 0,
    scheduledMs: optionalTsToMs(info.scheduledTime) ?? null,
    startedMs: optionalTsToMs(info.lastStartedTime) ?? null,
    nextAttemptMs: optionalTsToMs(info.nextAttemptScheduleTime) ?? null,
    heartbeatMs: optionalTsToMs(info.lastHeartbeatTime) ?? null,
    heartbeat: payloads?.length
      ? await decodeFromPayloadsAtIndex(client.options.loadedDataConverter, 0, payloads)
      : null,
    worker: info.lastWorkerIdentity || null,
    lastFailure: info.lastFailure ? failureJson(info.lastFailure) : null,
  }
}

/** Protobuf JSON of a failure, by way of the only public converter: an event that carries it. */
function failureJson(failure: NonNullable<PendingInfo['lastFailure']>): unknown {
  const json = historyToJSON({
    events: [
      {
        eventType: activityTaskFailed,
        activityTaskFailedEventAttributes: { failure },
      },
    ],
  })
  const { events } = JSON.parse(json) as { events: { activityTaskFailedEventAttributes: { failure: unknown } }[] }
  return events[0]?.activityTaskFailedEventAttributes.failure ?? null
}
