import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  isCancellation,
  log,
  patched,
  sleep,
  workflowInfo,
  type ActivityOptions,
} from '@temporalio/workflow'
import type { RecoveryActivities } from '../../activities/recovery-plan/types.ts'
import type { RetentionActivities, RetentionRecordActivities } from '../../activities/retention/types.ts'
import type { RepositoryRef } from '../shared/contract.ts'
import { errorOf } from '../shared/failures.ts'
import { controlSteps, siteSteps } from '../shared/options.ts'
import { cut, type StepIds } from '../shared/steps.ts'
import { recoveryHoldActor, type RecoveryInput } from './contract.ts'

/** A repository that is away is not waited for: nothing of the run depends on it, and its VMs may come from another one. */
const limits: ActivityOptions = {
  scheduleToStartTimeout: '30 seconds',
  startToCloseTimeout: '2 minutes',
  scheduleToCloseTimeout: '5 minutes',
}
const firstPauseMs = 2_000
const longestPauseMs = 60_000
const askedForMs = 5 * 60_000

/** The run waits for it with its end: what is not let go by then the server lets go, within minutes. */
const releaseLimits: ActivityOptions = {
  scheduleToStartTimeout: '15 seconds',
  startToCloseTimeout: '45 seconds',
  scheduleToCloseTimeout: '1 minute',
}

interface Place {
  readonly repository: RepositoryRef
  readonly stems: Set<string>
  last: Promise<void>
}

/**
 * Holds, in their repositories, the points that VMs of the run come back from, until the run has ended: the catalog keeps them
 * from its own retention alone, not from other installations and not from whoever works offline. It runs beside the tiers and
 * ends none of them. What a run that was terminated has left, the server ends (`api/hold-keeper.ts`).
 */
export class Holds {
  readonly #input: RecoveryInput
  readonly #ids: StepIds
  readonly #isOn: boolean
  readonly #places = new Map<string, Place>()
  /** What is being placed, or chosen for that. */
  readonly #placing = new Set<CancellationScope>()
  #choosing: Promise<void> = Promise.resolve()

  /** `isOn`: false in runs of earlier versions, which hold nothing. */
  constructor(input: RecoveryInput, ids: StepIds, isOn: boolean) {
    this.#input = input
    this.#ids = ids
    this.#isOn = isOn
  }

  /** All that the run has chosen. Returns at once. */
  begin(): void {
    if (this.#isOn) this.#choosing = this.#untilEnd('the chosen points could not be listed', () => this.#chooseAll())
  }

  /** What a VM is read from after all: a copy elsewhere, or an older point. Returns at once. */
  add(repository: RepositoryRef, stem: string): void {
    if (this.#isOn) this.#hold(repository, [stem])
  }

  /**
   * Ends what is being placed, then lets go of all of it, also of what was placed without an answer. A repository that is
   * away holds the end of the run up for a minute and a half at most: thirty seconds until a worker that is gone is missed,
   * and what letting go may take.
   */
  async release(): Promise<void> {
    // Runs of earlier versions waited for what was being placed, up to ten minutes.
    if (patched('holds-end-at-once')) for (const scope of this.#placing) scope.cancel()
    await this.#choosing
    await Promise.all([...this.#places.values()].map((place) => this.#release(place)))
  }

  async #chooseAll(): Promise<void> {
    const { nextChosen } = controlSteps<RecoveryActivities>('quick')
    const { runId } = workflowInfo()
    for (let after: string | null = null; ;) {
      const chosen = await nextChosen.executeWithOptions(
        this.#ids.step('chosen', 'Which points, in which repositories?'),
        [{ runId, after }],
      )
      if (chosen === null) return
      this.#hold(chosen.repository, chosen.stems)
      after = chosen.after
    }
  }

  #hold(repository: RepositoryRef, stems: readonly string[]): void {
    const place = this.#places.get(repository.id) ?? { repository, stems: new Set(), last: Promise.resolve() }
    this.#places.set(repository.id, place)
    const fresh = stems.filter((stem) => !place.stems.has(stem))
    if (fresh.length === 0) return
    for (const stem of fresh) place.stems.add(stem)
    // One after the other: two that look at the same time would both hold what neither has seen.
    place.last = place.last.then(() =>
      this.#untilEnd(`points in ${repository.name} could not be held`, async () => {
        try {
          await this.#place(repository, fresh)
        } catch (thrown) {
          // Its VM asks once more when it begins.
          for (const stem of fresh) place.stems.delete(stem)
          throw thrown
        }
      }),
    )
  }

  async #place(repository: RepositoryRef, stems: readonly string[]): Promise<void> {
    const { holdPoints } = siteSteps<RetentionActivities>(repository.site, 'hypervisor')
    const { recordHolds } = controlSteps<RetentionRecordActivities>('quick')
    const { id, name } = repository
    const title = `Hold ${stems.length} point${stems.length === 1 ? '' : 's'} in ${name}`
    const hold = { type: 'pin' as const, actor: this.#actor, reason: `recovery plan ${this.#input.planName}` }
    const ask = (retry: Pick<ActivityOptions, 'retry'>): ReturnType<RetentionActivities['holdPoints']> =>
      holdPoints.executeWithOptions({ ...this.#ids.step(`hold:${id}`, title), ...limits, ...retry }, [
        { repository, stems, ...hold },
      ])
    // In runs of earlier versions Temporal asked again: what it had met was nowhere to be read once the run had ended.
    const saysWhy = patched('2026-11-holds-say-why')
    const { held, refused } = await (saysWhy ? askedAgain(name, () => ask({ retry: { maximumAttempts: 1 } })) : ask({}))
    for (const { stem, why } of refused) log.warn('a point of the plan is not held in its repository', { stem, why })
    if (held.length === 0) return
    await recordHolds.executeWithOptions(this.#ids.step(`record-holds:${id}`, 'Write down what is held'), [
      { repositoryId: id, held, ...hold, atMs: Date.now() },
    ])
  }

  async #release({ repository, last }: Place): Promise<void> {
    await last
    const { releaseHoldsBy } = siteSteps<RetentionActivities>(repository.site, 'cleanup')
    const { recordRelease } = controlSteps<RetentionRecordActivities>('record')
    await quietly(`the points in ${repository.name} are still held; the server releases them`, async () => {
      const step = this.#ids.step(`release:${repository.id}`, `Let go of the points in ${repository.name}`)
      const { released } = await releaseHoldsBy.executeWithOptions({ ...step, ...releaseLimits }, [
        { repository, actor: this.#actor },
      ])
      if (released.length === 0) return
      const record = this.#ids.step(`record-release:${repository.id}`, 'Write down what was let go')
      await recordRelease.executeWithOptions(record, [{ holds: released }])
    })
  }

  /** Cancelled by the end of the run alone, not by what ends its tiers. */
  #untilEnd(what: string, work: () => Promise<void>): Promise<void> {
    return quietly(what, async () => {
      const scope = new CancellationScope({ cancellable: true })
      this.#placing.add(scope)
      try {
        await scope.run(work)
      } finally {
        this.#placing.delete(scope)
      }
    })
  }

  get #actor(): string {
    return recoveryHoldActor(workflowInfo().runId)
  }
}

/** Each time a step of its own, so that the run says what the last one met, even where its end comes in between. */
async function askedAgain<T>(name: string, ask: () => Promise<T>): Promise<T> {
  const untilMs = Date.now() + askedForMs
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(longestPauseMs, pauseMs * 2)) {
    try {
      return await ask()
    } catch (thrown) {
      if (isCancellation(thrown) || isFinal(thrown) || Date.now() + pauseMs > untilMs) throw thrown
    }
    await sleep(pauseMs, { summary: cut(`${name} is asked again`, 200) })
  }
}

function isFinal(thrown: unknown): boolean {
  const cause = thrown instanceof ActivityFailure ? thrown.cause : thrown
  return cause instanceof ApplicationFailure && cause.nonRetryable === true
}

/** VMs that come back matter more than what is held for them. */
async function quietly(what: string, work: () => Promise<void>): Promise<void> {
  try {
    await CancellationScope.nonCancellable(work)
  } catch (thrown) {
    log.warn(what, { error: errorOf(thrown)?.message })
  }
}
