import { and, asc, eq, isNull, like, ne } from 'drizzle-orm'
import { HoldfastError } from '../base/index.ts'
import {
  isCycleDue,
  pairRefusal,
  type ReplicationAct,
  type ReplicationState,
  type SiblingPair,
} from '../policy/index.ts'
import { inTransaction, type CatalogContext } from './context.ts'
import { endpoints, replications, runs, vms } from './schema.ts'
import type { ErrorNote, StandbyRef } from './types.ts'

type ReplicationRow = typeof replications.$inferSelect
export interface ReplicationView extends ReplicationRow {
  readonly vmName: string
  readonly endpointName: string
  readonly sourceEndpointName: string
  /** A run acts on it now. */
  readonly isActing: boolean
  /** The other pairs of its VM. */
  readonly siblings: readonly SiblingPair[]
}
interface NewReplication {
  readonly id: string
  readonly vmId: string
  readonly endpointId: string
  readonly name: string
  readonly rpoMs: number
}
/** `was`: its state before the run; of one that begins twice, what the first time made of it. */
interface BegunReplication extends ReplicationView {
  readonly was: ReplicationState
}
/** A state that came whole. */
export interface ReplicatedState {
  readonly pointId: string
  readonly atMs: number
  readonly links: number
  readonly storedBytes: number
  readonly standby: StandbyRef
}
type Change = Partial<Pick<ReplicationRow, 'fence' | 'movedMs' | 'lostMs' | 'standby'>>

export interface ReplicationQueries {
  /** Throws NameTaken if the VM has a standby there already. */
  add(pair: NewReplication): ReplicationView
  /** By id, or by the id or name of its VM if that has one standby. Throws NotFound. */
  find(name: string): ReplicationView
  list(): ReplicationView[]
  /** Whose cycle begins by itself now. */
  due(nowMs: number): ReplicationView[]
  set(id: string, change: { readonly rpoMs?: number | undefined; readonly isPaused?: boolean | undefined }): void
  /**
   * From now on this run acts on the pair; idempotent for the run. `aside`: it takes the place of a cycle. Throws
   * ReplicationRefused for what its state, or that of another pair of the VM, does not allow, Busy while another run acts
   * or, of what moves the guest, the VM is being restored in place.
   */
  begin(id: string, act: ReplicationAct, runId: string, atMs: number, aside?: boolean): BegunReplication
  /** A cycle that another run has pushed aside tells nothing. */
  cycled(
    id: string,
    runId: string,
    made: ReplicatedState & { readonly bytes: number; readonly durationMs: number; readonly endedMs: number },
  ): void
  /** How the run ended that acts; `state` null: as it is written down, for one that knows no more. */
  ended(
    id: string,
    runId: string,
    end: {
      readonly state: ReplicationState | null
      readonly error: ErrorNote | null
      readonly atMs: number
      readonly change: Change
      readonly head: ReplicatedState | null
    },
  ): void
  /** What came of a test of the standby. */
  tested(id: string, test: { readonly outcome: 'answered' | 'silent' | 'failed'; readonly atMs: number }): void
  remove(id: string): void
}

export function replicationQueries(context: CatalogContext): ReplicationQueries {
  const { db, publish, now } = context
  const rows = (id?: string): ReplicationView[] =>
    db
      .select({ row: replications, vm: vms, endpointName: endpoints.name, ranMs: runs.endedMs, ran: runs.runId })
      .from(replications)
      .leftJoin(vms, eq(vms.id, replications.vmId))
      .leftJoin(endpoints, eq(endpoints.id, replications.endpointId))
      .leftJoin(runs, eq(runs.runId, replications.runId))
      .where(id === undefined ? undefined : eq(replications.id, id))
      .orderBy(asc(vms.name), asc(replications.id))
      .all()
      .map(({ row, vm, endpointName, ran, ranMs }) => ({
        ...row,
        vmName: vm?.name ?? row.vmId,
        endpointName: endpointName ?? row.endpointId,
        sourceEndpointName: nameOf(vm?.endpointId ?? null),
        isActing: row.act !== null && ran !== null && ranMs === null,
        siblings: siblingsOf(row),
      }))
  const restoreOf = (vmId: string) =>
    db
      .select({ title: runs.title })
      .from(runs)
      .where(
        and(
          ...[eq(runs.vmId, vmId), eq(runs.kind, 'restore'), isNull(runs.endedMs)],
          like(runs.workflowId, 'restore/in-place/%'),
        ),
      )
      .get()
  const siblingsOf = ({ id, vmId }: ReplicationRow): SiblingPair[] =>
    db
      .select({ name: replications.name, endpointId: replications.endpointId, state: replications.state })
      .from(replications)
      .where(and(eq(replications.vmId, vmId), ne(replications.id, id)))
      .orderBy(asc(replications.id))
      .all()
      .map(({ name, endpointId, state }) => ({ name, endpointName: nameOf(endpointId), state }))
  const backupOf = (vmId: string): number | null =>
    db
      .select({ startedMs: runs.startedMs })
      .from(runs)
      .where(and(eq(runs.vmId, vmId), eq(runs.kind, 'backup'), isNull(runs.endedMs)))
      .orderBy(asc(runs.startedMs))
      .get()?.startedMs ?? null
  const nameOf = (id: string | null): string =>
    (id === null ? undefined : db.select().from(endpoints).where(eq(endpoints.id, id)).get()?.name) ?? id ?? ''
  const get = (id: string): ReplicationView => {
    const [found] = rows(id)
    if (found) return found
    throw new HoldfastError('NotFound', `there is no replication ${id}`, {
      hint: 'List them with `holdfast replication list`.',
    })
  }
  const allow = (row: ReplicationView, act: ReplicationAct): ReplicationView => {
    const refusal = pairRefusal(row, act)
    if (refusal === null) return row
    throw new HoldfastError('ReplicationRefused', `no ${act} of ${row.vmName}: ${refusal}`)
  }
  const update = (id: string, change: Partial<ReplicationRow>): void => {
    db.update(replications).set(change).where(eq(replications.id, id)).run()
    publish('replication', id)
  }
  return {
    add(pair) {
      return inTransaction(context, () => {
        const where = and(eq(replications.vmId, pair.vmId), eq(replications.endpointId, pair.endpointId))
        if (db.select().from(replications).where(where).get())
          throw new HoldfastError('NameTaken', `${pair.vmId} has a standby on ${pair.endpointId} already`, {
            hint: 'One standby of a VM on a hypervisor is enough: see `holdfast replication list`.',
          })
        db.insert(replications)
          .values({
            ...pair,
            ...{ isPaused: false, state: 'seeding', links: 0, storedBytes: 0, failures: 0, createdMs: now() },
          })
          .run()
        publish('replication', pair.id)
        return get(pair.id)
      })
    },
    find(name) {
      const all = rows()
      const found = all.filter(({ id, vmId, vmName }) => [id, vmId, vmName].includes(name))
      const [first, second] = found
      if (first === undefined) return get(name)
      if (second === undefined || first.id === name) return first
      throw new HoldfastError('InvalidRequest', `${name} has ${found.length} standbys`, {
        hint: `Name one by its id: ${found.map(({ id }) => id).join(', ')}.`,
      })
    },
    list: () => rows(),
    due: (nowMs) =>
      rows().filter((row) => !row.isActing && isCycleDue({ nowMs, ...row, backupMs: backupOf(row.vmId) })),
    set(id, { rpoMs, isPaused }) {
      get(id)
      update(id, { ...(rpoMs !== undefined && { rpoMs }), ...(isPaused !== undefined && { isPaused }) })
    },
    begin(id, act, runId, atMs, aside = false) {
      return inTransaction(context, () => {
        const row = get(id)
        if (row.runId === runId && row.act === act) return { ...row, was: row.state }
        // It takes nothing from the pair: cycles go on beside it.
        if (act === 'test') return { ...allow(row, act), was: row.state }
        if (row.isActing && !(aside && row.act === 'cycle'))
          throw new HoldfastError('Busy', `a ${row.act} of the standby of ${row.vmName} is under way`, {
            hint: 'Wait for it, or cancel its run.',
          })
        allow(row, act)
        const restore = act === 'failover' || act === 'failback' ? restoreOf(row.vmId) : undefined
        if (restore !== undefined)
          throw new HoldfastError('Busy', `${restore.title} in place is under way`, {
            hint: 'It stops and starts the source: wait for it, or cancel its run.',
          })
        update(id, {
          runId,
          act,
          ...(act === 'cycle' && { triedMs: atMs, endedMs: null }),
          ...(act === 'failover' && { state: 'failing-over' }),
          ...(act === 'failback' && { state: 'failing-back' }),
        })
        return { ...get(id), was: row.state }
      })
    },
    cycled(id, runId, { pointId, atMs, links, storedBytes, standby, bytes, durationMs, endedMs }) {
      inTransaction(context, () => {
        const [row] = rows(id)
        if (row === undefined || row.runId !== runId) return
        update(id, {
          ...{ headPoint: pointId, headMs: atMs, links, storedBytes, standby, endedMs, failures: 0, error: null },
          ...{ cycleBytes: bytes, cycleMs: durationMs },
          // Only a standby that follows takes a state.
          ...(row.act === 'cycle' && { state: 'following' }),
          ...(row.act === 'cycle' && { act: null }),
        })
      })
    },
    ended(id, runId, { state, error, atMs, change, head }) {
      inTransaction(context, () => {
        const [row] = rows(id)
        if (row === undefined || row.runId !== runId || row.act === null) return
        update(id, {
          ...change,
          ...(head && {
            ...{ headPoint: head.pointId, headMs: head.atMs, links: head.links },
            ...{ storedBytes: head.storedBytes, standby: head.standby },
          }),
          // It holds nothing any more that is known.
          ...(state === 'seeding' && { headPoint: null, headMs: null, links: 0 }),
          ...{ act: null, endedMs: atMs, state: state ?? row.state },
          ...(row.act === 'cycle' && { failures: error === null ? row.failures : row.failures + 1 }),
          error,
        })
      })
    },
    tested(id, { outcome, atMs }) {
      if (rows(id).length > 0) update(id, { testedMs: atMs, testOutcome: outcome })
    },
    remove(id) {
      db.delete(replications).where(eq(replications.id, id)).run()
      publish('replication', id)
    },
  }
}
