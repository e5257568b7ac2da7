import { api, ask, type Accepted, type idempotencyKey, type NextAction } from '#lib/api/index.ts'
import { actViews } from './acts.ts'

/** What a dialog has asked before the act. */
export interface Answers {
  readonly reason: string
  /** The name of the VM whose disks a repeated restore in place replaces. */
  readonly confirmName?: string
  /** One per wish, so that pressing twice or a lost answer starts one run. */
  readonly key?: ReturnType<typeof idempotencyKey>
}

/** Does what a button says. Returns the run to look at afterwards: another one when a new run was started. */
export async function actOnRun(
  runId: string,
  action: NextAction,
  { reason, confirmName, key }: Answers = { reason: '' },
): Promise<{ readonly said: string; readonly runId: string }> {
  const { act } = actViews[action.id]
  const params = { path: { run: runId } }
  const body = { reason }
  const moved = (accepted: Accepted, said: string) => ({ said, runId: accepted.runId })
  switch (act) {
    case 'pause':
      return moved(
        await ask(api.POST('/runs/{run}/pause', { params, body })),
        'Pausing: it stops at the next safe place',
      )
    case 'resume':
      return moved(await ask(api.POST('/runs/{run}/resume', { params, body })), 'The run goes on')
    case 'cancel':
      return moved(await ask(api.POST('/runs/{run}/cancel', { params, body })), 'Cancelling: what was begun is undone')
    case 'retry':
      return moved(
        await ask(
          api.POST('/runs/{run}/retry', {
            params: { ...params, ...(key && { header: key }) },
            body: { reason, ...(confirmName !== undefined && { confirmName }) },
          }),
        ),
        'Started again',
      )
    case 'retry-now': {
      const { steps } = await ask(api.POST('/runs/{run}/retry-now', { params, body }))
      return {
        said: steps.length > 0 ? 'The next attempt starts now' : 'No step is waiting for its next attempt',
        runId,
      }
    }
    case null:
      throw new TypeError(`${action.id} is not done by the dashboard`)
  }
}
