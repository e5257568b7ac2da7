import { createHash } from 'node:crypto'
import { escapeHtml } from '../base/index.ts'
import { looks, lookOf, oneLine, textOf } from './text.ts'
import type { MailTarget, Message, Notice } from './types.ts'

/** More of them help nobody; the rest is counted. */
const mostNotices = 100
const longestText = 60_000

export interface Mail {
  readonly from: string
  readonly to: readonly string[]
  readonly subject: string
  readonly text: string
  readonly html: string
  readonly messageId: string
  readonly references: readonly string[]
  readonly date: Date
  readonly priority: 'high' | 'normal'
  readonly headers: { readonly [name: string]: string }
}

/**
 * A message as a mail. Its id follows from what it says: sent a second time after a crash, it is the same mail. What tells of
 * the same incident refers to the same id, so that mail programs show its beginning and its end as one thread (RFC 5322
 * §3.6.4); nothing was ever sent under that id itself.
 */
export function mailOf({ from, to }: MailTarget, message: Message): Mail {
  const domain = from.slice(from.lastIndexOf('@') + 1)
  const threads = message.type === 'alert' ? message.notices.slice(0, 20).map((one) => threadOf(message, one)) : []
  const isCritical = message.notices.some(({ state, severity }) => state === 'opened' && severity === 'critical')
  return {
    from,
    to,
    subject: oneLine(message.title),
    text: [oneLine(message.title), textOf(message, longestText), footOf(message)].filter(Boolean).join('\n\n'),
    html: htmlOf(message),
    messageId: `<${digest(JSON.stringify(message))}@${domain}>`,
    references: threads.map((thread) => `<${thread}@${domain}>`),
    date: new Date(message.sentMs),
    priority: isCritical && message.type === 'alert' ? 'high' : 'normal',
    // Nobody's absence note answers (RFC 3834).
    headers: { 'auto-submitted': 'auto-generated', 'x-auto-response-suppress': 'All' },
  }
}

function threadOf({ installation }: Message, { id, openedMs }: Notice): string {
  return `incident-${digest(`${installation}\n${id}\n${openedMs}`)}`
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32)
}

function footOf({ installation }: Message): string {
  return `Sent by Holdfast (${oneLine(installation)}). What wants attention now: holdfast alerts`
}

/** Mail programs know little CSS, and that only on the elements; both themes bear these colours. */
const colours = { critical: '#c62828', warning: '#a86400', recovered: '#2e7d32', ended: '#5f6b7a' } as const

function htmlOf(message: Message): string {
  const shown = message.notices.slice(0, mostNotices)
  const left = message.notices.length - shown.length
  const parts = [
    `<h1 style="font-size:18px;margin:0 0 12px">${escape(message.title)}</h1>`,
    message.lead === '' ? '' : `<p style="margin:0 0 12px">${escape(message.lead)}</p>`,
    ...shown.map(blockOf),
    left === 0 ? '' : `<p>… and ${left} more: <code>holdfast alerts</code></p>`,
    `<p style="font-size:12px;margin:16px 0 0">${escape(footOf(message))}</p>`,
  ]
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="color-scheme" content="light dark"></head><body style="font-family:sans-serif;font-size:14px;line-height:1.5">${parts.join('')}</body></html>`
}

function blockOf(notice: Notice): string {
  const { state, title, detail, command, endedBy } = notice
  const kind = lookOf(notice)
  const isOpen = state === 'opened'
  return [
    `<div style="border-left:4px solid ${colours[kind]};padding:4px 12px;margin:0 0 12px">`,
    `<div><b style="color:${colours[kind]}">${looks[kind]}</b> · <b>${escape(title)}</b></div>`,
    endedBy ? `<div>It has not recovered: ${escape(endedBy)}</div>` : '',
    isOpen && detail !== '' ? `<div>${escape(detail)}</div>` : '',
    isOpen && command !== null ? `<div><code>${escape(command)}</code></div>` : '',
    '</div>',
  ].join('')
}

/** Names of VMs and messages of others are in it. */
function escape(text: string): string {
  return escapeHtml(oneLine(text))
}
