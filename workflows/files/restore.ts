import { uuid4, workflowInfo } from '@temporalio/workflow'
import { formatBytes, formatDuration } from '../../base/index.ts'
import type { FilesActivities } from '../../activities/files/types.ts'
import { RunControl } from '../shared/control.ts'
import { conduct, type RunFigures } from '../shared/lifecycle.ts'
import { defaults, siteSteps } from '../shared/options.ts'
import { StepIds, hex32 } from '../shared/steps.ts'
import type { RestoreFilesInput, RestoreFilesResult } from './contract.ts'

/**
 * Files of an open point into the guest that runs, through its agent. They grow under names of this run and get their own
 * when they are whole; whatever the end, what is not whole is removed.
 */
export async function restoreFiles(input: RestoreFilesInput): Promise<RestoreFilesResult> {
  const control = new RunControl(input.tuning)
  const ids = new StepIds()
  const { vm, repository, stem, session, volume, paths, place, requestedBy } = input
  return conduct(
    {
      ...{ kind: 'restore', vmId: vm.id, vmName: vm.ref.name, repositoryId: repository.id, stem },
      ...{ site: vm.site, requestedBy },
    },
    null,
    { control, ids },
    async (undo) => {
      const startedMs = workflowInfo().startTime.getTime()
      const wish = {
        ...{ endpoint: vm.endpoint, vm: vm.ref, operation: hex32(uuid4()) },
        ...{ session, volume, paths, place, stampMs: startedMs },
      }
      const steps = siteSteps<FilesActivities>(vm.site, 'hypervisor')
      const mover = siteSteps<FilesActivities>(vm.site, 'mover', input.tuning)
      const cleanup = siteSteps<FilesActivities>(vm.site, 'cleanup')
      control.stage('Asking the guest')
      const plan = await control.patiently('asking the guest', async () => {
        await control.gate()
        return steps.planFilesRestore.executeWithOptions(
          ids.step('plan', 'Where do they go, is it free, does the agent run commands?'),
          [wish],
        )
      })
      const hint = `Remove ${plan.staged.join(', ')} in ${vm.ref.name} by hand.`
      undo.push({ kind: 'partial-files', id: vm.ref.name, hint }, async () => {
        await cleanup.dropStagedFiles.executeWithOptions(
          ids.undo('write', 'drop', 'Remove what is not whole from the guest'),
          [{ ...wish, staged: plan.staged }],
        )
        return []
      })
      control.stage(`Writing into ${vm.ref.name}`)
      const done = await control.patiently('writing files', async () => {
        await control.gate()
        return mover.restoreFilesToGuest.executeWithOptions(
          ids.step('write', `${paths.length === 1 ? plan.targets[0] : `${paths.length} places`} in ${vm.ref.name}`),
          [{ ...wish, plan, stallTimeoutMs: input.tuning.stallTimeoutMs ?? defaults.stallTimeoutMs }],
        )
      })
      undo.forget()
      return { v: 1, outcome: 'completed', ...done, durationMs: Date.now() - startedMs, residue: [] } as const
    },
    figures,
  )
}

function figures({ files, bytes, verified, skippedCount, durationMs }: RestoreFilesResult): RunFigures {
  const left = skippedCount === 0 ? '' : `, ${skippedCount} left out`
  const summary = `${files} ${files === 1 ? 'file' : 'files'} (${formatBytes(bytes)}) in ${formatDuration(durationMs)}, ${verified} compared${left}`
  return { summary, bytesRead: 0, bytesStored: bytes, made: null }
}
