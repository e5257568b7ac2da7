import { asc, eq, gt, sql } from 'drizzle-orm'
import {
  defaultCategories,
  drillDefinition,
  effectivePolicy,
  isSelected,
  type Category,
  type DrillDefinition,
  type EffectivePolicy,
  type Plan,
  type PlanSpec,
  type SelectableVm,
} from '../policy/index.ts'
import type { CatalogContext } from './context.ts'
import type { PlanQueries } from './plans.ts'
import { categories, endpoints, vms } from './schema.ts'
import type { VmView } from './vms.ts'
import { whileUnchanged } from './while-unchanged.ts'

/** A VM that the hypervisors list, with what plans ask about it. */
export interface Candidate extends SelectableVm {
  readonly id: string
  readonly sizeBytes: number
}

export interface PolicyQueries {
  /** The plans that take this VM now, by name. */
  plansOf(vm: VmView): Plan[]
  /** The same for many: plans are read once. Names. */
  takers(): (vm: VmView) => string[]
  /** What holds for it under this plan, or without one. */
  effective(vm: VmView, plan: PlanSpec | null): EffectivePolicy
  /** What a drill of it does. */
  drill(vm: VmView): DrillDefinition
  /** Every VM that the hypervisors list, by id; read so many at a time. */
  candidates(pageSize?: number): readonly Candidate[]
  /** Points made by hand that are there, of this VM in this repository. */
  manualPoints(vmId: string, repositoryId: string): number
  /** When each disk was last read in full for a point in this repository, whatever has become of the point since. */
  lastFulls(vmId: string, repositoryId: string): { readonly disk: string; readonly createdMs: number }[]
  /** Of the last week, of each VM: what its incremental points read and stored a day; VMs without any are absent. */
  changeRates(): Map<string, { readonly readPerDay: number; readonly storedShare: number | null }>
}

const week = 7 * 86_400_000

export function policyQueries(context: CatalogContext, plans: PlanQueries): PolicyQueries {
  const { db, sqlite, now } = context
  const categoryOf = (name: string): Category & { readonly name: string } => {
    const row = db.select().from(categories).where(eq(categories.name, name)).get()
    return { ...(row?.spec ?? defaultCategories.standard), name }
  }
  function* everyCandidate(pageSize: number): Generator<Candidate> {
    for (let after = ''; ;) {
      const page = db
        .select({
          id: vms.id,
          name: vms.name,
          tags: vms.tags,
          category: vms.category,
          power: vms.power,
          hypervisor: vms.endpointId,
          site: endpoints.site,
          excludedReason: vms.excludedReason,
          sizeBytes: vms.sizeBytes,
        })
        .from(vms)
        .innerJoin(endpoints, eq(endpoints.id, vms.endpointId))
        .where(sql`${gt(vms.id, after)} AND ${vms.goneMs} IS NULL`)
        .orderBy(asc(vms.id))
        .limit(pageSize)
        .all()
      yield* page
      const last = page.at(-1)
      if (last === undefined || page.length < pageSize) return
      after = last.id
    }
  }
  const kept = whileUnchanged(context, (pageSize: number) => [...everyCandidate(pageSize)])
  return {
    plansOf: (vm) => takersOf(vm, plans.all()),
    takers() {
      const all = plans.all()
      return (vm) => takersOf(vm, all).map(({ name }) => name)
    },
    effective: (vm, plan) => effectivePolicy({ category: categoryOf(vm.category), plan, override: vm.override }),
    drill: (vm) =>
      drillDefinition({ category: categoryOf(vm.category), override: vm.override, checks: vm.drillChecks }),
    candidates: (pageSize) => kept(pageSize ?? 1000),
    manualPoints: (vmId, repositoryId) =>
      db.get<{ n: number }>(
        sql`SELECT count(*) AS n FROM points p JOIN copies c ON c.point_id = p.id
          WHERE p.vm_id = ${vmId} AND c.repository_id = ${repositoryId} AND c.state = 'done' AND p.origin = 'manual' AND c.damaged_ms IS NULL AND c.gone_ms IS NULL`,
      ).n,
    lastFulls: (vmId, repositoryId) =>
      db.all(
        // What a mirror has brought there stands in the points alone.
        sql`SELECT disk, max(ms) AS "createdMs" FROM (
            SELECT disk, created_ms AS ms FROM last_fulls WHERE vm_id = ${vmId} AND repository_id = ${repositoryId}
            UNION ALL
            SELECT json_extract(d.value, '$.disk'), p.created_ms FROM points p
            JOIN copies c ON c.point_id = p.id, json_each(p.disks) d
            WHERE p.vm_id = ${vmId} AND c.repository_id = ${repositoryId} AND c.state = 'done' AND c.validated_ms IS NOT NULL
              AND json_extract(d.value, '$.mode') = 'full')
          GROUP BY 1 ORDER BY 1 LIMIT 1000`,
      ),
    changeRates() {
      const rows = sqlite
        .prepare<[number], { vmId: string; read: number; stored: number; firstMs: number }>(
          `SELECT vm_id AS vmId, sum(read_bytes) AS read, sum(new_bytes) AS stored, min(created_ms) AS firstMs FROM points
            WHERE created_ms >= ? AND mode = 'incremental' GROUP BY vm_id`,
        )
        .all(now() - week)
      return new Map(
        rows.map(({ vmId, read, stored, firstMs }) => {
          const days = Math.max(1, (now() - firstMs) / 86_400_000)
          return [vmId, { readPerDay: read / days, storedShare: read === 0 ? null : stored / read }]
        }),
      )
    },
  }
}

function takersOf(vm: VmView, all: readonly Plan[]): Plan[] {
  const { name, tags, category, power, endpointId: hypervisor, site, excludedReason, goneMs } = vm
  if (goneMs !== null) return []
  const asked = { name, tags, category, power, hypervisor, site, excludedReason }
  return all.filter(({ where }) => isSelected(where, asked))
}
