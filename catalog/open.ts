import Database from 'better-sqlite3'
import { drizzle } from 'drizzle-orm/better-sqlite3'
import { toHoldfastError, HoldfastError, describeError } from '../base/index.ts'
import { accessQueries, type AccessQueries } from './access.ts'
import { alertQueries, type AlertQueries } from './alerts.ts'
import { auditQueries, type AuditQueries } from './audit.ts'
import { inTransaction, type CatalogContext } from './context.ts'
import { categoryQueries, plantCategories, type CategoryQueries } from './categories.ts'
import { changeQueries, type ChangeQueries } from './changes.ts'
import { copyQueries, type CopyQueries } from './copies.ts'
import { copyPromiseQueries, type CopyPromiseQueries } from './copy-promises.ts'
import { bootListQueries, type BootListQueries } from './boot-lists.ts'
import { drillQueries, type DrillQueries } from './drills.ts'
import { policyQueries, type PolicyQueries } from './effective.ts'
import { endpointQueries, type EndpointQueries } from './endpoints.ts'
import { evidenceQueries, type EvidenceQueries } from './evidence.ts'
import { eventQueries, type EventQueries } from './events.ts'
import { historyQueries, type HistoryQueries } from './histories.ts'
import { idempotencyQueries, type IdempotencyQueries } from './idempotency.ts'
import { installationQueries, type InstallationQueries } from './installation.ts'
import { instantQueries, type InstantQueries } from './instants.ts'
import { keepingQueries, type KeepingQueries } from './keeping.ts'
import { linkQueries, type LinkQueries } from './links.ts'
import { metricQueries, type MetricQueries } from './metrics.ts'
import { migrate } from './migrate.ts'
import { mirrorQueries, type MirrorQueries } from './mirrors.ts'
import { planDayQueries, type PlanDayQueries } from './plan-days.ts'
import { planRunQueries, type PlanRunQueries } from './plan-runs.ts'
import { planLatelyQueries, type PlanLatelyQueries } from './plan-lately.ts'
import { planStartQueries, type PlanStartQueries } from './plan-starts.ts'
import { planQueries, type PlanQueries } from './plans.ts'
import { ownQueries, type OwnQueries } from './own.ts'
import { pointQueries, type PointQueries } from './points.ts'
import { recoveryQueries, type RecoveryQueries } from './recovery.ts'
import { recoveryPlanQueries, type RecoveryPlanQueries } from './recovery-plans.ts'
import { recoveryRunQueries, type RecoveryRunQueries } from './recovery-runs.ts'
import { replicationQueries, type ReplicationQueries } from './replications.ts'
import { repositoryQueries, type RepositoryQueries } from './repositories.ts'
import { retainedQueries, type RetainedQueries } from './retained.ts'
import { runQueries, type RunQueries } from './runs.ts'
import { scrubQueries, type ScrubQueries } from './scrubs.ts'
import { shipmentQueries, type ShipmentQueries } from './shipments.ts'
import { siteQueries, type SiteQueries } from './sites.ts'
import { sweepSettingsQueries, type SweepSettingsQueries } from './sweep-settings.ts'
import { slotQueries, type SlotQueries } from './slots.ts'
import { statisticsQueries, type StatisticsQueries } from './statistics.ts'
import { preparingOnce } from './statements.ts'
import { sweepQueries, type SweepQueries } from './sweeps.ts'
import { verifyRunQueries, type VerifyRunQueries } from './verify-runs.ts'
import { vmQueries, type VmQueries } from './vms.ts'
import { workloadUsageQueries, type WorkloadUsageQueries } from './workload-usage.ts'
import { retentionAuditQueries, type RetentionAuditQueries } from './retention-audits.ts'
import { watchQueries, type WatchQueries } from './watches.ts'

export interface Catalog extends Disposable {
  readonly access: AccessQueries
  readonly alerts: AlertQueries
  readonly audit: AuditQueries
  readonly categories: CategoryQueries
  readonly changes: ChangeQueries
  readonly copies: CopyQueries
  readonly copyPromises: CopyPromiseQueries
  readonly drills: DrillQueries
  readonly bootLists: BootListQueries
  readonly endpoints: EndpointQueries
  readonly events: EventQueries
  readonly evidence: EvidenceQueries
  readonly histories: HistoryQueries
  readonly idempotency: IdempotencyQueries
  readonly installation: InstallationQueries
  readonly instants: InstantQueries
  readonly planRuns: PlanRunQueries
  readonly planDays: PlanDayQueries
  readonly planLately: PlanLatelyQueries
  readonly planStarts: PlanStartQueries
  readonly plans: PlanQueries
  readonly keeping: KeepingQueries
  readonly links: LinkQueries
  readonly metrics: MetricQueries
  readonly mirrors: MirrorQueries
  readonly own: OwnQueries
  readonly points: PointQueries
  readonly recovery: RecoveryQueries
  readonly recoveryPlans: RecoveryPlanQueries
  readonly recoveryRuns: RecoveryRunQueries
  readonly policy: PolicyQueries
  readonly replications: ReplicationQueries
  readonly repositories: RepositoryQueries
  readonly retained: RetainedQueries
  readonly runs: RunQueries
  readonly scrubs: ScrubQueries
  readonly shipments: ShipmentQueries
  readonly sites: SiteQueries
  readonly slots: SlotQueries
  readonly statistics: StatisticsQueries
  readonly sweeps: SweepQueries
  readonly sweepSettings: SweepSettingsQueries
  readonly verifyRuns: VerifyRunQueries
  readonly vms: VmQueries
  readonly retentionAudits: RetentionAuditQueries
  readonly workloadUsage: WorkloadUsageQueries
  readonly watches: WatchQueries
  /** All or nothing; calls inside join it. `work` is synchronous. */
  transaction<T>(work: () => T): T
  /** `ok`, or what SQLite finds wrong with the file. */
  integrity(): string
  close(): void
}

export interface CatalogOptions {
  /** File, or `:memory:`, or the bytes of a catalog, which then is in memory. */
  readonly path: string | Buffer
  readonly now?: () => number
  /** By which ages are told: a clock that nobody sets back. Default: `now`. */
  readonly steadyNow?: () => number
}

/** Opens or creates the catalog and brings its schema up to date. One process owns a catalog. Throws ConfigInvalid. */
export function openCatalog({ path, now = Date.now, steadyNow = now }: CatalogOptions): Catalog {
  const sqlite = connect(path)
  try {
    sqlite.pragma('journal_mode = WAL')
    sqlite.pragma('synchronous = NORMAL')
    sqlite.pragma('busy_timeout = 5000')
    sqlite.pragma('foreign_keys = ON')
    sqlite.pragma('trusted_schema = OFF')
    migrate(sqlite, now())
    plantCategories({ db: drizzle(sqlite), now })
  } catch (error) {
    sqlite.close()
    throw toHoldfastError(error, 'ConfigInvalid')
  }
  const db = drizzle({ client: preparingOnce(sqlite) })
  const events = eventQueries({ sqlite, db, now })
  const context: CatalogContext = { sqlite, db, now, steadyNow, publish: events.publish }
  const plans = planQueries(context)
  return {
    access: accessQueries(context),
    alerts: alertQueries(context),
    audit: auditQueries(context),
    categories: categoryQueries(context),
    changes: changeQueries(context),
    copies: copyQueries(context),
    copyPromises: copyPromiseQueries(context),
    drills: drillQueries(context),
    bootLists: bootListQueries(context),
    endpoints: endpointQueries(context),
    events,
    evidence: evidenceQueries(context),
    histories: historyQueries(context),
    idempotency: idempotencyQueries(context),
    installation: installationQueries(context),
    instants: instantQueries(context),
    keeping: keepingQueries(context),
    links: linkQueries(context),
    metrics: metricQueries(context),
    mirrors: mirrorQueries(context),
    own: ownQueries(context, () => events.newest()),
    planRuns: planRunQueries(context),
    planDays: planDayQueries(context),
    planLately: planLatelyQueries(context),
    planStarts: planStartQueries(context),
    plans,
    policy: policyQueries(context, plans),
    points: pointQueries(context),
    recovery: recoveryQueries(context),
    recoveryPlans: recoveryPlanQueries(context),
    recoveryRuns: recoveryRunQueries(context),
    replications: replicationQueries(context),
    repositories: repositoryQueries(context),
    retained: retainedQueries(context),
    runs: runQueries(context),
    scrubs: scrubQueries(context),
    shipments: shipmentQueries(context),
    sites: siteQueries(context),
    slots: slotQueries(context),
    statistics: statisticsQueries(context),
    sweeps: sweepQueries(context),
    sweepSettings: sweepSettingsQueries(context),
    verifyRuns: verifyRunQueries(context),
    vms: vmQueries(context),
    retentionAudits: retentionAuditQueries(context),
    workloadUsage: workloadUsageQueries(context),
    watches: watchQueries(context),
    transaction: (work) => inTransaction(context, work),
    integrity: () => String(sqlite.pragma('quick_check(1)', { simple: true })),
    close: () => void sqlite.close(),
    [Symbol.dispose]: () => void sqlite.close(),
  }
}

function connect(path: string | Buffer): Database.Database {
  try {
    return new Database(path)
  } catch (error) {
    throw new HoldfastError(
      'ConfigInvalid',
      `the catalog ${Buffer.isBuffer(path) ? 'in memory' : path} cannot be opened: ${describeError(error)}`,
      {
        cause: error,
      },
    )
  }
}
