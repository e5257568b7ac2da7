import { CancellationScope, condition, defineUpdate, setHandler, workflowInfo } from '@temporalio/workflow'
import { formatDuration } from '../../base/index.ts'
import type { FilesActivities } from '../../activities/files/types.ts'
import type { Requester } from '../shared/contract.ts'
import { RunControl } from '../shared/control.ts'
import { workflowFailure } from '../shared/failures.ts'
import { conduct, type RunFigures } from '../shared/lifecycle.ts'
import { siteSteps } from '../shared/options.ts'
import { StepIds } from '../shared/steps.ts'
import { endFilesUpdate, type FilesInput, type FilesResult } from './contract.ts'

const endFiles = defineUpdate<void, [Requester]>(endFilesUpdate)

/**
 * The files of a point, for as long as somebody asks for them. What has it open dies with its worker and is opened anew by
 * the next one; nothing is written anywhere, so there is nothing to undo but the socket.
 */
export async function fileRestore(input: FilesInput): Promise<FilesResult> {
  const control = new RunControl(input.tuning)
  const ids = new StepIds()
  const end = new EndOfSession()
  const { vmId, vmName, repository, stem, site, requestedBy } = input
  return conduct(
    { kind: 'files', vmId, vmName, repositoryId: repository.id, stem, site, requestedBy },
    null,
    { control, ids },
    async (undo) => {
      const startedMs = workflowInfo().startTime.getTime()
      control.close(`somebody looks at its ${whatOf(input)}; end it instead`)
      const cleanup = siteSteps<FilesActivities>(site, 'cleanup')
      const session = input.requestId
      undo.push({ kind: 'file-session', id: session, hint: closeByHand(session) }, async () => {
        await cleanup.closeFiles.executeWithOptions(ids.undo('open', 'close', 'Close the point'), [{ session }])
        return []
      })
      if (input.view !== 'disks') {
        control.stage('Making the micro-VM ready')
        const steps = siteSteps<FilesActivities>(site, 'hypervisor')
        await control.patiently('making the micro-VM ready', () =>
          steps.prepareFiles.executeWithOptions(ids.step('prepare', 'Make the micro-VM ready'), []),
        )
      }
      const how = await look(input, control, ids, end)
      return {
        ...{ v: 1, outcome: 'completed', end: how },
        ...{ openMs: Date.now() - startedMs, residue: [] },
      } as const
    },
    figures,
  )
}

async function look(
  input: FilesInput,
  control: RunControl,
  ids: StepIds,
  end: EndOfSession,
): Promise<FilesResult['end']> {
  const { repository, stem, disks, idleMs, requestId: session, view } = input
  const mover = siteSteps<FilesActivities>(input.site, 'mover', input.tuning)
  end.isWanted = true
  const can = view === 'disks' ? `disks of ${input.vmName} can be taken` : `files of ${input.vmName} can be looked at`
  control.stage(`The ${can}; it closes after ${formatDuration(idleMs)} without use`)
  const scope = new CancellationScope({ cancellable: true })
  try {
    await scope.run(async () => {
      void end.asked().then(
        () => scope.cancel(),
        () => undefined, // the run was cancelled, and this wait with it
      )
      await control.patiently('opening the point', () =>
        mover.openFiles.executeWithOptions(ids.step('open', `Open the ${whatOf(input)} of ${input.vmName}`), [
          { session, repository, stem, disks, idleMs, ...(view !== undefined && { view }) },
        ]),
      )
    })
    return 'idle'
  } catch (thrown) {
    // Asked to stop, it may end in any way.
    if (end.by === null || CancellationScope.current().consideredCancelled) throw thrown
    return 'asked'
  }
}

function whatOf({ view }: FilesInput): 'files' | 'disks' {
  return view ?? 'files'
}

/** Made first thing in the workflow, so that no update meets it without a handler. */
class EndOfSession {
  isWanted = false
  by: Requester | null = null

  constructor() {
    setHandler(
      endFiles,
      (by) => {
        this.by = by
      },
      { validator: (by: Requester) => this.#mayEnd(by) },
    )
  }

  async asked(): Promise<void> {
    await condition(() => this.by !== null)
  }

  #mayEnd(by: unknown): void {
    const { user, reason } = (typeof by === 'object' && by !== null ? by : {}) as Partial<Requester>
    if (typeof user !== 'string' || user === '' || user.length > 200) throw refuse('the request does not say who asks')
    if (typeof reason !== 'string' || reason.length > 2000) throw refuse('the request does not say why')
    if (!this.isWanted) throw refuse('the point is not open yet')
    if (this.by !== null) throw refuse(`${this.by.user} has ended it already`)
  }
}

function refuse(message: string): Error {
  return workflowFailure('InvalidRequest', message)
}

function closeByHand(session: string): string {
  return `Its micro-VM ends with the worker; remove ${session}.sock from “files” in the worker’s HOLDFAST_HOME.`
}

function figures({ openMs, end }: FilesResult): RunFigures {
  const how = end === 'idle' ? 'closed because nobody used it' : 'closed'
  return { summary: `open for ${formatDuration(openMs)}, ${how}`, bytesRead: 0, bytesStored: 0, made: null }
}
