import { packBlob } from '../../activities/retention/blob.ts'
import { createMirrorRecordActivities } from '../../activities/mirror/record.ts'
import { createRecordActivities } from '../../activities/record/index.ts'
import { testSeal } from '../../evidence/testing.ts'
import { createRetentionRecordActivities } from '../../activities/retention/record.ts'
import type { Survey } from '../../activities/retention/types.ts'
import type { MirrorRecordActivities } from '../../activities/mirror/types.ts'
import { memoryBlobs } from '../../activities/testing/site.ts'
import { codes, type ErrorCode } from '../../base/index.ts'
import type { StartSpec } from '../../api/orchestrator.ts'
import type { MirrorInput } from '../../workflows/mirror/contract.ts'
import type { SweepInput } from '../../workflows/retention/contract.ts'
import type { Random } from '../simulation/random.ts'
import type { Control, World } from './control.ts'
import type { PointEntry, SweepEntry } from './diary.ts'
import { day, hour, minute } from './estate.ts'

type Done = Parameters<MirrorRecordActivities['nextCopies']>[0]['done']

const by = { user: 'year', reason: '' }

/**
 * What housekeeping begins: sweeps and mirrors with the steps of their workflows in the order of the workflows, copies of the
 * catalog and measuring as far as the catalog hears of them. That the timers of the workflows hold is shown by their own
 * suites, against the real engine.
 */
export class Chores {
  readonly #world: World
  readonly #random: Random
  readonly #control: Control
  readonly #soon: () => void
  readonly #records
  readonly #retention
  readonly #mirrors
  readonly #blobs = memoryBlobs()
  readonly #byStem = new Map<string, PointEntry>()

  constructor(world: World, random: Random, control: Control, soon: () => void) {
    this.#world = world
    this.#random = random
    this.#control = control
    this.#soon = soon
    this.#records = createRecordActivities(world.catalog, testSeal)
    this.#retention = createRetentionRecordActivities(world.catalog, this.#blobs)
    this.#mirrors = createMirrorRecordActivities(world.catalog)
  }

  async begin({ workflow, workflowId, input }: StartSpec): Promise<void> {
    const { catalog, timeline, faults } = this.#world
    if (workflow === 'retentionSweep') return this.#sweep(workflowId, input as SweepInput)
    if (workflow === 'mirrorRepository') return this.#mirror(workflowId, input as MirrorInput)
    const { id } = (input as { repository: { id: string } }).repository
    const isAway = faults.at('repository', id, timeline.nowMs) !== undefined
    const ms = timeline.nowMs
    if (workflowId.startsWith('housekeeping/measure/')) {
      const sizes = { packs: 0, storedBytes: 0, uniqueBytes: 0, logicalBytes: 0, capacityBytes: null, freeBytes: null }
      if (isAway) catalog.repositories.recordUnmeasured(id, ms, note('StoreUnavailable'))
      else catalog.repositories.recordUsage(id, { measuredMs: ms, points: 0, series: 0, ...sizes })
    } else if (isAway) catalog.own.recordFailed(id, ms, note('StoreUnavailable'))
    else {
      const coveredSeq = catalog.events.newest()
      catalog.own.recordMade(id, { stem: `snap/own/${ms}`, madeMs: ms, coveredSeq, bytes: 1, versions: 8 })
    }
    this.#control.ended(workflowId)
  }

  #run(kind: 'retention' | 'mirror', workflowId: string, name: string, repositoryId: string | null) {
    const { timeline } = this.#world
    const runId = this.#control.runIdOf(workflowId)
    const common = { kind, vmId: null, vmName: name, repositoryId, stem: null, site: '', requestedBy: by }
    const started = { workflowId, runId, startedMs: timeline.nowMs, ...common }
    const end = async (error: ErrorCode | null): Promise<void> => {
      const nothing = { residue: [], summary: '', bytesRead: 0, bytesStored: 0, made: null }
      await this.#records.recordRunFinished({
        ...{ workflowId, runId, started, outcome: error === null ? 'completed' : 'failed', finishedMs: timeline.nowMs },
        ...{ error: error && { ...note(error), code: error, retry: codes[error].retry, causes: [] }, ...nothing },
      })
      this.#control.ended(workflowId)
      if (error !== null) this.#soon()
    }
    return { runId, started, end }
  }

  /** Look, plan, wait for time or a person, look again, put tombstones. */
  async #sweep(workflowId: string, input: SweepInput): Promise<void> {
    const { timeline, diary, catalog } = this.#world
    const { repository, maxShare } = input
    const { runId, started, end } = this.#run('retention', workflowId, repository.name, repository.id)
    await this.#records.recordRunStarted(started)
    const fromMs = timeline.nowMs
    const entry: SweepEntry = {
      ...{
        repository: repository.id,
        fromMs,
        plannedMs: fromMs,
        untilMs: fromMs,
        removed: 0,
        spared: 0,
        end: 'completed',
        asked: null,
      },
    }
    diary.sweeps.push(entry)
    const common = { runId, repositoryId: repository.id, maxShare }
    const approvalRequired = input.approval === 'required'
    const done = async (state: 'completed' | 'declined'): Promise<void> => {
      entry.end = state
      entry.untilMs = timeline.nowMs
      await this.#retention.recordSweepState({ runId, state, endedMs: timeline.nowMs })
      await end(null)
    }
    this.#reached(repository.id, timeline.nowMs + minute, async () => {
      const survey = await this.#survey(repository.id)
      entry.plannedMs = timeline.nowMs
      const plan = await this.#retention.planSweep({ ...common, workflowId, survey, dryRun: false, approvalRequired })
      if (plan.going === 0) return done('completed')
      const needsPerson = approvalRequired || plan.asking > 0
      const timeoutMs = needsPerson ? input.approveWithinMs : input.graceMs
      const untilMs = timeline.nowMs + timeoutMs
      const waits = { for: needsPerson ? ('approval' as const) : ('grace' as const), untilMs }
      await this.#retention.recordSweepState({ runId, state: 'waiting', waits })
      // One in five is never looked at.
      const answersMs = needsPerson && this.#random.chance(0.8) ? 2 * hour + this.#random.next() * day : null
      if (needsPerson) {
        entry.asked = { fromMs: timeline.nowMs, untilMs }
        catalog.runs.observe(runId, { state: 'waiting' })
        this.#soon()
      }
      this.#reached(repository.id, answersMs === null ? untilMs : timeline.nowMs + answersMs, async () => {
        const isApproved = answersMs !== null
        if (entry.asked) {
          entry.asked.untilMs = timeline.nowMs
          catalog.runs.observe(runId, { state: 'running' })
          this.#soon()
        }
        if (!isApproved && input.approval === 'required') return done('declined')
        const approval = { user: 'operator', reason: 'looked at', ms: timeline.nowMs }
        await this.#retention.recordSweepState({ runId, state: 'removing', ...(isApproved && { approval }) })
        const again = await this.#survey(repository.id)
        const confirmed = await this.#retention.confirmSweep({ ...common, survey: again, isApproved })
        entry.spared += confirmed.spared
        await this.#remove(entry, runId)
        await done('completed')
      })
    })
  }

  #pointOf(stem: string): PointEntry | undefined {
    const { points } = this.#world.diary
    for (const point of points.slice(this.#byStem.size)) this.#byStem.set(point.stem, point)
    return this.#byStem.get(stem)
  }

  async #remove(entry: SweepEntry, runId: string): Promise<void> {
    const { timeline, stores } = this.#world
    const store = stores.get(entry.repository)
    const common = { runId, repositoryId: entry.repository, by: 'sweep:year', atMs: timeline.nowMs }
    for (let next = await this.#retention.nextSweepBatch({ ...common, done: null }); ;) {
      entry.spared += next.spared
      const { points } = next
      if (points.length === 0 || store === undefined) return
      const refused = store.tombstone(points.map(({ stem }) => stem))
      entry.removed += points.length - refused.length
      next = await this.#retention.nextSweepBatch({ ...common, done: { points, refused } })
    }
  }

  async #survey(repositoryId: string): Promise<Survey> {
    const blobs: string[] = []
    const parts = this.#world.stores.get(repositoryId)?.survey() ?? []
    for (const part of parts) blobs.push(await this.#blobs.put(packBlob(part), 'text/plain'))
    const points = parts.reduce((sum, part) => sum + part.points.length, 0)
    return { blobs, points, series: 0, held: 0, atMs: this.#world.timeline.nowMs }
  }

  /** All that is wanted, in its batches; one that cannot be copied is tried again by itself, later. */
  async #mirror(workflowId: string, { source, target }: MirrorInput): Promise<void> {
    const { timeline, faults, stores, diary } = this.#world
    const { runId, started, end } = this.#run('mirror', workflowId, target.name, target.id)
    await this.#records.recordRunStarted(started)
    let failed = 0
    const turn = async (done: Done): Promise<void> => {
      const of = { runId, sourceId: source.id, targetId: target.id, wants: true }
      const { copies } = await this.#mirrors.nextCopies({ ...of, done, atMs: timeline.nowMs })
      if (copies.length === 0) return end(failed === 0 ? null : 'MirrorIncomplete')
      this.#goes(timeline.nowMs + 20_000, async () => {
        const isAway = [source.id, target.id].some((id) => faults.at('repository', id, timeline.nowMs))
        if (isAway) failed += copies.length
        const bytes = { storedBytes: 0, verifiedBytes: 0, lockUntilMs: null }
        await turn(
          copies.map(({ pointId, stem }): Done[number] => {
            if (isAway) return { pointId, stem, ...bytes, outcome: 'failed', problem: 'a repository does not answer' }
            const point = this.#pointOf(stem)
            if (point === undefined) throw new Error(`${stem} was never made`)
            const [, series = ''] = stem.split('/')
            const { origin, vm, createdMs: timeMs } = point
            stores.get(target.id)?.put({ stem, series, snap: pointId, vm, origin, timeMs })
            diary.copies.push(stem)
            return { pointId, stem, ...bytes, outcome: 'mirrored', problem: null }
          }),
        )
      })
    }
    await turn([])
  }

  /** Then, or when the repository and what goes on with the work are there. */
  #reached(repositoryId: string, ms: number, work: () => Promise<void>): void {
    const { timeline, faults } = this.#world
    this.#goes(ms, () => {
      const away = faults.at('repository', repositoryId, timeline.nowMs)
      if (away === undefined) return work()
      this.#reached(repositoryId, away.untilMs + 1000, work)
      return undefined
    })
  }

  #goes(ms: number, work: () => void | Promise<void>): void {
    const { timeline, faults } = this.#world
    timeline.at(ms, () => {
      const away = faults.at('server', '', timeline.nowMs) ?? faults.at('engine', '', timeline.nowMs)
      if (away === undefined) return work()
      this.#goes(away.untilMs + 1000, work)
    })
  }
}

function note(code: ErrorCode) {
  return { code, message: 'it does not answer', hint: 'Wait.', docs: '' }
}
