import type { ChannelKind } from './types.ts'

/** What came back, as it came. */
export interface Answer {
  readonly status: number
  /** The first 64 KiB. */
  readonly text: string
  /** By the header; null: it names no time. */
  readonly retryAfterMs: number | null
}

/** What the service means by it. */
export interface Verdict {
  /** As of HTTP: 200 … 299 is taken, whatever came over the line. */
  readonly status: number
  /** Why not, in the words of the service. */
  readonly said: string
  readonly retryAfterMs: number | null
  /** What to do, where more is known than that it was refused. */
  readonly hint?: string | undefined
  /** Of a refusal: whether another message would be taken. Absent: what HTTP says of it. */
  readonly isOfMessage?: boolean | undefined
}

/** What cannot be understood, what is too large, and what makes no sense (RFC 9110 §15.5.1, §15.5.14, §15.5.21). */
const ofMessage = new Set([400, 413, 422])

/** Whether it refuses this message alone, whatever is tried; other refusals are of the channel, and every message meets them. */
export function isOfMessage(verdict: Pick<Verdict, 'status' | 'isOfMessage'>): boolean {
  return verdict.isOfMessage ?? ofMessage.has(verdict.status)
}

/** Of a service that answers 400 for what is wrong with the channel, too: only what is known to be of the message is. */
function isBadMessage(status: number, isKnown: boolean): boolean {
  return status === 413 || (status === 400 && isKnown)
}

/** A service that says more than HTTP does, or something else. */
export const verdicts: { readonly [kind in ChannelKind]?: (answer: Answer) => Verdict } = {
  telegram: ofTelegram,
  discord: ofDiscord,
  slack: ofSlack,
  teams: ofTeams,
  ntfy: ofNtfy,
}

/** Nothing but HTTP. */
export function plainVerdict({ status, text, retryAfterMs }: Answer): Verdict {
  return { status, said: text, retryAfterMs }
}

/** https://core.telegram.org/bots/api#making-requests: `ok` decides, `description` says why, waits are in `parameters`. */
function ofTelegram(answer: Answer): Verdict {
  const said = objectIn(answer.text)
  const isOk = said?.['ok']
  if (isOk === true) return { ...plainVerdict(answer), status: isTaken(answer.status) ? answer.status : 200 }
  if (said === undefined || typeof isOk !== 'boolean') {
    // A gateway in between: what it makes of the request is no answer of the bot's service.
    if (isTaken(answer.status)) return { status: 502, said: 'not in the words of the Bot API', retryAfterMs: null }
    return { ...plainVerdict(answer), isOfMessage: isBadMessage(answer.status, false) }
  }
  const code = said['error_code']
  const status = typeof code === 'number' && code >= 300 ? code : isTaken(answer.status) ? 400 : answer.status
  const description = wordsIn(said, 'description') ?? answer.text
  const parameters = objectOf(said['parameters'])
  const retryAfterMs = secondsIn(parameters, 'retry_after') ?? answer.retryAfterMs
  const hint = telegramHint(status, description, parameters)
  return { status, said: description, retryAfterMs, hint, isOfMessage: isBadMessage(status, badText.test(description)) }
}

/** Of chats and rights it says 400 as well. */
const badText = /message is too long|text is empty|encoded in UTF-8|can't parse/i

function telegramHint(
  status: number,
  description: string,
  parameters: { readonly [name: string]: unknown } | undefined,
): string | undefined {
  const moved = parameters?.['migrate_to_chat_id']
  if (typeof moved === 'number') return `The group has become a supergroup: give the channel the chat ${moved}.`
  if (/chat not found/i.test(description))
    return 'Check the chat of the channel, and that the bot is in it: a person writes to the bot once, a group or channel takes it in.'
  // An unknown token is no path of the service.
  if (status === 401 || status === 404)
    return 'The token of the bot is not known there: put the right one into the secret.'
  if (status === 403)
    return 'The bot may not write to this chat: it was blocked or put out. Take it in again, or give the channel another chat.'
  return undefined
}

/** https://discord.com/developers/docs/topics/rate-limits: fractions of seconds, in the body. */
function ofDiscord(answer: Answer): Verdict {
  const said = objectIn(answer.text)
  const retryAfterMs = secondsIn(said, 'retry_after') ?? answer.retryAfterMs
  const gone = answer.status === 401 || answer.status === 404
  const hint = gone
    ? 'Discord does not know this webhook any more: make a new one and put its address into the secret.'
    : undefined
  return {
    ...{ status: answer.status, said: wordsIn(said, 'message') ?? answer.text, retryAfterMs, hint },
    isOfMessage: isBadMessage(answer.status, isBadForm(said)),
  }
}

/** https://discord.com/developers/docs/topics/opcodes-and-status-codes#json: an empty message, or a form with a wrong member. */
function isBadForm(said: { readonly [name: string]: unknown } | undefined): boolean {
  const code = said?.['code']
  // The id of the webhook is checked like any other member.
  return code === 50_006 || (code === 50_035 && !('webhook_id' in (objectOf(said?.['errors']) ?? {})))
}

/** https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks: one word says what is wrong. */
const slackHints: { readonly [word: string]: string } = {
  invalid_token: 'Slack does not know this webhook any more: make a new one and put its address into the secret.',
  no_service: 'The webhook was removed or switched off in Slack: make a new one and put its address into the secret.',
  no_active_hooks: 'The webhook was switched off in Slack: switch it on, or make a new one.',
  channel_not_found: 'The channel of the webhook is gone: make a webhook for another one.',
  channel_is_archived: 'The channel of the webhook is archived: bring it back, or make a webhook for another one.',
  action_prohibited: 'An administrator of the workspace does not allow this webhook to post: ask there.',
  posting_to_general_channel_denied:
    'Nobody but administrators may post to this channel: make a webhook for another one.',
}
const slackBadMessage = new Set(['invalid_payload', 'no_text', 'msg_too_long', 'too_many_attachments'])
function ofSlack(answer: Answer): Verdict {
  const word = answer.text.trim()
  const isOfMessage = isBadMessage(answer.status, slackBadMessage.has(word))
  return { ...plainVerdict(answer), hint: slackHints[word], isOfMessage }
}

/**
 * https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using: a connector answers
 * 200 and writes into its words that Teams itself did not take the message, with the status of Teams. A workflow says 202.
 */
function ofTeams(answer: Answer): Verdict {
  if (!isTaken(answer.status)) {
    const gone = answer.status === 404 || answer.status === 410
    const hint = gone
      ? 'Teams does not know this webhook any more: make a new one and put its address into the secret.'
      : undefined
    // A workflow that is switched off answers 400 as well.
    const isBad = /bad payload|null or empty event|text is required/i.test(answer.text)
    return { ...plainVerdict(answer), hint, isOfMessage: isBadMessage(answer.status, isBad) }
  }
  if (!/delivery failed|HTTP error \d{3}/i.test(answer.text)) return plainVerdict(answer)
  const status = Number(/HTTP error (\d{3})/i.exec(answer.text)?.[1] ?? '502')
  return { ...plainVerdict(answer), status: isTaken(status) ? 502 : status }
}

/** Its own numbers: no UTF-8, no message; longer than a message may be there, where it would become an attachment. */
const ntfyBadMessage = new Set<unknown>([40_011, 40_014, 40_024])
/** https://docs.ntfy.sh/publish/#limitations: the reason is in `error`. */
function ofNtfy(answer: Answer): Verdict {
  const said = objectIn(answer.text)
  const denied = answer.status === 401 || answer.status === 403
  const hint = denied ? 'The topic is not open to this token: give the channel one that may publish there.' : undefined
  return {
    ...{ ...plainVerdict(answer), said: wordsIn(said, 'error') ?? answer.text, hint },
    isOfMessage: isBadMessage(answer.status, ntfyBadMessage.has(said?.['code'])),
  }
}

export function isTaken(status: number): boolean {
  return status >= 200 && status < 300
}

function objectIn(text: string): { readonly [name: string]: unknown } | undefined {
  try {
    return objectOf(JSON.parse(text))
  } catch {
    return undefined
  }
}

function objectOf(value: unknown): { readonly [name: string]: unknown } | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as { readonly [name: string]: unknown })
    : undefined
}

function wordsIn(said: { readonly [name: string]: unknown } | undefined, name: string): string | undefined {
  const words = said?.[name]
  return typeof words === 'string' && words !== '' ? words : undefined
}

function secondsIn(said: { readonly [name: string]: unknown } | undefined, name: string): number | null {
  const seconds = said?.[name]
  return typeof seconds === 'number' && Number.isFinite(seconds) && seconds > 0 ? Math.ceil(seconds * 1000) : null
}
