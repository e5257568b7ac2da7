/** Retention at the control plane: plans by the policies of the catalog, and writes down what became of them. */
import { createHash } from 'node:crypto'
import type { Catalog, HoldRow, NewSweep } from '../../catalog/index.ts'
import { snapOf, unknownRemover } from '../../catalog/index.ts'
import { emptyPolicy, noPolicy, rulesInWords, sharesOf, worthCollecting } from '../../policy/index.ts'
import type { EvidenceStore } from '../shared/deps.ts'
import { packBlob, readSurveyPart, type SurveyedPoint, type SurveyPart } from './blob.ts'
import { keptError, neededError } from './kept.ts'
import { keptByNow, planOf, type Plan } from './plan.ts'
import type { RetentionRecordActivities, Survey, SweepPlan } from './types.ts'

/** Points of one batch: input and result of a step stay below 8 KiB. */
export const batchSize = 40

/** The server's store of blobs: what is no longer needed goes. */
export interface BlobStore extends EvidenceStore {
  drop(sha256: string): Promise<void>
}

type ConfirmInput = Parameters<RetentionRecordActivities['confirmSweep']>[0]

export function createRetentionRecordActivities(catalog: Catalog, blobs: BlobStore): RetentionRecordActivities {
  const { pointIdOf } = catalog.copies
  return {
    planSweep: async ({ workflowId, runId, repositoryId, survey, ...wish }) => {
      const known = catalog.sweeps.find(runId)
      if (known === undefined) {
        const parts = await readParts(blobs, survey)
        catalog.transaction(() => {
          noteWhatIsThere(catalog, repositoryId, parts, survey.atMs)
          const plan = planOf(catalog, repositoryId, pointsOf(parts), survey.atMs)
          const { maxShare, dryRun, approvalRequired = null } = wish
          const sweep = { runId, workflowId, repositoryId, dryRun, maxShare, approvalRequired, plannedMs: survey.atMs }
          catalog.sweeps.record(rowsOf(plan, sweep, pointIdOf))
          catalog.retained.rememberPolicies(plan.remembered)
        })
      }
      await dropParts(blobs, survey)
      return summaryOf(catalog, runId)
    },
    confirmSweep: async (of) => {
      const { runId, survey } = of
      if ((catalog.sweeps.get(runId).confirmedMs ?? 0) < survey.atMs) {
        const parts = await readParts(blobs, survey)
        catalog.transaction(() => confirm(catalog, of, parts))
      }
      await dropParts(blobs, survey)
      return { going: catalog.sweeps.going(runId).length, spared: catalog.sweeps.get(runId).spared }
    },
    judgePoint: async ({ repositoryId, stem, survey }) => {
      const parts = await readParts(blobs, survey)
      const { points, planned } = planOf(catalog, repositoryId, pointsOf(parts), survey.atMs)
      const origin = points.find((one) => one.stem === stem)?.origin
      const mute: readonly string[] = [noPolicy, emptyPolicy, ...(origin === 'scheduled' ? [] : [origin ?? ''])]
      const by = planned.find(({ id }) => id === stem)?.keptBy.filter((rule) => !mute.includes(rule)) ?? []
      await dropParts(blobs, survey)
      const needed = catalog.retained.neededElsewhere(repositoryId).get(pointIdOf(stem))
      const others = by.filter((rule) => rule !== needed)
      if (others.length > 0) throw keptError(stem, `kept by ${others.join(', ')}`)
      if (by.length > 0) throw neededError(stem, needed ?? '')
    },
    recordSweepState: async ({ runId, state, waits, approval, endedMs }) => {
      catalog.sweeps.update(runId, {
        state,
        waitsFor: waits?.for ?? null,
        waitsUntilMs: waits?.untilMs ?? null,
        ...(approval !== undefined && { approval }),
        ...(endedMs !== undefined && { endedMs }),
      })
    },
    nextSweepBatch: async ({ runId, repositoryId, done, by, atMs }) => {
      if (done !== null) {
        const refused = new Map(done.refused.map(({ stem, why }) => [stem, why]))
        const gone = done.points.filter(({ stem }) => !refused.has(stem))
        catalog.transaction(() => {
          catalog.sweeps.mark(runId, [
            ...gone.map(({ stem, policy }) => ({ stem, state: 'removed' as const, why: noRuleOf(policy) })),
            ...[...refused].map(([stem, why]) => ({ stem, state: 'refused' as const, why })),
          ])
          for (const [policy, own] of Map.groupBy(gone, (point) => point.policy)) {
            const stems = own.map(({ stem }) => stem)
            catalog.retained.recordRemoved(repositoryId, stems, { ms: atMs, by, why: noRuleOf(policy) })
          }
        })
      }
      return catalog.transaction(() => nextBatch(catalog, runId, repositoryId))
    },
    prepareCollection: async ({ repositoryId, want, atMs }) => {
      const [last] = catalog.retained.collections(repositoryId, 1)
      const sinceMs = last?.startedMs ?? 0
      const worth = worthCollecting({
        // Sweeps also take points that the catalog does not list, and points also go without a sweep.
        removedSince: Math.max(
          catalog.retained.removedSince(repositoryId, sinceMs),
          catalog.sweeps.removedSince(repositoryId, sinceMs),
        ),
        waitingPacks: last?.report.waiting.packs ?? 0,
        lastMs: last?.endedMs ?? null,
        nowMs: atMs,
      })
      const why = worth ?? (want === 'always' ? 'it was asked for' : null)
      if (why === null) return { why, known: null }
      const believed = catalog.retained.believed(repositoryId)
      return { why, known: believed.length === 0 ? null : await blobs.put(packBlob(believed), 'text/plain') }
    },
    recordCollection: async ({ runId, repositoryId, startedMs, endedMs, why, known, summary }) => {
      catalog.retained.recordCollection({ runId, repositoryId, startedMs, endedMs, why, report: summary })
      if (known !== null) await blobs.drop(known)
    },
    recordHold: async ({ repositoryId, stem, hold, type, actor, reason, atMs }) => {
      catalog.retained.addHold({ name: hold, repositoryId, pointId: pointIdOf(stem), type, actor, reason, ms: atMs })
    },
    recordHolds: async ({ repositoryId, held, type, actor, reason, atMs: ms }) => {
      catalog.transaction(() => {
        for (const { stem, hold: name } of held)
          catalog.retained.addHold({ name, repositoryId, pointId: pointIdOf(stem), type, actor, reason, ms })
      })
    },
    recordRelease: async ({ holds }) => {
      for (const hold of holds) catalog.retained.dropHold(hold)
    },
    recordRemoval: async ({ repositoryId, stem, by, why, atMs }) => {
      catalog.retained.recordRemoved(repositoryId, [stem], { ms: atMs, by, why })
    },
  }
}

/**
 * What was to go and is kept by a rule, a guard or a person by now stays. So does a series of which too much would go by now,
 * because others of its points have gone meanwhile: what somebody has approved is decided, what waited for its time is not.
 */
function confirm(
  catalog: Catalog,
  { runId, repositoryId, survey: { atMs }, maxShare, isApproved }: ConfirmInput,
  parts: readonly SurveyPart[],
): void {
  noteWhatIsThere(catalog, repositoryId, parts, atMs)
  const { planned } = planOf(catalog, repositoryId, pointsOf(parts), atMs)
  const toGo = new Set(catalog.sweeps.going(runId))
  const spare = (stem: string, why: string) => ({ stem, state: 'spared' as const, why })
  // One that is gone meanwhile is found done by its batch.
  const spared = planned
    .filter(({ id, keptBy }) => keptBy.length > 0 && toGo.has(id))
    .map(({ id, keptBy }) => spare(id, `kept since the plan: ${keptBy.join(', ')}`))
  for (const { stem } of spared) toGo.delete(stem)
  if (!isApproved) {
    const now = planned.map(({ id, series }) => ({ id, series, keptBy: toGo.has(id) ? [] : ['not in the plan'] }))
    // Also a series that asked and would no longer, because of points that came while nobody answered.
    const asked = catalog.sweeps.askingSeries(runId)
    const asking = new Map(
      sharesOf(now, maxShare).flatMap((one) => (one.asks || asked.has(one.series) ? [[one.series, one] as const] : [])),
    )
    for (const { id, series } of now) {
      const share = asking.get(series)
      if (share === undefined || !toGo.has(id)) continue
      spared.push(spare(id, `${share.going} of ${share.points} points would go by now: the next sweep asks first`))
    }
  }
  catalog.sweeps.mark(runId, spared)
  catalog.sweeps.update(runId, { confirmedMs: atMs })
}

/**
 * The next points to go, looked at once more by what the catalog says now: what is held, read, wanted elsewhere or kept by
 * another policy since the last look stays, and so does what has become the newest sound point of its series.
 */
function nextBatch(catalog: Catalog, runId: string, repositoryId: string) {
  let spared = 0
  for (;;) {
    const points = catalog.sweeps.nextBatch(runId, batchSize)
    const kept = points.length === 0 ? new Map<string, string>() : keptByNow(catalog, runId, repositoryId, points)
    if (kept.size === 0) return { points, spared }
    spared += kept.size
    const marks = [...kept].map(([stem, by]) => ({ stem, state: 'spared' as const, why: `kept since the plan: ${by}` }))
    catalog.sweeps.mark(runId, marks)
  }
}

function noRuleOf(policy: string): string {
  return `no rule of ${policy} keeps it`
}

function rowsOf(
  plan: Plan,
  sweep: Omit<NewSweep['sweep'], keyof SweepPlan | 'state' | 'policies'>,
  pointIdOf: (stem: string) => string,
): NewSweep {
  const { points, planned, owners, policies } = plan
  const keptBy = new Map(planned.map((one) => [one.id, one.keptBy]))
  const shares = sharesOf(planned, sweep.maxShare)
  const named = new Map([...policies.values()].map((one) => [one.policy, one.rules]))
  const newestPolicy = new Map(points.toSorted((a, b) => a.timeMs - b.timeMs).map((one) => [one.series, one.stem]))
  const going = planned.filter((one) => one.keptBy.length === 0).map(({ id }) => id)
  return {
    sweep: {
      ...sweep,
      state: 'planned',
      digest: digestOf(going),
      points: points.length,
      going: going.length,
      series: shares.length,
      asking: shares.filter(({ asks }) => asks).length,
      orphans: shares.filter(({ series }) => (owners.get(series)?.orphan ?? null) !== null).length,
      policies: [...named].map(([name, rules]) => ({
        name,
        rules: rules === null ? 'not known: everything stays' : rulesInWords(rules),
      })),
    },
    series: shares.map((share) => {
      const { vmId, vmName, orphan } = owners.get(share.series) ?? { vmId: null, vmName: '', orphan: null }
      const policy = policies.get(newestPolicy.get(share.series) ?? '')?.policy ?? 'none'
      return { ...share, vmId, vmName, orphan, policy }
    }),
    points: points.map(({ stem, series, timeMs, origin }) => ({
      stem,
      series,
      timeMs,
      origin,
      pointId: pointIdOf(stem),
      policy: policies.get(stem)?.policy ?? 'none',
      keptBy: [...(keptBy.get(stem) ?? ['not planned'])],
    })),
  }
}

/** What a person agrees to: exactly these points. */
function digestOf(going: readonly string[]): string {
  return createHash('sha256')
    .update([...going].sort().join('\n'))
    .digest('hex')
    .slice(0, 16)
}

/** Holds as they are, and points that somebody tombstoned without us. */
function noteWhatIsThere(catalog: Catalog, repositoryId: string, parts: readonly SurveyPart[], atMs: number): void {
  const holds = parts.flatMap((part) => part.holds)
  // A copy that was made again has a name of its own: its hold is the point's all the same.
  const stems = new Map(holds.length === 0 ? [] : pointsOf(parts).map(({ stem }) => [snapOf(stem), stem]))
  catalog.retained.replaceHolds(
    repositoryId,
    holds.map(({ name, snap, type, actor, reason, ms }): HoldRow => {
      const stem = stems.get(snap)
      const pointId = stem === undefined ? snap : catalog.copies.pointIdOf(stem)
      return { name, repositoryId, pointId, type, actor, reason, ms }
    }),
    atMs,
  )
  const removed = parts.flatMap((part) => part.removed)
  const act = { ms: atMs, by: unknownRemover, why: 'a tombstone was found' }
  catalog.retained.recordRemoved(repositoryId, removed, act)
}

function summaryOf(catalog: Catalog, runId: string): SweepPlan {
  const { digest, points, series, going, asking, orphans } = catalog.sweeps.get(runId)
  const [worst] = catalog.sweeps.series(runId, { limit: 200 }).items.filter(({ asks }) => asks)
  const shown = worst === undefined ? null : { vm: worst.vmName, going: worst.going, points: worst.points }
  return { digest, points, series, going, asking, orphans, worst: shown }
}

function pointsOf(parts: readonly SurveyPart[]): SurveyedPoint[] {
  return parts.flatMap((part) => part.points)
}

async function readParts(blobs: BlobStore, survey: Survey): Promise<SurveyPart[]> {
  const parts: SurveyPart[] = []
  for (const blob of survey.blobs) parts.push(readSurveyPart(await blobs.get(blob)))
  return parts
}

async function dropParts(blobs: BlobStore, survey: Survey): Promise<void> {
  for (const blob of survey.blobs) await blobs.drop(blob)
}
