import { formatDuration } from '../../base/index.ts'
import type { Catalog, ChannelRow, IncidentRow, Json } from '../../catalog/index.ts'
import type { Message, Notice } from '../../notify/index.ts'
import { isDigestDue, isRouted, isTellable, settleMs } from '../../policy/index.ts'

const dayMs = 86_400_000

/** What is forgotten after a while and not mended by it: that it is no longer told is no good news. */
const fading = new Set(['residue', 'missed-start', 'points-vanished'])
/** A failed run is told for seven days. */
const failuresFadeMs = 7 * dayMs - 3_600_000

/** Writes the messages that are due on a channel: one for all that is new and all that is over, and the digest. */
export function compose(catalog: Catalog, channel: ChannelRow, installation: string, nowMs: number): void {
  const { route, name } = channel
  if (!channel.enabled || channel.kind === 'dead-man') return
  const isMine = (row: IncidentRow): boolean => isRouted(route, row) && isTellable(route, row.severity, nowMs)
  const opened = catalog.alerts.untold(name, nowMs - settleMs).filter(isMine)
  const ended = catalog.alerts
    .untoldRecoveries(name, nowMs - settleMs)
    .filter((row) => isTellable(route, row.severity, nowMs))
  const recovered = ended.filter((row) => !hasFaded(row))
  const faded = ended.filter(hasFaded)
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
  const { total, by } = catalog.statistics.postureCounts()
  const promised = total - by.excluded
  const isMine = (row: IncidentRow): boolean => isRouted(route, row)
  const open = catalog.alerts.open().filter(isMine)
  const recovered = catalog.alerts.recoveredSince(nowMs - dayMs).filter((row) => isMine(row) && !hasFaded(row))
  const today = catalog.statistics.days(2)
  const made = today.reduce((sum, { points }) => sum + points, 0)
  return {
    type: 'digest',
    installation,
    title: `${installation}: ${by.protected} of ${promised} VMs inside their RPO`,
    lead: `${made} ${made === 1 ? 'point' : 'points'} since yesterday. ${open.length === 0 ? 'Nothing wants attention.' : `${open.length} ${open.length === 1 ? 'thing wants' : 'things want'} attention.`}`,
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

function hasFaded({ kind, openedMs, recoveredMs }: IncidentRow): boolean {
  if (fading.has(kind)) return true
  return kind === 'run-failed' && (recoveredMs ?? openedMs) - openedMs >= failuresFadeMs
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
