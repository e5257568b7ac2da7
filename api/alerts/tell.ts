import { formatDuration } from '../../base/index.ts'
import type { Catalog, ChannelRow, IncidentRow, Json } from '../../catalog/index.ts'
import type { Message, Notice } from '../../notify/index.ts'
import { isDigestDue, isRouted, isTellable } from '../../policy/index.ts'
import { protectionReport, reportLead, reportTitle } from '../reports/index.ts'
import { tellsItsEnd } from './endings.ts'

const dayMs = 86_400_000

/** Writes the messages that are due on a channel: one for all that is new and all that is over, and the digest. */
export function compose(catalog: Catalog, channel: ChannelRow, installation: string, nowMs: number): void {
  const { route, name } = channel
  if (!channel.enabled || channel.kind === 'dead-man') return
  const isMine = (row: IncidentRow): boolean =>
    isRouted(route, row) && isTellable(route, row.severity, nowMs) && !isOwnFailure(row, name)
  const opened = catalog.alerts.untold(name).filter(isMine)
  const ended = catalog.alerts.untoldRecoveries(name).filter((row) => isTellable(route, row.severity, nowMs))
  const silent = ended.filter((row) => !tellsItsEnd(row))
  const over = ended.filter(tellsItsEnd)
  if (silent.length > 0) catalog.alerts.keepSilent(name, idsOf(silent))
  if (opened.length + over.length > 0) {
    const message: Message = {
      type: 'alert',
      installation,
      title: `${installation}: ${titleOf(opened, over)}`,
      lead: '',
      notices: [...opened.map((row) => noticeOf(row)), ...over.map((row) => noticeOf(row))],
      sentMs: nowMs,
    }
    add(catalog, channel, message, { opened: idsOf(opened), over: idsOf(over) })
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
  const over = catalog.alerts.overSince(nowMs - report.days * dayMs).filter((row) => isMine(row) && tellsItsEnd(row))
  return {
    type: 'digest',
    installation,
    title: `${installation}: ${reportTitle(report)}`,
    // What wants attention is what this channel is told.
    lead: reportLead({ ...report, open: open.length }),
    notices: [...open.map((row) => noticeOf(row)), ...over.map((row) => noticeOf(row))],
    sentMs: nowMs,
  }
}

function titleOf(opened: readonly IncidentRow[], over: readonly IncidentRow[]): string {
  const [first] = opened
  const [last] = over
  const ended = over.filter(({ endedBy }) => endedBy !== null).length
  const recovered = over.length - ended
  const counts = [...(recovered > 0 ? [`${recovered} recovered`] : []), ...(ended > 0 ? [`${ended} ended`] : [])]
  const more = counts.map((one) => `, ${one}`).join('')
  if (first !== undefined) {
    if (opened.length === 1) return `${first.title}${more}`
    const critical = opened.filter(({ severity }) => severity === 'critical').length
    return `${opened.length} things want attention${critical > 0 ? ` (${critical} critical)` : ''}${more}`
  }
  if (last === undefined || over.length > 1) return counts.join(', ')
  const after = formatDuration((last.recoveredMs ?? last.openedMs) - last.openedMs)
  return `${last.endedBy === null ? 'recovered' : 'ended'} after ${after}: ${last.title}`
}

/** That a channel takes nothing is for the others: by itself it would hear of it when it is over. */
function isOwnFailure({ kind, subject }: IncidentRow, channel: string): boolean {
  return kind === 'channel-failing' && subject?.id === channel
}

function noticeOf({ key: _, part: _part, tags: _tags, seenMs: _seen, ...row }: IncidentRow): Notice {
  return { ...row, state: row.recoveredMs === null ? 'opened' : row.endedBy === null ? 'recovered' : 'ended' }
}

function idsOf(rows: readonly IncidentRow[]): number[] {
  return rows.map(({ id }) => id)
}

function add(
  catalog: Catalog,
  { name }: ChannelRow,
  message: Message,
  told?: { readonly opened: readonly number[]; readonly over: readonly number[] },
): void {
  const { type, title } = message
  catalog.alerts.addDelivery({ channel: name, type, title, message: message as unknown as Json }, told)
}
