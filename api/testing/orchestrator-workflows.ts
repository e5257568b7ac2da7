import {
  ApplicationFailure,
  CancelledFailure,
  condition,
  defineSignal,
  defineUpdate,
  proxyActivities,
  setHandler,
} from '@temporalio/workflow'

/** Workflows with nothing but what the orchestrator's contract test looks at. */

const note = defineSignal<[{ user: string }]>('cancelNote')
const pause = defineUpdate<undefined, [{ user: string }]>('pause')

/** Waits for a step that fails and is tried again after an hour; keeps what it was told. */
export async function backupVm(input: { readonly mode: 'wait' | 'fail' | 'return' | 'retry' }): Promise<unknown> {
  const told: unknown[] = []
  setHandler(note, (by) => void told.push(by))
  setHandler(pause, (by) => void told.push(by), {
    validator: (by: { user: string }) => {
      if (by.user === 'nobody')
        throw ApplicationFailure.create({
          message: 'nobody may not pause',
          type: 'InvalidRequest',
          nonRetryable: true,
          details: [{ hint: 'Be somebody.' }],
        })
    },
  })
  if (input.mode === 'return') return { told: input }
  if (input.mode === 'fail') {
    throw ApplicationFailure.create({
      message: 'the repository is full',
      type: 'StoreFull',
      nonRetryable: true,
      details: [{ hint: 'Make space.' }],
    })
  }
  if (input.mode === 'retry') {
    const { step } = proxyActivities<{ step(): Promise<{ attempt: number }> }>({
      startToCloseTimeout: '1 minute',
      retry: { initialInterval: '1 hour', maximumAttempts: 5 },
    })
    return step()
  }
  try {
    await condition(() => false)
    return null
  } catch (thrown) {
    if (thrown instanceof CancelledFailure) return { cancelledAfter: told }
    throw thrown
  }
}
