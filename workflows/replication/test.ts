import { sleep, uuid4, workflowInfo } from '@temporalio/workflow'
import { formatDuration } from '../../base/index.ts'
import type { ReplicationActivities, ReplicationRecordActivities } from '../../activities/replication/types.ts'
import type { Compensations } from '../shared/compensation.ts'
import { RunControl } from '../shared/control.ts'
import { conduct, notingItsEnd, type RunFigures } from '../shared/lifecycle.ts'
import { controlSteps, siteSteps } from '../shared/options.ts'
import { StepIds, hex32 } from '../shared/steps.ts'
import type { StandbyTestInput, StandbyTestResult } from './contract.ts'

/** A copy of the standby's last state is booted where it reaches nothing, answers or not, and goes; cycles go on meanwhile. */
export async function testFailover(input: StandbyTestInput): Promise<StandbyTestResult> {
  const control = new RunControl(input.tuning)
  const ids = new StepIds()
  const { pair, requestedBy } = input
  const note = async (outcome: 'answered' | 'silent' | 'failed'): Promise<void> => {
    const { recordStandbyTest } = controlSteps<ReplicationRecordActivities>('record')
    await recordStandbyTest.executeWithOptions(ids.step('record-test', `Write down: ${outcome}`), [
      { id: pair.id, outcome, atMs: Date.now() },
    ])
  }
  let isNoted = false
  return conduct(
    {
      kind: 'failover',
      vmId: pair.source.id,
      vmName: pair.source.ref.name,
      repositoryId: null,
      stem: null,
      site: pair.site,
      requestedBy,
    },
    null,
    { control, ids },
    (undo) =>
      notingItsEnd(
        'test',
        async () => {
          const result = await boot(input, control, ids, undo)
          // Before the hold: whoever ends that ends a test whose outcome is known.
          await note(result.answered ? 'answered' : 'silent')
          isNoted = true
          await hold(input, result, control)
          return result
        },
        async (state) => {
          if (state === 'failed' && !isNoted) await note('failed')
        },
      ),
    figures,
  )
}

async function boot(
  input: StandbyTestInput,
  control: RunControl,
  ids: StepIds,
  undo: Compensations,
): Promise<StandbyTestResult> {
  const { pair, limitMs } = input
  const test = hex32(uuid4())
  const at = { endpoint: pair.endpoint, operation: pair.id, test }
  const quick = controlSteps<ReplicationRecordActivities>('quick')
  await quick.beginReplication.executeWithOptions(ids.step('begin', 'Does the standby hold a state?'), [
    { id: pair.id, act: 'test', runId: workflowInfo().runId, atMs: Date.now() },
  ])
  const cleanup = siteSteps<ReplicationActivities>(pair.site, 'cleanup')
  const name = `${pair.name.slice(0, 40)}-test-${test.slice(0, 6)}`
  undo.push({ kind: 'vm', id: name }, async () => {
    const { residue } = await cleanup.endStandbyTest.executeWithOptions(
      ids.undo('test', 'destroy', `Remove ${name} with what its guest wrote`),
      [at],
    )
    return residue
  })
  control.stage(`Booting ${name} where it reaches nothing`)
  const steps = siteSteps<ReplicationActivities>(pair.site, 'drill')
  const { answered, bootMs } = await steps.testStandby.executeWithOptions(
    ids.step('test', `Boot ${name}; does its guest answer?`),
    [{ ...at, name, limitMs }],
  )
  return { v: 1, outcome: 'completed', answered, bootMs, residue: [] }
}

async function hold(
  { pair, holdMs }: StandbyTestInput,
  { answered }: StandbyTestResult,
  control: RunControl,
): Promise<void> {
  if (holdMs === 0) return
  control.stage(`The copy of ${pair.name} ${answered ? 'answers' : 'runs'}: look at it, then cancel the run`)
  await sleep(holdMs, { summary: 'held for a person to look at' })
}

function figures({ answered, bootMs }: StandbyTestResult): RunFigures {
  const summary = answered
    ? `its guest answered after ${formatDuration(bootMs)}; the copy is gone`
    : `its guest did not answer within ${formatDuration(bootMs)}; the copy is gone`
  return { summary, bytesRead: 0, bytesStored: 0, made: null }
}
