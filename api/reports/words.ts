import { formatBytes } from '../../base/index.ts'
import type { ProtectionReport, ReportPeriod } from './protection.ts'

const sinceWords: { readonly [period in ReportPeriod]: string } = {
  day: 'since yesterday',
  week: 'in seven days',
  month: 'in thirty days',
}

export function reportTitle({ vms, promised }: ProtectionReport): string {
  return `${vms.by.protected} of ${promised} VMs inside their RPO`
}

/** One line: what was made, what is proven, what wants attention. */
export function reportLead(report: ProtectionReport): string {
  const { period, points, drillsPassed, drillsFailed, failedBackups, proven, promised, open, newBytes } = report
  const made = `${points} ${points === 1 ? 'point' : 'points'} ${sinceWords[period]}`
  const attention =
    open === 0 ? 'Nothing wants attention.' : `${open} ${open === 1 ? 'thing wants' : 'things want'} attention.`
  if (period === 'day') return `${made}. ${attention}`
  const drills = drillsPassed + drillsFailed
  const parts = [
    `${made}, ${formatBytes(newBytes)} new`,
    failedBackups === 0 ? 'no backup failed' : `${failedBackups} ${failedBackups === 1 ? 'backup' : 'backups'} failed`,
    drills === 0 ? 'no drill' : `${drillsPassed} of ${drills} drills passed`,
    `${proven} of ${promised} VMs proven by their last drill`,
  ]
  return `${parts.join('; ')}. ${attention}`
}

/** Every figure with its name, for tables. */
export function reportFigures(report: ProtectionReport): readonly (readonly [string, string])[] {
  const { vms, promised, proven, points, newBytes, failedBackups, drillsPassed, drillsFailed } = report
  return [
    ['VMs', String(vms.total)],
    ['Inside their RPO', `${vms.by.protected} of ${promised}`],
    ['Late, overdue or failed', String(vms.by.late + vms.by.overdue + vms.by.failed)],
    ['Without a point', String(vms.by.unprotected)],
    ['Left out on purpose', String(vms.by.excluded)],
    ['Proven by their last drill', `${proven} of ${promised}`],
    ['Points made', String(points)],
    ['New data', formatBytes(newBytes)],
    ['Backups that failed', String(failedBackups)],
    ['Drills passed, failed', `${drillsPassed}, ${drillsFailed}`],
    ['Suspicious changes that nobody has looked at', String(report.suspicious)],
    ['Wants attention now', String(report.open)],
    ['Recovered', String(report.recovered)],
  ]
}
