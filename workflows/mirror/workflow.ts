import { CancellationScope, continueAsNew, workflowInfo } from '@temporalio/workflow'
import { formatBytes } from '../../base/index.ts'
import { backgroundPriority } from '../../policy/index.ts'
import type {
  CopyOutcome,
  MirrorActivities,
  MirrorRecordActivities,
  WantedCopy,
} from '../../activities/mirror/types.ts'
import { RunControl } from '../shared/control.ts'
import { errorOf, workflowFailure } from '../shared/failures.ts'
import { conduct, notingItsEnd } from '../shared/lifecycle.ts'
import type { RunFigures } from '../shared/lifecycle.ts'
import { controlSteps, siteSteps } from '../shared/options.ts'
import { StepIds, cut } from '../shared/steps.ts'
import type { MirrorInput, MirrorResult, MirrorTally } from './contract.ts'

interface MirrorContext {
  readonly input: MirrorInput
  readonly control: RunControl
  readonly ids: StepIds
}

/**
 * Copies of points into another repository, under its keys and its own retention, oldest first and each read back there.
 * What becomes of one point is nothing to the others; the run fails at its end if some could not be copied, and the next
 * one tries them again.
 */
export async function mirrorRepository(input: MirrorInput): Promise<MirrorResult> {
  const { source, target, requestedBy } = input
  const ctx: MirrorContext = { input, control: new RunControl(input.tuning), ids: new StepIds() }
  const result = await conduct(
    {
      kind: 'mirror',
      vmId: null,
      vmName: `${source.name} to ${target.name}`,
      repositoryId: target.id,
      stem: null,
      site: target.site,
      requestedBy,
    },
    { hostId: null, priority: backgroundPriority, otherRepositoryId: source.id },
    ctx,
    () =>
      notingItsEnd(
        'mirror',
        () => mirror(ctx),
        (_state, thrown) => release(ctx, errorOf(thrown)?.message ?? null),
      ),
    (made) => figures(made, input.before ?? nothingYet),
  )
  if (!result.more || CancellationScope.current().consideredCancelled) return result
  return continueAsNew<typeof mirrorRepository>({ ...input, part: input.part + 1, before: tallyOf(result) })
}

async function release({ input, ids }: MirrorContext, problem: string | null): Promise<void> {
  const { releaseCopies } = controlSteps<MirrorRecordActivities>('record')
  await releaseCopies.executeWithOptions(ids.step('release', 'Give back what is not copied yet'), [
    { ...pairOf(input), problem: problem && cut(problem, 500), atMs: Date.now() },
  ])
}

function pairOf({ source, target }: MirrorInput) {
  return { runId: workflowInfo().runId, sourceId: source.id, targetId: target.id }
}

type Counts = { -readonly [K in keyof MirrorTally]: MirrorTally[K] }

const nothingYet: MirrorTally = {
  ...{ mirrored: 0, there: 0, removed: 0, bytesStored: 0, bytesVerified: 0 },
  ...{ failed: 0, firstFailures: [] },
}
/** Failures that are named; the input of the next part stays small. */
const mostNamed = 3

function tallyOf(result: MirrorResult): MirrorTally {
  const { mirrored, there, removed, bytesStored, bytesVerified, failed, firstFailures } = result
  return { mirrored, there, removed, bytesStored, bytesVerified, failed, firstFailures }
}

async function mirror(ctx: MirrorContext): Promise<MirrorResult> {
  const { input, control } = ctx
  const counts: Counts = { ...(input.before ?? nothingYet) }
  control.stage(`Copying from ${input.source.name} to ${input.target.name}`)
  let more = false
  for (let copies = await next(ctx, [], true); copies.length > 0;) {
    const done: CopyOutcome[] = []
    try {
      for (const copy of copies) {
        const made = await copyOne(ctx, copy)
        done.push(made)
        if (made.outcome === 'failed') {
          const failure = { vmName: copy.vmName, problem: cut(made.problem ?? 'failed', 500) }
          counts.failed += 1
          counts.firstFailures = [...counts.firstFailures, failure].slice(0, mostNamed)
        } else counts[made.outcome] += 1
        counts.bytesStored += made.storedBytes
        counts.bytesVerified += made.verifiedBytes
      }
    } catch (thrown) {
      // What is there counts, however the run ends.
      if (done.length > 0) await CancellationScope.nonCancellable(() => next(ctx, done, false))
      throw thrown
    }
    more = workflowInfo().continueAsNewSuggested
    copies = await next(ctx, done, !more)
  }
  if (counts.failed > 0 && !more) throw incomplete(input, counts)
  return { v: 1, outcome: 'completed', ...counts, more, residue: [] }
}

async function next({ input, ids }: MirrorContext, done: readonly CopyOutcome[], wants: boolean) {
  const { nextCopies } = controlSteps<MirrorRecordActivities>('record')
  const summary = done.length === 0 ? 'Which points are wanted there?' : 'Write down what is there; what is next?'
  const { copies } = await nextCopies.executeWithOptions(ids.step('next', summary), [
    { ...pairOf(input), done, atMs: Date.now(), wants },
  ])
  return copies
}

async function copyOne({ input, control, ids }: MirrorContext, copy: WantedCopy): Promise<CopyOutcome> {
  const { source, target, tuning } = input
  const { mirrorPoint } = siteSteps<MirrorActivities>(target.site, 'mover', tuning)
  const { vmName, createdMs, logicalBytes } = copy
  const at = new Date(createdMs).toISOString().slice(0, 16).replace('T', ' ')
  const title = `${vmName} · ${at} UTC · ${formatBytes(logicalBytes)}`
  return control.patiently(`copying ${vmName}`, () =>
    control.pausable(() => mirrorPoint.executeWithOptions(ids.step('mirror', title), [{ source, target, copy }])),
  )
}

/** The words are of the whole run, the bytes of this part: each part is a run of its own in the catalog. */
function figures(result: MirrorResult, before: MirrorTally): RunFigures {
  const bytesRead = result.bytesVerified - before.bytesVerified
  const bytesStored = result.bytesStored - before.bytesStored
  return { summary: summaryOf(result), bytesRead, bytesStored, made: null }
}

const points = (n: number): string => `${n} point${n === 1 ? '' : 's'}`

function summaryOf({ mirrored, there, removed, bytesStored, bytesVerified, failed, more }: MirrorResult): string {
  if (mirrored + there + removed + failed === 0) return 'nothing was to be copied'
  const parts = [
    `${points(mirrored)} copied, ${formatBytes(bytesStored)} new there, ${formatBytes(bytesVerified)} read back`,
    ...(there > 0 ? [`${there} there already`] : []),
    ...(removed > 0 ? [`${removed} removed there meanwhile`] : []),
    ...(failed > 0 ? [`${failed} could not be copied`] : []),
    ...(more ? ['it goes on in its next part'] : []),
  ]
  return parts.join('; ')
}

function incomplete({ source, target }: MirrorInput, { mirrored, there, failed, firstFailures }: MirrorTally): Error {
  const named = firstFailures.map(({ vmName, problem }) => `${vmName} (${problem})`)
  const more = failed > named.length ? ' and others' : ''
  const all = mirrored + there + failed
  const message = `${failed} of ${points(all)} could not be copied from ${source.name} to ${target.name}: `
  return workflowFailure('MirrorIncomplete', cut(`${message}${named.join(', ')}${more}`, 1000))
}
