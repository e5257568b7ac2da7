/**
 * How long each kind of record is kept (P-REPORT). Recovery points and their proofs are no records: retention decides
 * about the first, and the second live as long as they are needed.
 */
export const recordKinds = {
  audit: { title: 'Audit log', months: 24 },
  runs: { title: 'Runs and their histories', months: 12 },
  usage: { title: 'Usage per workload', months: 12 },
  notifications: { title: 'Notifications', months: 3 },
  'disk-usage': { title: 'Disk usage of repositories', months: 6 },
  // At ten thousand VMs each sweep writes as many rows: by far the most of all kinds.
  sweeps: { title: 'Retention sweeps and what they planned', months: 3 },
  'retention-audits': { title: 'Retention audits', months: 12 },
  'removed-points': { title: 'Removed points: who, when and why', months: 12 },
  collections: { title: 'Collections', months: 12 },
  verifications: { title: 'Verifications and their findings', months: 12 },
} as const satisfies { readonly [kind: string]: { readonly title: string; readonly months: number } }

export type RecordKind = keyof typeof recordKinds

export const longestKeeping = 240

/** What is older than this goes. Months of the calendar, in UTC; the last day of a short month stands for those it lacks. */
export function keptSince(nowMs: number, months: number): number {
  const now = new Date(nowMs)
  const first = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - months, 1))
  const days = new Date(Date.UTC(first.getUTCFullYear(), first.getUTCMonth() + 1, 0)).getUTCDate()
  const sinceMidnight = nowMs - Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate())
  return first.getTime() + (Math.min(now.getUTCDate(), days) - 1) * 86_400_000 + sinceMidnight
}
