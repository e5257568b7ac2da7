import { setTimeout as sleep } from 'node:timers/promises'
import { HoldfastError, isHoldfastError } from '../../base/index.ts'
import { ask, type ApiClient, type Schemas } from '../client/index.ts'

export type Runbook = Schemas['Runbook']

/** The runbook as it is now; undefined while server or engine is away, because the run goes on without them. */
export async function readRunbook(api: ApiClient, runId: string): Promise<Runbook | undefined> {
  try {
    return await ask(api.GET('/runs/{run}/runbook', { params: { path: { run: runId } } }))
  } catch (error) {
    if (isHoldfastError(error) && ['ServerUnreachable', 'TemporalUnavailable'].includes(error.code)) return undefined
    throw error
  }
}

export interface WaitOptions {
  readonly withinMs?: number
  readonly onChange?: (book: Runbook) => void
}

/** Waits until the run has ended, whatever the end. Survives restarts of the server and of Temporal. */
export async function waitForEnd(api: ApiClient, runId: string, options: WaitOptions = {}): Promise<Runbook> {
  return waitFor(api, runId, (book) => book.endedMs !== null, options)
}

/** Waits for the first runbook that satisfies `isIt`; a run that ends without it is an error. */
export async function waitFor(
  api: ApiClient,
  runId: string,
  isIt: (book: Runbook) => boolean,
  options: WaitOptions = {},
): Promise<Runbook> {
  const deadline = Date.now() + (options.withinMs ?? 600_000)
  for (;;) {
    const book = await readRunbook(api, runId)
    if (book) {
      options.onChange?.(book)
      if (isIt(book)) return book
      if (book.endedMs !== null) throw ended(book)
    }
    if (Date.now() > deadline) {
      throw new HoldfastError(
        'Stalled',
        `the run ${runId} did not get there in time: ${book?.sentence ?? 'no runbook'}`,
      )
    }
    await sleep(200)
  }
}

/** The same, and anything but completion is thrown with the run's own error: also a run that waits for a person. */
export async function waitForCompletion(api: ApiClient, runId: string, options: WaitOptions = {}): Promise<Runbook> {
  const book = await waitFor(api, runId, ({ endedMs, state }) => endedMs !== null || state === 'waiting', options)
  if (book.state !== 'completed') throw ended(book)
  return book
}

function ended(book: Runbook): HoldfastError {
  const error = book.error
  return new HoldfastError('Internal', `${book.title} ended as ${book.state}: ${error?.message ?? book.sentence}`, {
    hint: error?.hint ?? 'Look at the run page.',
    data: { residue: book.residue, error },
  })
}
