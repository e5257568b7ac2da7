import { and, count, desc, eq, isNull, sql } from 'drizzle-orm'
import { HoldfastError } from '../base/index.ts'
import type { RecoveryMode, RecoverySpec } from '../policy/index.ts'
import { inTransaction, type CatalogContext } from './context.ts'
import { afterCursor, rowsFor, toPage, type Page, type PageRequest } from './page.ts'
import { isSameJson } from './revision.ts'
import { recoveryRuns, runs } from './schema.ts'
import type { MemberRecord, RecoveryRunState, TierAnswer, TierRecord, TierState, TierWait } from './types.ts'

export type RecoveryRunRow = typeof recoveryRuns.$inferSelect

export interface NewRecoveryRun {
  readonly runId: string
  readonly workflowId: string
  readonly planId: string
  readonly planName: string
  readonly mode: RecoveryMode
  readonly spec: Omit<RecoverySpec, 'name'>
  readonly untilMs: number | null
  readonly withoutPeople: boolean
  readonly requestedUser: string
  readonly startedMs: number
  /** By the id of a VM. */
  readonly vmNames: ReadonlyMap<string, string>
  /** By the id of a VM: which point it comes back from. */
  readonly points?: ReadonlyMap<string, string>
}
/** A member that is absent stays as it is. */
export interface TierChange {
  readonly state?: TierState
  readonly startedMs?: number
  readonly endedMs?: number
  readonly waitsFor?: TierWait | null
  readonly answer?: TierAnswer
}
export type MemberChange = Partial<Omit<MemberRecord, 'vmId' | 'vmName'>>

/** What a run does: a description and how often it is rehearsed are none of it. */
export type RecoveryDefinition = Omit<RecoverySpec, 'name' | 'description' | 'rehearseEveryMs'>

export interface RecoveryRunQueries {
  /** Idempotent by run id: what the plan says when the run begins is what it does. Throws AlreadyRunning. */
  open(run: NewRecoveryRun): RecoveryRunRow
  find(runId: string): RecoveryRunRow | undefined
  /** Throws NotFound. */
  get(runId: string): RecoveryRunRow
  /** Newest first. */
  list(page: PageRequest, filter?: { readonly planId?: string | undefined }): Page<RecoveryRunRow>
  /** Throws AlreadyRunning: the plan is under way, or a run for real of another one brings one of its VMs back. */
  requireFree(run: Pick<NewRecoveryRun, 'planId' | 'planName' | 'mode' | 'spec'>): void
  /** Those that have not ended; of one whose run has, nobody says anything any more. */
  openRuns(): RecoveryRunRow[]
  /** Closes those whose runs were terminated: they said nothing of their end. */
  closeLost(): void
  /** The newest that ended so; of a mode, if one is given; of `definition`: that did what it says, and nothing else. */
  newest(
    planId: string,
    filter?: {
      readonly mode?: RecoveryMode
      readonly state?: RecoveryRunState
      readonly definition?: RecoveryDefinition
      /** Of a definition with these VMs, whatever else it said. */
      readonly vmIds?: readonly string[]
    },
  ): RecoveryRunRow | undefined
  /** Times in which the tier waited for a person are added up by what it waits for. */
  noteTier(runId: string, key: string, change: TierChange, atMs: number): void
  noteMember(runId: string, key: string, vmId: string, change: MemberChange): void
  /** A tier that was not done has failed; one that never began is skipped, and so are VMs that were not begun. */
  close(runId: string, end: { readonly state: RecoveryRunState; readonly why: string; readonly endedMs: number }): void
}

export function recoveryRunQueries(context: CatalogContext): RecoveryRunQueries {
  const { db, publish } = context
  const find = (runId: string): RecoveryRunRow | undefined =>
    db.select().from(recoveryRuns).where(eq(recoveryRuns.runId, runId)).get()
  const get = (runId: string): RecoveryRunRow => {
    const found = find(runId)
    if (found) return found
    throw new HoldfastError('NotFound', `there is no run ${runId} of a recovery plan`)
  }
  const change = (runId: string, set: Partial<RecoveryRunRow>): void => {
    db.update(recoveryRuns).set(set).where(eq(recoveryRuns.runId, runId)).run()
    publish('recovery', runId)
  }
  const changeTier = (runId: string, key: string, work: (tier: TierRecord) => TierRecord): void => {
    inTransaction(context, () => {
      const { tiers } = get(runId)
      if (!tiers.some((tier) => tier.key === key)) throw new HoldfastError('NotFound', `the run has no tier ${key}`)
      change(runId, { tiers: tiers.map((tier) => (tier.key === key ? work(tier) : tier)) })
    })
  }
  const unended = (): RecoveryRunRow[] => db.select().from(recoveryRuns).where(isNull(recoveryRuns.endedMs)).all()
  const open = (): RecoveryRunRow[] =>
    unended().filter(({ runId }) => {
      const run = db.select({ endedMs: runs.endedMs }).from(runs).where(eq(runs.runId, runId)).get()
      return run === undefined || run.endedMs === null
    })
  const close: RecoveryRunQueries['close'] = (runId, end) => {
    inTransaction(context, () => {
      const { tiers, endedMs } = get(runId)
      if (endedMs !== null) return
      change(runId, { ...end, tiers: tiers.map((tier) => settled(tier, end.endedMs)) })
    })
  }
  const requireFree = (
    { planId, planName, mode, spec }: Parameters<RecoveryRunQueries['requireFree']>[0],
    self?: string,
  ): void => {
    const others = open().filter(({ runId }) => runId !== self)
    const refuse = (message: string, { workflowId, runId }: RecoveryRunRow): never => {
      throw new HoldfastError('AlreadyRunning', message, { data: { workflowId, runId } })
    }
    const same = others.find((other) => other.planId === planId)
    if (same !== undefined) refuse(`${planName} is under way`, same)
    if (mode !== 'run') return
    const vms = new Set(vmsOf(spec))
    for (const other of others) {
      const both = other.mode === 'run' ? vmsOf(other.spec).find((vmId) => vms.has(vmId)) : undefined
      if (both !== undefined) refuse(`${both} is being brought back by ${other.planName}`, other)
    }
  }
  return {
    find,
    get,
    close,
    requireFree: (run) => requireFree(run),
    open({ vmNames, points, ...run }) {
      return inTransaction(context, () => {
        // A step that is repeated, of a run that is written down, is no second run.
        if (find(run.runId) === undefined) requireFree(run, run.runId)
        const tiers = run.spec.tiers.map((tier): TierRecord => ({
          ...{ key: tier.key, name: tier.name, rtoMs: tier.rtoMs, state: 'pending', waitedMs: 0 },
          ...{ startedMs: null, endedMs: null, waitsFor: null, answers: [] },
          members: tier.members.map(({ vmId }) => ({
            ...{ vmId, vmName: vmNames.get(vmId) ?? vmId, name: null, workflowId: null },
            pointId: points?.get(vmId) ?? null,
            ...{ attempts: 0, state: 'pending', verdict: null, why: '' },
            ...{ restoreSeconds: null, bootSeconds: null, rtoSeconds: null },
          })),
        }))
        const row = { ...run, state: 'running' as const, why: '', tiers, endedMs: null }
        const { changes } = db
          .insert(recoveryRuns)
          .values(row)
          .onConflictDoNothing({ target: recoveryRuns.runId })
          .run()
        if (changes > 0) publish('recovery', run.runId)
        return get(run.runId)
      })
    },
    list(page, { planId } = {}) {
      const where = planId === undefined ? undefined : eq(recoveryRuns.planId, planId)
      const rows = db
        .select()
        .from(recoveryRuns)
        .where(and(where, afterCursor([sql`${recoveryRuns.startedMs}`, sql`${recoveryRuns.runId}`], 'desc', page)))
        .orderBy(desc(recoveryRuns.startedMs), desc(recoveryRuns.runId))
        .limit(rowsFor(page))
        .all()
      const total = db.select({ n: count() }).from(recoveryRuns).where(where).get()?.n ?? 0
      return toPage(
        rows,
        page,
        total,
        (row) => [row.startedMs, row.runId],
        (row) => row,
      )
    },
    openRuns: open,
    closeLost() {
      for (const { runId } of unended()) {
        const ended = db.select().from(runs).where(eq(runs.runId, runId)).get()
        if (ended === undefined || ended.endedMs === null) continue
        close(runId, {
          state: 'failed',
          why: `its run was ${ended.state} and said nothing of its end`,
          endedMs: ended.endedMs,
        })
      }
    },
    newest(planId, { mode, state, definition, vmIds } = {}) {
      const isMeant = (spec: Omit<RecoverySpec, 'name'>): boolean =>
        (definition === undefined || isSameDefinition(spec, definition)) &&
        (vmIds === undefined || isSameJson(vmsOf(spec).toSorted(), vmIds.toSorted()))
      const rows = db
        .select({ runId: recoveryRuns.runId, spec: recoveryRuns.spec })
        .from(recoveryRuns)
        .where(
          and(
            eq(recoveryRuns.planId, planId),
            mode === undefined ? undefined : eq(recoveryRuns.mode, mode),
            state === undefined ? undefined : eq(recoveryRuns.state, state),
          ),
        )
        .orderBy(desc(recoveryRuns.startedMs), desc(recoveryRuns.runId))
        .limit(definition === undefined && vmIds === undefined ? 1 : -1)
        .all()
      const found = rows.find(({ spec }) => isMeant(spec))
      return found && get(found.runId)
    },
    noteTier(runId, key, { answer, ...set }, atMs) {
      changeTier(runId, key, (tier) => {
        const endsWait = 'waitsFor' in set && tier.waitsFor !== null && set.waitsFor?.id !== tier.waitsFor.id
        return {
          ...tier,
          ...set,
          ...(endsWait ? waited(tier, atMs) : {}),
          answers:
            answer === undefined || tier.answers.some(({ id }) => id === answer.id)
              ? tier.answers
              : [...tier.answers, answer],
        }
      })
    },
    noteMember(runId, key, vmId, set) {
      changeTier(runId, key, (tier) => ({
        ...tier,
        members: tier.members.map((member) => (member.vmId === vmId ? { ...member, ...set } : member)),
      }))
    },
  }
}

function vmsOf({ tiers }: Pick<RecoverySpec, 'tiers'>): string[] {
  return tiers.flatMap(({ members }) => members.map(({ vmId }) => vmId))
}

/** Whether two definitions have a run do the same. */
export function isSameDefinition(a: RecoveryDefinition, b: RecoveryDefinition): boolean {
  return isSameJson(definitionOf(a), definitionOf(b))
}

function definitionOf({ hypervisorId, networks, identity, atOnce, tiers }: RecoveryDefinition): RecoveryDefinition {
  return { hypervisorId, networks, identity, atOnce, tiers }
}

function settled(tier: TierRecord, endedMs: number): TierRecord {
  const members = tier.members.map(settledMember)
  if (tier.state === 'done' || tier.state === 'continued') return { ...tier, members, waitsFor: null }
  const state = tier.startedMs === null ? 'skipped' : 'failed'
  return { ...tier, ...waited(tier, endedMs), state, members, waitsFor: null }
}

/** What was half-made is gone with the run; what was not begun never will be. */
function settledMember(member: MemberRecord): MemberRecord {
  if (member.state === 'pending') return { ...member, state: 'skipped' }
  if (member.state === 'recovering') return { ...member, state: member.residue?.length ? 'left' : 'removed' }
  return member
}

/** The wait of the tier has ended. */
function waited(
  { waitsFor, waitedMs, waits = [] }: TierRecord,
  endedMs: number,
): Pick<TierRecord, 'waitedMs' | 'waits'> {
  if (waitsFor === null) return { waitedMs, waits }
  const { sinceMs } = waitsFor
  const ended = { sinceMs, endedMs: Math.max(sinceMs, endedMs) }
  return { waitedMs: waitedMs + ended.endedMs - sinceMs, waits: [...waits, ended] }
}
