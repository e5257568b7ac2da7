import { HoldfastError, isHoldfastError } from '../base/index.ts'
import { plainVerdict, verdicts, type Answer, type Verdict } from './answers.ts'
import { sendMail } from './mail.ts'
import { guardedRequest, type Resolve } from './request.ts'
import { briefOf, cut, oneLine, textOf, textWithin } from './text.ts'
import type { ChannelKind, ChannelTarget, Message } from './types.ts'

export interface SendOptions {
  /** What the channel's reference stands for; empty: nothing. */
  readonly secret: string
  readonly signal: AbortSignal
  /** Default: the system's. */
  readonly resolve?: Resolve
  /** Of mail: certificates that are believed beside the system's, PEM. */
  readonly ca?: string
}

/** What leaves: where to, and the words of that kind of channel. */
export interface Letter {
  readonly url: string
  readonly body: unknown
  readonly token: string | null
}

/** Worst first: what a phone does with it. */
const priorities = { critical: 5, warning: 4, over: 3 } as const

/** Limits are those of each service's documentation, a little below. */
const letters: {
  readonly [kind in Exclude<ChannelKind, 'mail'>]: (target: ChannelTarget, message: Message, secret: string) => Letter
} = {
  webhook: ({ url }, message, secret) => ({
    url: url ?? '',
    body: { v: 1, ...message, text: textOf(message) },
    token: secret === '' ? null : secret,
  }),
  slack: (_, message, secret) => ({
    url: secret,
    // https://docs.slack.dev/messaging/formatting-message-text: these three, and nothing else.
    body: { text: escapeSlack(`*${oneLine(message.title)}*\n${textOf(message, 3500)}`) },
    token: null,
  }),
  teams: (_, message, secret) => ({
    url: secret,
    body: {
      type: 'message',
      attachments: [
        {
          contentType: 'application/vnd.microsoft.card.adaptive',
          content: {
            $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
            type: 'AdaptiveCard',
            version: '1.4',
            body: [
              { type: 'TextBlock', text: oneLine(message.title), weight: 'Bolder', size: 'Medium', wrap: true },
              // One newline is none in a card.
              { type: 'TextBlock', text: textWithin(message, 12_000).replaceAll('\n', '\n\n'), wrap: true },
            ],
          },
        },
      ],
    },
    token: null,
  }),
  discord: (_, message, secret) => ({
    url: secret,
    // A VM that is called @everyone calls nobody.
    body: {
      content: cut(`**${oneLine(message.title)}**\n${textOf(message, 1700)}`, 1950),
      allowed_mentions: { parse: [] },
    },
    token: null,
  }),
  ntfy: ({ url }, message, secret) => {
    const at = new URL(url ?? '')
    const topic = decodeURIComponent(at.pathname.split('/').at(-1) ?? '')
    at.pathname = at.pathname.replace(/[^/]*$/, '')
    const worst = message.notices.find(({ state, severity }) => state === 'opened' && severity === 'critical')
    const any = message.notices.find(({ state }) => state === 'opened')
    return {
      url: at.href,
      body: {
        topic,
        title: cut(oneLine(message.title), 240),
        message: textWithin(message, 3500) || cut(oneLine(message.title), 240),
        priority: priorities[worst ? 'critical' : any ? 'warning' : 'over'],
      },
      token: secret === '' ? null : secret,
    }
  },
  telegram: ({ url, chat }, message, secret) => ({
    url: `${(url ?? 'https://api.telegram.org').replace(/\/+$/, '')}/bot${secret}/sendMessage`,
    // Without parse_mode nothing in it is markup.
    body: { chat_id: chat ?? '', text: cut(`${oneLine(message.title)}\n${textOf(message, 3700)}`, 4000) },
    token: null,
  }),
  'dead-man': () => {
    throw new HoldfastError('InvalidRequest', 'a dead-man channel is pinged: it takes no messages')
  },
}

/** For this channel, before it is sent. Throws InvalidRequest for one that takes no messages. */
export function letterTo(
  target: ChannelTarget & { readonly kind: Exclude<ChannelKind, 'mail'> },
  message: Message,
  secret: string,
): Letter {
  return letters[target.kind](target, message, secret)
}

/**
 * Sends it once; one that is refused as it is, for its size or for what is in it, goes once more in short. Throws
 * ChannelRefused, MessageRefused (in short, too), Throttled, NetworkFailure, InvalidRequest.
 */
export async function send(target: ChannelTarget, message: Message, options: SendOptions): Promise<void> {
  try {
    await sendAsItIs(target, message, options)
  } catch (error) {
    const brief = briefOf(message)
    if (brief === null || !isHoldfastError(error) || error.code !== 'MessageRefused') throw error
    await sendAsItIs(target, brief, options)
  }
}

async function sendAsItIs(target: ChannelTarget, message: Message, options: SendOptions): Promise<void> {
  const { kind } = target
  if (kind === 'mail') return sendMail(target, message, options)
  const { url, body, token } = letterTo({ ...target, kind }, message, options.secret)
  await guardedRequest({
    url: addressIn(url),
    method: 'POST',
    headers: {
      'content-type': 'application/json; charset=utf-8',
      ...(token !== null && { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify(body),
    allowPrivate: target.allowPrivate,
    signal: options.signal,
    resolve: options.resolve,
    secret: options.secret,
    verdict: verdicts[kind],
  })
}

/**
 * Tells a service that expects to hear from us that we live; it raises the alarm when we do not. Throws as `send`, never
 * MessageRefused: a ping has no words.
 */
export async function ping(target: Pick<ChannelTarget, 'allowPrivate'>, options: SendOptions): Promise<void> {
  const { allowPrivate } = target
  const { secret, signal, resolve } = options
  const url = addressIn(secret)
  const verdict = (answer: Answer): Verdict => ({ ...plainVerdict(answer), isOfMessage: false })
  await guardedRequest({ url, method: 'GET', headers: {}, body: '', allowPrivate, signal, resolve, secret, verdict })
}

/** Never says what it is: it may be a secret. */
function addressIn(text: string): URL {
  const url = URL.parse(text)
  if (url !== null) return url
  throw new HoldfastError('ChannelRefused', 'the channel has no address that can be understood', {
    hint: 'Of slack, teams, discord and dead-man the whole address, https://…, is in the secret.',
  })
}

function escapeSlack(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
