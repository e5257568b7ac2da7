import { createPlanActivities } from '../../activities/plan/index.ts'
import type { NextPlanVm, PlanVmEnd } from '../../activities/plan/types.ts'
import { createRecordActivities } from '../../activities/record/index.ts'
import { testSeal } from '../../evidence/testing.ts'
import type { RunStarted } from '../../activities/record/types.ts'
import { HoldfastError, toHoldfastError, type ErrorCode } from '../../base/index.ts'
import type { RunKind } from '../../catalog/types.ts'
import { nextOccurrences, timingOf, type PlanSpec } from '../../policy/index.ts'
import { backupWorkflowId } from '../../workflows/backup/contract.ts'
import { scheduledRunId } from '../../workflows/plan/contract.ts'
import type { Random } from '../simulation/random.ts'
import type { World } from './control.ts'
import type { BackupEntry, PlanRunEntry, PointEntry } from './diary.ts'
import { minute, type EstateVm } from './estate.ts'

const second = 1000
/** How long a step waits for a repository before it is given up. */
const patienceMs = 25 * minute
const by = { user: 'year', reason: '' }

export type EndedBackup = Pick<PlanVmEnd, 'state' | 'runId' | 'detail' | 'mayRetry'>

/**
 * Runs of plans as the workflow conducts them, lane by lane, with the real steps that choose the VMs and write down what
 * came of each. When each goes on is told to the timeline.
 */
export class Runs {
  readonly #world: World
  readonly #random: Random
  readonly #soon: () => void
  readonly #plans
  readonly #records
  readonly #underWay = new Set<string>()
  readonly #busy = new Set<string>()
  /** VMs that a run of their plan still has to back up, or is backing up. */
  readonly #onTurn = new Set<string>()
  readonly #vms: ReadonlyMap<string, EstateVm>
  #nth = 0
  /** VMs and plans with which something is amiss: whatever becomes of them is news. */
  readonly #amiss = new Set<string>()
  readonly #newestMs = new Map<string, number>()
  /** No more faults by chance from here on. */
  isQuiet = false

  constructor(world: World, random: Random, soon: () => void) {
    this.#world = world
    this.#random = random
    this.#soon = soon
    this.#plans = createPlanActivities(world.catalog)
    this.#records = createRecordActivities(world.catalog, testSeal)
    this.#vms = new Map(world.estate.vms.map((vm) => [vm.id, vm]))
  }

  /** As the engine does: at each time that the schedule names, spread by its jitter, made up for within its window, never two at once. */
  follow(plan: PlanSpec, untilMs: number): void {
    const { timeline } = this.#world
    const timing = timingOf(plan.schedule)
    const [next] = nextOccurrences(plan.schedule, plan.timeZone, timeline.nowMs, 1)
    if (timing === null || next === undefined || next.atMs > untilMs) return
    const { atMs: dueMs } = next
    timeline.at(dueMs, () => {
      this.follow(plan, untilMs)
      const spreadMs = Math.floor(this.#random.next() * timing.jitterMs)
      this.#whenUp(dueMs + spreadMs, () => this.#start(plan, dueMs, timing.catchupMs + spreadMs + second))
    })
  }

  async #start(plan: PlanSpec, dueMs: number, inTimeMs: number): Promise<void> {
    const { timeline, diary } = this.#world
    const came = timeline.nowMs - dueMs <= inTimeMs && !this.#busy.has(plan.name)
    diary.starts.push({ plan: plan.name, dueMs, came })
    if (!came) {
      this.#amiss.add(plan.name)
      return
    }
    this.#busy.add(plan.name)
    const planRun = scheduledRunId(plan.name, dueMs)
    const runId = this.#newRun()
    const started = this.#begin('plan', { workflowId: planRun, runId, name: plan.name, vmId: null, repositoryId: null })
    const nowMs = timeline.nowMs
    const entry: PlanRunEntry = {
      ...{ plan: plan.name, startedMs: nowMs, openedMs: nowMs, endedMs: null, ok: false, turns: [] },
    }
    diary.planRuns.push(entry)
    await this.#records.recordRunStarted(started)
    const opened = await this.#plans.openPlanRun({
      ...{ planRun, runId, plan: plan.name, trigger: 'schedule', again: null, atMs: nowMs, goesOnUntilMs: null },
    })
    for (const { vmId } of this.#world.catalog.planRuns.vms(planRun, { limit: 200 }).items) {
      entry.turns.push({ vm: vmId, fromMs: nowMs, untilMs: null })
      this.#onTurn.add(vmId)
    }
    let lanes = Math.min(opened.concurrency, opened.vms)
    const close = async (): Promise<void> => {
      const { counts } = await this.#plans.closePlanRun({ planRun, rest: null })
      const missing = counts.failed + counts.cancelled
      entry.endedMs = timeline.nowMs
      entry.ok = missing === 0
      this.#busy.delete(plan.name)
      await this.#finish(started, missing === 0 ? null : ['PlanIncomplete', `${missing} VMs were not backed up`])
    }
    const laneEnds = async (): Promise<void> => {
      lanes -= 1
      if (lanes === 0) await close()
    }
    if (lanes === 0) return close()
    for (let lane = 0, all = lanes; lane < all; lane += 1)
      await this.#lane(entry, planRun, String(lane), 0, null, laneEnds)
  }

  async #lane(
    entry: PlanRunEntry,
    planRun: string,
    lane: string,
    turn: number,
    ended: PlanVmEnd | null,
    laneEnds: () => Promise<void>,
  ): Promise<void> {
    const { timeline } = this.#world
    const go = (done: PlanVmEnd | null) => this.#lane(entry, planRun, lane, turn + 1, done, laneEnds)
    const wants = { planRun, lane: `0/${lane}`, turn, ended, wants: true, requestedBy: by }
    const { next, againMs } = await this.#plans.nextPlanVm(wants)
    if (next !== null) {
      const vm = next.input.vm.id
      if (next.attempt > 1) entry.turns.push({ vm, fromMs: timeline.nowMs, untilMs: null })
      this.#onTurn.add(vm)
      return this.backUp(next, async (end) => {
        const turnOf = entry.turns.findLast((one) => one.vm === vm)
        if (turnOf) turnOf.untilMs = timeline.nowMs
        this.#onTurn.delete(vm)
        await go({ position: next.position, attempt: next.attempt, ...end })
      })
    }
    if (againMs === null) return laneEnds()
    this.#whenUp(Math.max(againMs, timeline.nowMs + second), () => go(null))
  }

  /** One backup to its end, whatever happens on the way. */
  async backUp(
    { input, vmName }: Pick<NextPlanVm, 'input' | 'vmName'>,
    ends: (end: EndedBackup) => Promise<void>,
  ): Promise<void> {
    const { timeline, diary, faults } = this.#world
    const { vm: target, repository } = input
    const workflowId = backupWorkflowId(target.id)
    const nothing = { runId: null, detail: 'another backup of this VM is under way', mayRetry: true }
    if (this.#underWay.has(target.id)) {
      this.#whenUp(timeline.nowMs + second, () => ends({ state: 'failed', ...nothing }))
      return
    }
    this.#underWay.add(target.id)
    const runId = this.#newRun()
    const of = { workflowId, runId, name: vmName, vmId: target.id, repositoryId: repository.id }
    const started = this.#begin('backup', of)
    await this.#records.recordRunStarted(started)
    const entry: BackupEntry = { vm: target.id, startedMs: timeline.nowMs, endedMs: null, ok: false }
    diary.backups.push(entry)
    if (this.isLate(target.id)) this.#amiss.add(target.id)
    if (this.#amiss.has(target.id)) this.#soon()
    const vm = this.#vms.get(target.id)
    if (vm === undefined) throw new Error(`${target.id} is in no list`)
    const fail = async (code: ErrorCode, message: string): Promise<void> => {
      entry.endedMs = timeline.nowMs
      this.#underWay.delete(target.id)
      await this.#finish(started, [code, message])
      await ends({ state: 'failed', runId, detail: message, mayRetry: true })
    }
    const isGone = (fromMs: number): boolean => faults.touches('hypervisor', vm.hypervisor, fromMs, timeline.nowMs + 1)
    const commit = async (createdMs: number): Promise<void> => {
      await this.#record(input, { createdMs, workflowId, runId })
      entry.endedMs = timeline.nowMs
      entry.ok = true
      this.#underWay.delete(target.id)
      await this.#finish(started, null)
      await ends({ state: 'completed', runId, detail: '', mayRetry: false })
    }
    const copied = async (createdMs: number): Promise<void> => {
      if (isGone(createdMs)) return fail('HypervisorTimeout', `${vm.hypervisor} does not answer`)
      const away = faults.at('repository', repository.id, timeline.nowMs)
      if (away && away.untilMs > timeline.nowMs + patienceMs)
        return this.#whenUp(
          timeline.nowMs + patienceMs,
          () => fail('StoreUnavailable', `${repository.name} is away`),
          vm,
        )
      if (away) return this.#whenUp(away.untilMs + second, () => copied(createdMs), vm)
      if (!this.isQuiet && this.#random.chance(1 / 150)) return fail('QuiesceFailed', 'the guest did not freeze')
      await commit(createdMs)
    }
    this.#whenUp(
      timeline.nowMs + 20 * second,
      async () => {
        const createdMs = timeline.nowMs
        if (isGone(createdMs))
          return this.#whenUp(createdMs + minute, () => fail('HypervisorTimeout', `${vm.hypervisor} is away`), vm)
        const slow = faults.at('slow', vm.site, createdMs) ? 40 : 1
        const takesMs = vm.takesMs * slow * (0.8 + 0.4 * this.#random.next())
        this.#whenUp(createdMs + takesMs, () => copied(createdMs), vm)
      },
      vm,
    )
  }

  async #record(
    input: NextPlanVm['input'],
    { createdMs, workflowId, runId }: { createdMs: number; workflowId: string; runId: string },
  ): Promise<void> {
    const { timeline, stores, diary } = this.#world
    const { vm, repository, plan = null, origin } = input
    const series = seriesIdOf(vm.id)
    const pointId = (++this.#nth).toString(16).padStart(32, '0')
    const stem = `snap/${series}/${createdMs.toString(16).padStart(16, '0')}-${pointId}`
    const knownMs = timeline.nowMs
    stores.get(repository.id)?.put({ stem, series, snap: pointId, vm: vm.ref.name, origin, timeMs: createdMs })
    await this.#records.recordPoint({
      ...{ workflowId, runId, vmId: vm.id, repositoryId: repository.id, stem, pointId, series, parentPointId: null },
      ...{ createdMs, validatedMs: knownMs, origin, name: input.name, description: null, plan },
      ...{ consistency: 'filesystem', freezeDurationMs: 100, atRest: null, disks: [], manifestBytes: 4096, refs: [] },
    })
    const point: PointEntry = { stem, vm: vm.id, repository: repository.id, plan, origin, createdMs, knownMs }
    diary.points.push(point)
    if (this.isLate(vm.id)) this.#amiss.add(vm.id)
    this.#newestMs.set(vm.id, createdMs)
    this.onPoint(point)
  }

  /** Whether it may be more than its grace behind: looked at then, beside the looks of every hour. */
  isLate(vm: string): boolean {
    const { timeline, rpoOf } = this.#world
    const newestMs = this.#newestMs.get(vm)
    if (newestMs === undefined) return true
    const rpoMs = rpoOf(vm)
    const isOnTime = this.#onTurn.has(vm) && !this.#amiss.has(vm)
    return timeline.nowMs - newestMs > rpoMs + (isOnTime ? rpoMs / 4 : Math.min(rpoMs / 10, 15 * minute))
  }

  /** Told of each point. */
  onPoint: (point: PointEntry) => void = () => undefined

  #newRun(): string {
    return `01900000-0000-7000-8000-${(++this.#nth).toString(16).padStart(12, '0')}`
  }

  #begin(
    kind: RunKind,
    of: { workflowId: string; runId: string; name: string; vmId: string | null; repositoryId: string | null },
  ): RunStarted {
    const { workflowId, runId, name, vmId, repositoryId } = of
    const startedMs = this.#world.timeline.nowMs
    const more = { stem: null, site: '', startedMs, requestedBy: by }
    return { workflowId, runId, kind, vmId, vmName: name, repositoryId, ...more }
  }

  async #finish(started: RunStarted, error: readonly [ErrorCode, string] | null): Promise<void> {
    const { workflowId, runId } = started
    const { code, message, hint, docs, retry } = toHoldfastError(
      new HoldfastError(...(error ?? (['Internal', ''] as const))),
    )
    await this.#records.recordRunFinished({
      ...{ workflowId, runId, started, outcome: error === null ? 'completed' : 'failed' },
      error: error && { code, message, hint, docs, retry, causes: [] },
      ...{ finishedMs: this.#world.timeline.nowMs, residue: [], summary: '', bytesRead: 0, bytesStored: 0, made: null },
    })
    const whose = started.vmId ?? started.vmName
    if (error !== null) this.#amiss.add(whose)
    // That nothing is told where all is well is looked at from time to time.
    if (this.#amiss.has(whose) || this.#random.chance(1 / 100)) this.#soon()
    if (error === null) this.#amiss.delete(whose)
  }

  /** Then, or as soon as everything is there that it needs: the control plane, and with a VM the worker of its site. */
  #whenUp(ms: number, work: () => void | Promise<void>, vm?: Pick<EstateVm, 'site'>): void {
    const { timeline, faults } = this.#world
    timeline.at(ms, () => {
      const away =
        faults.at('server', '', timeline.nowMs) ??
        faults.at('engine', '', timeline.nowMs) ??
        (vm && faults.at('worker', vm.site, timeline.nowMs))
      if (away === undefined) return work()
      this.#whenUp(away.untilMs + second, work, vm)
    })
  }
}

/** 32 hex digits, the same for the same VM. */
export function seriesIdOf(vmId: string): string {
  return Buffer.from(vmId.padEnd(16, '.').slice(-16)).toString('hex')
}
