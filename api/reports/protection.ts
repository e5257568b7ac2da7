import type { Catalog, PostureCounts } from '../../catalog/index.ts'
import { forecastOf } from '../views/capacity.ts'
import { postureView } from '../views/vms.ts'

const dayMs = 86_400_000
export const reportPeriods = { day: 1, week: 7, month: 30 } as const
export type ReportPeriod = keyof typeof reportPeriods

/** More of them help nobody on a page; how many there are is told. */
const mostShown = 50

export interface ProtectionReport {
  readonly period: ReportPeriod
  /** The days of UTC that it covers, today included. */
  readonly days: number
  readonly madeMs: number
  readonly vms: PostureCounts
  /** VMs that are promised anything. */
  readonly promised: number
  readonly proven: number
  readonly points: number
  readonly newBytes: number
  readonly failedBackups: number
  readonly drillsPassed: number
  readonly drillsFailed: number
  readonly open: number
  readonly recovered: number
  readonly suspicious: number
  /** Outside their promise now, most urgent first, 50 at most. */
  readonly outside: readonly {
    readonly id: string
    readonly name: string
    readonly state: string
    readonly sentence: string
  }[]
  readonly outsideTotal: number
  readonly repositories: readonly {
    readonly id: string
    readonly name: string
    readonly storedBytes: number | null
    readonly freeBytes: number | null
    readonly fullMs: number | null
  }[]
}

export function protectionReport(catalog: Catalog, period: ReportPeriod, nowMs: number): ProtectionReport {
  const { statistics } = catalog
  const days = reportPeriods[period]
  const vms = statistics.postureCounts()
  // A day is what ended since the same time yesterday, as far as days can say it.
  const rows = statistics.days(period === 'day' ? 2 : days)
  const sum = (of: (row: (typeof rows)[number]) => number): number => rows.reduce((total, row) => total + of(row), 0)
  const outside = catalog.vms.list({ limit: mostShown }, { state: 'outside-rpo' })
  return {
    ...{ period, days, madeMs: nowMs, vms },
    promised: vms.total - vms.by.excluded,
    proven: statistics.provenVms(),
    points: sum(({ points }) => points),
    newBytes: sum(({ newBytes }) => newBytes),
    failedBackups: sum(({ failed }) => failed),
    drillsPassed: sum(({ drillsPassed }) => drillsPassed),
    drillsFailed: sum(({ drillsFailed }) => drillsFailed),
    open: catalog.alerts.open().length,
    recovered: catalog.alerts.overSince(nowMs - days * dayMs).filter(({ endedBy }) => endedBy === null).length,
    suspicious: catalog.changes.unreviewed(1).total,
    outside: outside.items.map((vm) => {
      const { state, sentence } = postureView(vm)
      return { id: vm.id, name: vm.name, state, sentence }
    }),
    outsideTotal: outside.total,
    repositories: catalog.repositories.list({ limit: mostShown }).items.map((row) => ({
      id: row.id,
      name: row.name,
      storedBytes: row.usage?.storedBytes ?? null,
      freeBytes: row.usage?.freeBytes ?? null,
      fullMs: forecastOf(catalog, row).fullMs,
    })),
  }
}
