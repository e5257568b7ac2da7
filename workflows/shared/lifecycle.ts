import {
  CancellationScope,
  allHandlersFinished,
  condition,
  isCancellation,
  log,
  workflowInfo,
} from '@temporalio/workflow'
import type { RecordActivities, RunFinished, RunStarted } from '../../activities/record/types.ts'
import { Capacity } from './capacity.ts'
import { Compensations } from './compensation.ts'
import { asFailure, errorOf } from './failures.ts'
import { controlSteps } from './options.ts'
import type { RunControl } from './control.ts'
import type { StepIds } from './steps.ts'
import type { Requester, ResidueItem } from './contract.ts'

export interface RunIdentity {
  readonly kind: RunStarted['kind']
  readonly vmId: string | null
  readonly vmName: string
  readonly repositoryId: string | null
  readonly stem: string | null
  readonly site: string
  readonly requestedBy: Requester
}

/** Where a run works and how urgent it is; null: it works in the room of the run that started it. */
export interface RunRoom {
  /** null: no hypervisor. */
  readonly hostId: string | null
  readonly priority: number
  /** Where a mirror copies from. */
  readonly otherRepositoryId?: string
}

export interface ProcessResult {
  readonly outcome: 'completed' | 'completed-with-residue'
  readonly residue: readonly ResidueItem[]
}

/** What of a result goes into the catalog. */
export type RunFigures = Pick<RunFinished, 'summary' | 'bytesRead' | 'bytesStored' | 'made'>

const titles = {
  ...{ backup: 'Backup of', restore: 'Restore of', drill: 'Drill of' },
  ...{ mirror: 'Mirror', verify: 'Verify of' },
} as const

function takesSlots(kind: RunIdentity['kind']): kind is keyof typeof titles {
  return kind in titles
}

/**
 * What all processes have in common: the run is written down when it starts and when it ends, what is still on the
 * compensation stack at the end is undone whatever the end was, and what could not be undone is part of the result.
 */
export async function conduct<R extends ProcessResult>(
  run: RunIdentity,
  room: RunRoom | null,
  tools: { readonly control: RunControl; readonly ids: StepIds },
  body: (undo: Compensations) => Promise<R>,
  figures: (result: R) => RunFigures,
): Promise<R> {
  const { control, ids } = tools
  const { workflowId, runId, startTime } = workflowInfo()
  const undo = new Compensations()
  const capacity = new Capacity()
  const started = { ...run, startedMs: startTime.getTime() }
  let end: { readonly result: R } | { readonly thrown: unknown }
  try {
    await recordStart({ ...started, workflowId, runId }, ids)
    const { kind, vmName, vmId, repositoryId, site } = run
    // What moves no disk itself never stands in the way of a backup.
    if (room !== null && repositoryId !== null && takesSlots(kind)) {
      // A drill writes another VM than that which its point is of.
      const disks = kind === 'drill' ? null : vmId
      const wish = { ...room, kind, title: `${titles[kind]} ${vmName}`, repositoryId, site, vmId: disks }
      await capacity.take(wish, control, ids)
    }
    end = { result: await body(undo) }
  } catch (thrown) {
    end = { thrown }
  }
  control.close('the run is ending')
  if (undo.pending > 0) control.stage('Cleaning up')
  await undo.unwind()
  const { residue } = undo

  const { attention } = capacity
  const base = { workflowId, runId, finishedMs: Date.now(), started, ...(attention !== null && { attention }) }
  if ('result' in end) {
    const all = [...end.result.residue, ...residue]
    const outcome = all.length > 0 ? 'completed-with-residue' : 'completed'
    const result: R = { ...end.result, outcome, residue: all }
    await recordEnd({ ...base, outcome, error: null, residue: all, ...figures(result) }, ids)
    return result
  }
  const cancelled = isCancellation(end.thrown)
  const error = cancelled ? null : (errorOf(end.thrown) ?? null)
  const left = residue.length === 0 ? 'nothing was left behind' : `${residue.length} left behind`
  const by = control.note === null ? '' : ` by ${control.note.user}`
  const summary = cancelled ? `cancelled${by}, ${left}` : `${error?.message ?? 'failed'}; ${left}`
  await recordEnd(
    {
      ...base,
      outcome: cancelled ? 'cancelled' : 'failed',
      error,
      residue,
      summary,
      bytesRead: 0,
      bytesStored: 0,
      made: null,
    },
    ids,
  )
  throw asFailure(end.thrown)
}

/** A catalog that cannot be written does not stop a backup: the repository is the truth. */
async function recordStart(run: Parameters<RecordActivities['recordRunStarted']>[0], ids: StepIds): Promise<void> {
  try {
    const { recordRunStarted } = controlSteps<RecordActivities>('quick')
    await recordRunStarted.executeWithOptions(ids.step('record-start', 'Write down that the run has started'), [run])
  } catch (thrown) {
    if (isCancellation(thrown)) throw thrown
    log.error('the start of the run could not be written down', { error: errorOf(thrown) })
  }
}

async function recordEnd(run: RunFinished, ids: StepIds): Promise<void> {
  await CancellationScope.nonCancellable(async () => {
    try {
      const { recordRunFinished } = controlSteps<RecordActivities>('record')
      await recordRunFinished.executeWithOptions(ids.step('record-end', 'Write down how the run ended'), [run])
    } catch (thrown) {
      log.error('the end of the run could not be written down', { error: errorOf(thrown) })
    }
    await condition(allHandlersFinished)
  })
}

/**
 * What its own list shows of a run: `note` writes down how it ended when `work` throws, also of one that was cancelled, and
 * never hides the first error. `what`: for the log.
 */
export async function notingItsEnd<T>(
  what: string,
  work: () => Promise<T>,
  note: (state: 'cancelled' | 'failed', thrown: unknown) => Promise<void>,
): Promise<T> {
  try {
    return await work()
  } catch (thrown) {
    await CancellationScope.nonCancellable(async () => {
      try {
        await note(isCancellation(thrown) ? 'cancelled' : 'failed', thrown)
      } catch (inner) {
        log.error(`the end of the ${what} could not be written down`, { error: errorOf(inner) })
      }
    })
    throw thrown
  }
}
