import type { IncidentRow } from '../../catalog/index.ts'
import { deviations, missedStarts, type Deviation, type Judged } from './deviations.ts'
import { day, hour } from './estate.ts'

export interface Verdict {
  readonly problems: readonly string[]
  readonly alerts: number
  readonly recoveries: number
  readonly expected: number
}

/** What is told as it comes, and of which only that each has one beginning and one end is judged: what causes it is told beside. */
const follows = /^(own-backup|copy-failed|mirror-lag|copies-short|vms-gone|hypervisor-empty)\/|^run-failed\/mirror\//

/** Compares what was told with what was to be told: each deviation one alert, each alert one recovery, and no other. */
export function judge(judged: Judged, incidents: readonly IncidentRow[]): Verdict {
  const { diary, untilMs } = judged
  const problems: string[] = []
  const say = (text: string): void => void problems.push(text)
  const byId = new Map(incidents.map((row) => [row.id, row]))
  /** How urgent it was called each time. */
  const alerts = new Map<number, string[]>()
  const recoveries = new Map<number, number>()
  for (const { notice } of diary.told) {
    if (notice.state === 'opened') alerts.set(notice.id, [...(alerts.get(notice.id) ?? []), notice.severity])
    else recoveries.set(notice.id, (recoveries.get(notice.id) ?? 0) + 1)
    if (notice.state !== 'opened' && !alerts.has(notice.id)) say(`${name(notice)} recovered and had not begun`)
  }
  const tellable = incidents.filter(({ key }) => !key.startsWith('channel-failing'))
  const expected = Map.groupBy(deviations(judged), ({ key }) => key)
  const silent = new Set<number>()
  for (const [key, rows] of Map.groupBy(
    tellable.filter(({ id }) => alerts.has(id)),
    ({ key: own }) => own,
  )) {
    if (key.startsWith('missed-start/') || follows.test(key)) continue
    const wanted = expected.get(key) ?? []
    for (const row of rows) {
      const match = wanted.find((one) => meets(one, row))
      if (match === undefined)
        say(`${key} was told at ${at(row.openedMs)} to ${at(row.recoveredMs)}, and nothing was amiss`)
      if (match?.endsSilently) silent.add(row.id)
    }
  }
  for (const [key, wanted] of expected)
    for (const one of wanted) {
      const rows = tellable.filter((row) => row.key === key && alerts.has(row.id) && meets(one, row))
      if (rows.length === 1 || (rows.length === 0 && one.isOnTheEdge)) continue
      say(`${key} from ${at(one.fromMs)} to ${at(one.untilMs)} was told ${rows.length} times`)
    }
  for (const { key, dueMs } of missedStarts(judged)) {
    const rows = tellable.filter((row) => row.key === key && alerts.has(row.id))
    const isTold = rows.some((row) => row.openedMs >= dueMs && row.openedMs <= dueMs + 3 * day)
    const isIn = rows.some((row) => row.openedMs <= dueMs && (row.recoveredMs ?? untilMs) >= dueMs)
    if (!isTold && !isIn) say(`${key} of ${at(dueMs)} was never told`)
  }
  for (const [id, told] of alerts) {
    const row = byId.get(id)
    if (row === undefined) continue
    const ended = recoveries.get(id) ?? 0
    if (!isOnce(told)) say(`${row.key} of ${at(row.openedMs)} was told ${told.length} times`)
    const isOver = row.recoveredMs !== null && row.recoveredMs < untilMs - 2 * hour
    // That VMs went is told for a day, and nothing mends it.
    const isSilent = silent.has(id) || row.kind === 'vms-gone'
    if (ended > 1 || (ended === 0 && isOver && !isSilent))
      say(`${row.key} of ${at(row.openedMs)}: its end at ${at(row.recoveredMs)} was told ${ended} times`)
    if (row.kind === 'more') say(`too many things at once at ${at(row.openedMs)}`)
  }
  return {
    problems,
    alerts: [...alerts.values()].reduce((sum, told) => sum + told.length, 0),
    recoveries: [...recoveries.values()].reduce((a, b) => a + b, 0),
    expected: [...expected.values()].flat().length,
  }
}

/** Once, and once more when it gets worse (docs/operations/alerts.md). */
function isOnce(severities: readonly string[]): boolean {
  return severities.length === 1 || severities.join() === 'warning,critical'
}

/** Whether the incident is that of the deviation: they overlap, give or take a look. */
function meets(one: Deviation, row: IncidentRow): boolean {
  const slackMs = 90_000
  return row.openedMs <= one.untilMs + slackMs && (row.recoveredMs ?? Infinity) >= one.seenMs - slackMs
}

function name({ kind, subject }: { readonly kind: string; readonly subject: { readonly id: string } | null }): string {
  return `${kind} ${subject?.id ?? ''}`
}

function at(ms: number | null): string {
  return ms === null ? 'now' : new Date(ms).toISOString().slice(0, 19)
}
