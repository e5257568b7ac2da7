import { durationBounds, type Catalog, type TotalName, type TotalRow } from '../../catalog/index.ts'
import { missedWords } from '../../policy/index.ts'
import { runKinds } from '../../runbook/kinds.ts'
import { counter, gauge, type Family, type Sample } from './exposition.ts'

const dayMs = 86_400_000
/** As long as the overview tells of it. */
const residueOfMs = 7 * dayMs

const outcomes = ['completed', 'completed-with-residue', 'failed', 'cancelled', 'terminated']

/** What has happened: counters that outlive the records from which they were counted. */
export function runFamilies(catalog: Catalog, nowMs: number): Family[] {
  const totals = Map.groupBy(catalog.metrics.totals(), ({ name }) => name)
  const rows = (name: TotalName): readonly TotalRow[] => totals.get(name) ?? []
  const byKind = (name: TotalName): Sample[] =>
    rows(name).map(({ label: kind, value }) => ({ labels: { kind }, value }))
  const plans = catalog.plans.all().map(({ name }) => name)
  const channels = catalog.alerts.channels().map(({ name }) => name)
  return [
    counter(
      'holdfast_runs_total',
      'Runs that have ended, by what became of them',
      withZeros(rows('runs'), runKinds, outcomes).map(([kind, outcome, value]) => ({
        labels: { kind, outcome },
        value,
      })),
    ),
    gauge(
      'holdfast_runs_open',
      'Runs that have not ended',
      catalog.metrics.openRuns().map(({ kind, state, runs: value }) => ({ labels: { kind, state }, value })),
    ),
    gauge('holdfast_runs_without_slot', 'Runs of the last day that went on although no slot could be asked for', [
      { labels: {}, value: catalog.runs.withAttention(nowMs - dayMs, 1).total },
    ]),
    durations(rows),
    counter('holdfast_bytes_read_total', 'Bytes that ended runs have read', byKind('bytes-read')),
    counter('holdfast_bytes_stored_total', 'Bytes that ended runs have stored', byKind('bytes-stored')),
    counter(
      'holdfast_schedule_missed_total',
      'Starts of plans that were due and did not come',
      withZeros(rows('missed-starts'), plans, Object.keys(missedWords)).map(([plan, reason, value]) => ({
        labels: { plan, reason },
        value,
      })),
    ),
    counter(
      'holdfast_notifications_total',
      'Messages that a channel has taken, or that were given up after a day',
      withZeros(rows('notifications'), channels, ['sent', 'failed']).map(([channel, outcome, value]) => ({
        labels: { channel, outcome },
        value,
      })),
    ),
    gauge('holdfast_orphans', 'Things that runs of the last seven days have left behind', [
      { labels: {}, value: catalog.metrics.residue(nowMs - residueOfMs) },
    ]),
  ]
}

function durations(rows: (name: TotalName) => readonly TotalRow[]): Family {
  const within = new Map(rows('run-within').map(({ label, value }) => [label, value]))
  const counts = new Map<string, number>()
  for (const { label, value } of rows('runs')) {
    const kind = label.slice(0, label.lastIndexOf('/'))
    counts.set(kind, (counts.get(kind) ?? 0) + value)
  }
  const sums = new Map(rows('run-ms').map(({ label, value }) => [label, value / 1000]))
  const samples = [...counts].flatMap(([kind, all]): Sample[] => [
    ...durationBounds.map((le) => ({
      labels: { kind, le },
      value: within.get(`${kind}/${le}`) ?? 0,
      suffix: '_bucket',
    })),
    { labels: { kind, le: '+Inf' }, value: all, suffix: '_bucket' },
    { labels: { kind }, value: sums.get(kind) ?? 0, suffix: '_sum' },
    { labels: { kind }, value: all, suffix: '_count' },
  ])
  const help = 'How long ended runs have taken, waiting included'
  return { name: 'holdfast_run_duration_seconds', help, type: 'histogram', samples }
}

/**
 * Every pair, also what never happened: a counter that begins at one has not risen, and no rule would see the first failure.
 * What is of nobody that is there any more is left out.
 */
function withZeros(
  rows: readonly TotalRow[],
  firsts: readonly string[],
  seconds: readonly string[],
): (readonly [string, string, number])[] {
  const known = new Map(rows.map(({ label, value }) => [label, value]))
  return firsts.flatMap((first) =>
    seconds.map((second) => [first, second, known.get(`${first}/${second}`) ?? 0] as const),
  )
}
