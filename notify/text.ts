import type { Message, Notice } from './types.ts'

/** In words, for people: the title is not in it. At most `most` characters; what does not fit is counted. */
export function textOf(message: Message, most = Number.POSITIVE_INFINITY): string {
  const head = message.lead === '' ? '' : `${message.lead}\n`
  const blocks = message.notices.map(blockOf)
  let text = head
  for (const [index, block] of blocks.entries()) {
    const left = blocks.length - index
    const rest = `\n… and ${left} more: holdfast alerts`
    const isLast = left === 1
    if (text.length + block.length + (isLast ? 0 : rest.length) + 1 > most) return cut(`${text}${rest}`.trim(), most)
    text += `${text === '' ? '' : '\n'}${block}\n`
  }
  return cut(text.trim(), most)
}

/** As they are called in a message. */
export const looks = { critical: 'Critical', warning: 'Warning', recovered: 'Recovered', ended: 'Ended' } as const

export function lookOf({ state, severity }: Pick<Notice, 'state' | 'severity'>): keyof typeof looks {
  return state === 'opened' ? severity : state
}

function blockOf(notice: Notice): string {
  const { state, title, detail, command, endedBy } = notice
  const lines = [`${looks[lookOf(notice)]}: ${oneLine(title)}`]
  if (endedBy) lines.push(`It has not recovered: ${oneLine(endedBy)}`)
  if (state === 'opened' && detail !== '') lines.push(oneLine(detail))
  if (state === 'opened' && command !== null) lines.push(`→ ${oneLine(command)}`)
  return lines.join('\n')
}

/** What is named in a message in short; the rest is counted. */
const mostInShort = 3

/** For a service that does not take the whole of it: what is worst, without details. Null: there is nothing to leave out. */
export function briefOf(message: Message): Message | null {
  const { notices, title } = message
  if (notices.length === 0) return null
  const rank = ({ state, severity }: Notice): number => (state !== 'opened' ? 2 : severity === 'critical' ? 0 : 1)
  const worst = notices.toSorted((a, b) => rank(a) - rank(b)).slice(0, mostInShort)
  const left = notices.length - worst.length
  const more = left === 0 ? '' : `${left} more, and `
  return {
    ...message,
    title: cut(oneLine(title), 120),
    lead: `In short, because the whole message was not taken; ${more}all of it: holdfast alerts`,
    notices: worst.map((one) => ({ ...one, title: cut(oneLine(one.title), 120), detail: '', command: null })),
  }
}

/** As `textOf`, for a service that counts bytes (of UTF-8). */
export function textWithin(message: Message, mostBytes: number): string {
  let most = mostBytes
  for (;;) {
    const text = textOf(message, most)
    const bytes = Buffer.byteLength(text)
    if (bytes <= mostBytes) return text
    most = Math.min(most - 1, Math.floor((Math.min(most, text.length) * mostBytes) / bytes))
  }
}

/** Names of VMs and messages of others are in it: no control characters, no lines of their own, nothing that is no text. */
export function oneLine(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')
    .trim()
}

/** Never in the middle of a character: half of one is refused by services as no UTF-8, again and again. */
export function cut(text: string, most: number): string {
  if (text.length <= most) return text
  const head = text.slice(0, Math.max(0, most - 1))
  return `${/[\uD800-\uDBFF]$/.test(head) ? head.slice(0, -1) : head}…`
}
