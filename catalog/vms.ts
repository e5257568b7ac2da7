import { and, eq, isNull, ne, sql } from 'drizzle-orm'
import { HoldfastError } from '../base/index.ts'
import {
  clockMovesMs,
  defaultCategories,
  defaultCategory,
  posture,
  type Category,
  type Posture,
} from '../policy/index.ts'
import { given, lazy } from './lazy.ts'
import { inTransaction, type CatalogContext } from './context.ts'
import type { Page, PageRequest } from './page.ts'
import { categories, endpoints, vms } from './schema.ts'
import { uniqueSlug } from './slug.ts'
import type { FindingNote, Platform, PowerState, VmDisk } from './types.ts'
import { changeVm, endExclusions, type VmChange } from './vm-changes.ts'
import { listVmIds, type VmFilter } from './vm-list.ts'

export type VmRow = typeof vms.$inferSelect
export interface VmView extends VmRow {
  readonly endpointName: string
  readonly platform: Platform
  readonly site: string
  /** Its category's, unless one was set for this VM alone. */
  readonly promised: Promised
  readonly posture: Posture
}
export type Promised = Pick<Category, 'rpoMs' | 'rtoMs' | 'quiesce' | 'drillEveryMs'>

/** A VM as a driver describes it (`VmFacts` fits). */
export interface DiscoveredVm {
  readonly vm: { readonly scope: string; readonly id: string; readonly name: string }
  readonly power: PowerState
  readonly tags: readonly string[]
  readonly disks: readonly VmDisk[]
  readonly guest: { readonly agent: 'running' | 'absent' | 'unknown'; readonly os: string | null }
  readonly foreignSnapshots: number
  readonly owner: { readonly installation: string; readonly name: string; readonly since: string } | null
  readonly findings: readonly FindingNote[]
}

/** VMs that were there, and are not left out on purpose. */
export interface GoneVms {
  readonly endpointId: string
  readonly endpointName: string
  /** Since the moment that was asked about. */
  readonly gone: number
  readonly left: number
  /** When the last one went. */
  readonly newestMs: number
  readonly names: string
}

export interface VmQueries {
  /**
   * One page of the listing `listing` (an id of its own); idempotent. A VM keeps the id of its first discovery,
   * whatever it is called later.
   */
  recordDiscovered(
    endpointId: string,
    listing: string,
    page: readonly DiscoveredVm[],
  ): { readonly added: number; readonly changed: number }
  /** After the last page of a complete listing: what it did not show is gone. */
  closeListing(endpointId: string, listing: string): { readonly gone: number }
  /** Of each hypervisor with VMs that it no longer lists since that moment: how many, and how many it lists still; also where it lists none at all. */
  goneSince(ms: number): GoneVms[]
  find(id: string): VmView | undefined
  /** Throws NotFound. */
  get(id: string): VmView
  /** By what its alerts are routed. */
  labels(id: string): Pick<VmRow, 'tags' | 'category'> | undefined
  findByRef(endpointId: string, scope: string, externalId: string): VmView | undefined
  list(page: PageRequest, filter?: VmFilter): Page<VmView>
  /**
   * `revision`: the one that was seen; null or absent: whatever is there. It goes up where something changes.
   * Throws NotFound, StaleRevision, InvalidRequest.
   */
  change(id: string, change: VmChange, revision?: number | null): VmView
  /** Protects again what was left out until now, and says what that was. */
  endExclusions(): { readonly id: string; readonly name: string }[]
}

export function vmQueries(context: CatalogContext): VmQueries {
  const { db, now, steadyNow, publish } = context
  const select = () =>
    db
      .select({ row: vms, endpointName: endpoints.name, platform: endpoints.platform, site: endpoints.site })
      .from(vms)
      .innerJoin(endpoints, eq(endpoints.id, vms.endpointId))
  const facts = lazy(() =>
    context.sqlite.prepare<
      [string, number, string, string, string, string, string],
      { newest: number | null; running: number; planned: number; usual: number | null; failed: number | null }
    >(
      `SELECT
          coalesce(
            (SELECT max(created_ms) FROM points WHERE vm_id = +? AND validated_ms IS NOT NULL AND created_ms <= +?),
            (SELECT max(created_ms) FROM points WHERE vm_id = +? AND validated_ms IS NOT NULL)) AS newest,
          EXISTS (SELECT 1 FROM runs INDEXED BY runs_open_of WHERE vm_id = +? AND kind = 'backup' AND ended_ms IS NULL) AS running,
          EXISTS (SELECT 1 FROM plan_run_vms m INDEXED BY plan_run_vms_open CROSS JOIN runs r ON r.workflow_id = m.plan_run
            WHERE m.vm_id = +? AND m.state IN ('waiting', 'running') AND r.kind = 'plan' AND r.ended_ms IS NULL) AS planned,
          (SELECT max(took) FROM (SELECT ended_ms - started_ms AS took FROM runs INDEXED BY runs_backups WHERE vm_id = +? AND kind = 'backup'
            AND state IN ('completed', 'completed-with-residue') ORDER BY started_ms DESC LIMIT 10)) AS usual,
          (SELECT state IN ('failed', 'terminated') FROM runs INDEXED BY runs_backups WHERE vm_id = +? AND kind = 'backup' AND ended_ms IS NOT NULL
            ORDER BY started_ms DESC, state DESC LIMIT 1) AS failed`,
    ),
  )
  const factsOf = (id: string, nowMs: number) => facts().get(id, nowMs + clockMovesMs, id, id, id, id, id)
  const specOf = lazy(() =>
    db
      .select({ spec: categories.spec })
      .from(categories)
      .where(eq(categories.name, given('name')))
      .prepare(),
  )
  const promisedTo = ({ category, override }: VmRow): Promised => {
    const row = specOf().get({ name: category })
    const { rpoMs, rtoMs, quiesce, drillEveryMs }: Promised = row?.spec ?? defaultCategories.standard
    return {
      rpoMs: override.rpoMs ?? rpoMs,
      rtoMs: override.rtoMs ?? rtoMs,
      quiesce: override.quiesce ?? quiesce,
      drillEveryMs: override.drillEveryMs ?? drillEveryMs,
    }
  }
  const view = (found: { row: VmRow; endpointName: string; platform: Platform; site: string }): VmView => {
    const nowMs = steadyNow()
    const facts = factsOf(found.row.id, nowMs)
    const promised = promisedTo(found.row)
    return {
      ...found.row,
      endpointName: found.endpointName,
      platform: found.platform,
      site: found.site,
      promised,
      posture: posture({
        nowMs,
        rpoMs: promised.rpoMs,
        excluded: found.row.excludedReason !== null,
        newestPointMs: facts?.newest ?? null,
        backupRunning: facts?.running === 1,
        inPlanRun: facts?.planned === 1,
        usualDurationMs: facts?.usual ?? null,
        lastAttemptFailed: facts?.failed === 1,
      }),
    }
  }
  const byId = lazy(() =>
    select()
      .where(eq(vms.id, given('id')))
      .prepare(),
  )
  const find = (id: string): VmView | undefined => {
    const found = byId().get({ id })
    return found && view(found)
  }
  const get = (id: string): VmView => {
    const found = find(id)
    if (!found) throw new HoldfastError('NotFound', `there is no VM ${id}`)
    return found
  }
  const labels = lazy(() =>
    db
      .select({ tags: vms.tags, category: vms.category })
      .from(vms)
      .where(eq(vms.id, given('id')))
      .prepare(),
  )
  const ofRef = (endpointId: string, scope: string, externalId: string) =>
    and(eq(vms.endpointId, endpointId), eq(vms.scope, scope), eq(vms.externalId, externalId))

  const recordOne = (endpointId: string, listing: string, facts: DiscoveredVm): 'added' | 'changed' | 'same' => {
    const known = db
      .select()
      .from(vms)
      .where(ofRef(endpointId, facts.vm.scope, facts.vm.id))
      .get()
    const seen = {
      name: facts.vm.name,
      power: facts.power,
      tags: facts.tags,
      disks: facts.disks.map(({ key, label, size, format, role, skip, datastore }) => ({
        ...{ key, label, size, format, role, skip },
        ...(datastore !== undefined && { datastore }),
      })),
      sizeBytes: facts.disks.reduce((sum, disk) => sum + disk.size, 0),
      guestAgent: facts.guest.agent,
      os: facts.guest.os,
      foreignSnapshots: facts.foreignSnapshots,
      owner: facts.owner,
      findings: facts.findings,
      goneMs: null,
    }
    if (!known) {
      const id = uniqueSlug(
        facts.vm.name,
        (slug) => db.select({ id: vms.id }).from(vms).where(eq(vms.id, slug)).get() !== undefined,
      )
      const own = {
        id,
        endpointId,
        scope: facts.vm.scope,
        externalId: facts.vm.id,
        category: defaultCategory,
        drillChecks: [],
        override: {},
      }
      db.insert(vms)
        .values({ ...own, ...seen, listing, createdMs: now(), seenMs: now() })
        .run()
      publish('vm', id)
      return 'added'
    }
    const differs = Object.entries(seen).some(
      ([name, value]) => JSON.stringify(value) !== JSON.stringify(known[name as keyof VmRow]),
    )
    db.update(vms)
      .set({ ...seen, listing, seenMs: now() })
      .where(eq(vms.id, known.id))
      .run()
    if (differs) publish('vm', known.id)
    return differs ? 'changed' : 'same'
  }

  return {
    find,
    get,
    labels: (id) => labels().get({ id }),
    recordDiscovered(endpointId, listing, page) {
      return inTransaction(context, () => {
        const results = page.map((facts) => recordOne(endpointId, listing, facts))
        return {
          added: results.filter((one) => one === 'added').length,
          changed: results.filter((one) => one === 'changed').length,
        }
      })
    },
    closeListing(endpointId, listing) {
      return inTransaction(context, () => {
        const gone = db
          .update(vms)
          .set({ goneMs: now() })
          .where(and(eq(vms.endpointId, endpointId), ne(vms.listing, listing), isNull(vms.goneMs)))
          .returning({ id: vms.id })
          .all()
        for (const { id } of gone) publish('vm', id)
        db.update(endpoints).set({ discoveredMs: now() }).where(eq(endpoints.id, endpointId)).run()
        publish('hypervisor', endpointId)
        return { gone: gone.length }
      })
    },
    goneSince: (ms) =>
      db.all<GoneVms>(sql`
        SELECT e.id AS "endpointId", e.name AS "endpointName", count(*) FILTER (WHERE v.gone_ms >= ${ms}) AS gone,
          count(*) FILTER (WHERE v.gone_ms IS NULL) AS "left", max(v.gone_ms) AS "newestMs",
          coalesce(group_concat(v.name, ', ') FILTER (WHERE v.gone_ms >= ${ms}), '') AS names
        FROM vms v JOIN endpoints e ON e.id = v.endpoint_id WHERE v.excluded_reason IS NULL
        GROUP BY e.id HAVING gone > 0 OR ("left" = 0 AND "newestMs" IS NOT NULL) ORDER BY e.name`),
    findByRef(endpointId, scope, externalId) {
      const found = select()
        .where(ofRef(endpointId, scope, externalId))
        .get()
      return found && view(found)
    },
    list(page, filter = {}) {
      const { items, nextCursor, total } = listVmIds(context, page, filter)
      return { items: items.map(get), nextCursor, total }
    },
    endExclusions: () => endExclusions(context),
    change(id, change, revision = null) {
      return inTransaction(context, () => {
        changeVm(context, get(id), change, revision)
        return get(id)
      })
    },
  }
}
