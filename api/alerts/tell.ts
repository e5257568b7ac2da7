import { formatDuration } from '../../base/index.ts'
import type { Catalog, ChannelRow, IncidentRow, Json } from '../../catalog/index.ts'
import type { Message, Notice } from '../../notify/index.ts'
import { hasMoved, isDigestDue, isRouted, isTellable, standingStill } from '../../policy/index.ts'
import { protectionReport, reportLead, reportTitle } from '../reports/index.ts'
import { hasSucceededSince } from '../failed-runs.ts'
import { hasStartedSince } from '../missed-starts.ts'

const dayMs = 86_400_000

/** What is forgotten after a while and not mended by it: that it is no longer told is no good news. */
const fading = new Set(['residue', 'points-vanished', 'vms-gone'])

/** Writes the messages that are due on a channel: one for all that is new and all that is over, and the digest. */
export function compose(catalog: Catalog, channel: ChannelRow, installation: string, nowMs: number): void {
  const { route, name } = channel
  if (!channel.enabled || channel.kind === 'dead-man') return
  const isMine = (row: IncidentRow): boolean =>
    isRouted(route, row) && isTellable(route, row.severity, nowMs) && !isOwnFailure(row, name)
  const opened = catalog.alerts.untold(name).filter(isMine)
  const ended = catalog.alerts.untoldRecoveries(name).filter((row) => isTellable(route, row.severity, nowMs))
  const faded = ended.filter((row) => hasFaded(catalog, row))
  const recovered = ended.filter((row) => !faded.includes(row))
  if (faded.length > 0) catalog.alerts.keepSilent(name, idsOf(faded))
  if (opened.length + recovered.length > 0) {
    const message: Message = {
      type: 'alert',
      installation,
      title: `${installation}: ${titleOf(opened, recovered)}`,
      lead: '',
      notices: [...opened.map((row) => noticeOf(row)), ...recovered.map((row) => noticeOf(row))],
      sentMs: nowMs,
    }
    add(catalog, channel, message, { opened: idsOf(opened), recovered: idsOf(recovered) })
  }
  // Dated by a clock that was set back since: none would be due until then.
  if (channel.digestedMs > nowMs) catalog.alerts.recordDigest(name, nowMs)
  if (isDigestDue(route, channel.digestedMs, nowMs)) {
    catalog.transaction(() => {
      add(catalog, channel, digest(catalog, channel, installation, nowMs))
      catalog.alerts.recordDigest(name, nowMs)
    })
  }
}

/** For whoever sets up a channel. */
export function testMessage(installation: string, channel: string, nowMs: number): Message {
  return {
    type: 'test',
    installation,
    title: `${installation}: test of the channel ${channel}`,
    lead: 'If you read this, notifications of Holdfast reach you here.',
    notices: [],
    sentMs: nowMs,
  }
}

function digest(catalog: Catalog, { route }: ChannelRow, installation: string, nowMs: number): Message {
  const report = protectionReport(catalog, route.digestEvery ?? 'day', nowMs)
  const isMine = (row: IncidentRow): boolean => isRouted(route, row)
  const open = catalog.alerts.open().filter(isMine)
  const recovered = catalog.alerts
    .recoveredSince(nowMs - report.days * dayMs)
    .filter((row) => isMine(row) && !hasFaded(catalog, row))
  return {
    type: 'digest',
    installation,
    title: `${installation}: ${reportTitle(report)}`,
    // What wants attention is what this channel is told.
    lead: reportLead({ ...report, open: open.length }),
    notices: [...open.map((row) => noticeOf(row)), ...recovered.map((row) => noticeOf(row))],
    sentMs: nowMs,
  }
}

function titleOf(opened: readonly IncidentRow[], recovered: readonly IncidentRow[]): string {
  const [first] = opened
  const [over] = recovered
  const more = recovered.length === 0 ? '' : `, ${recovered.length} recovered`
  if (first !== undefined) {
    if (opened.length === 1) return `${first.title}${more}`
    const critical = opened.filter(({ severity }) => severity === 'critical').length
    return `${opened.length} things want attention${critical > 0 ? ` (${critical} critical)` : ''}${more}`
  }
  if (over === undefined || recovered.length > 1) return `${recovered.length} recovered`
  return `recovered after ${formatDuration((over.recoveredMs ?? over.openedMs) - over.openedMs)}: ${over.title}`
}

/** Whether it is no longer told although nothing has mended it: its VM has become worse, it is history, it was put up with. */
function hasFaded(catalog: Catalog, { key, kind, subject, recoveredMs }: IncidentRow): boolean {
  if (fading.has(kind)) return true
  // The next one that does not come is an incident of its own, and no reason to keep the end of this one to oneself.
  if (kind === 'missed-start') return subject === null || !hasStartedSince(catalog, subject.id, recoveredMs ?? Infinity)
  if (kind === 'clock') {
    const { driftMs, movedMs } = catalog.watches.clock() ?? { driftMs: 0, movedMs: null }
    return movedMs === null && hasMoved(driftMs)
  }
  // It has taken over, stands still for another one that has, or is none any more: it has not caught up.
  if (kind === 'replication-lag') {
    const pair = catalog.replications.list().find(({ id }) => key.endsWith(`/${id}`))
    return pair === undefined || standingStill([pair, ...pair.siblings]) !== null
  }
  if (kind !== 'run-failed') return false
  const run = subject === null ? undefined : catalog.runs.find(subject.id)
  return run === undefined || !hasSucceededSince(catalog, run)
}

/** That a channel takes nothing is for the others: by itself it would hear of it when it is over. */
function isOwnFailure({ kind, subject }: IncidentRow, channel: string): boolean {
  return kind === 'channel-failing' && subject?.id === channel
}

function noticeOf({ key: _, tags: _tags, seenMs: _seen, ...row }: IncidentRow): Notice {
  return { ...row, state: row.recoveredMs === null ? 'opened' : 'recovered' }
}

function idsOf(rows: readonly IncidentRow[]): number[] {
  return rows.map(({ id }) => id)
}

function add(
  catalog: Catalog,
  { name }: ChannelRow,
  message: Message,
  told?: { readonly opened: readonly number[]; readonly recovered: readonly number[] },
): void {
  const { type, title } = message
  catalog.alerts.addDelivery({ channel: name, type, title, message: message as unknown as Json }, told)
}
