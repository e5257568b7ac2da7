import type { Channel, ChannelSpec } from '#lib/api/types.ts'
import { quoted } from '#lib/act/commands.ts'

/** A channel as the form has it: text as somebody types it. */
export interface ChannelDraft {
  readonly name: string
  readonly kind: Channel['kind']
  readonly url: string
  readonly chat: string
  readonly from: string
  readonly to: string
  readonly user: string
  readonly inClear: boolean
  readonly credentialRef: string
  readonly allowPrivate: boolean
  readonly enabled: boolean
  readonly severity: Channel['route']['severity']
  readonly tags: string
  readonly isQuiet: boolean
  readonly quietStart: string
  readonly quietEnd: string
  readonly hasDigest: boolean
  readonly digestAt: string
  readonly digestEvery: NonNullable<Channel['route']['digestEvery']>
  readonly timeZone: string
}

type Kind = Channel['kind']

/** What of a form a kind has. The whole address of some is the secret itself. */
export const needsUrl = (kind: Kind): boolean => kind === 'webhook' || kind === 'ntfy' || kind === 'mail'
/** Of Telegram: of a server of one's own, else the service's. */
export const hasUrl = (kind: Kind): boolean => needsUrl(kind) || kind === 'telegram'
export const hasRoute = (kind: Kind): boolean => kind !== 'dead-man'

export const secretWords: Record<Kind, string> = {
  webhook: 'a bearer token, if it needs one',
  ntfy: 'a token, if it needs one',
  slack: 'the whole address of the incoming webhook',
  teams: 'the whole address of the incoming webhook',
  discord: 'the whole address of the incoming webhook',
  telegram: 'the token of the bot',
  mail: 'the password, if somebody logs in',
  'dead-man': 'the whole address to ping',
}

export const urlHints: Partial<Record<Kind, string>> = {
  webhook: 'https://alerts.example.org/holdfast',
  ntfy: 'https://ntfy.sh/our-topic',
  mail: 'smtp://mail.example.org:587',
  telegram: 'https://api.telegram.org',
}

export const urlLabels: Partial<Record<Kind, string>> = {
  mail: 'Mail server',
  telegram: 'Server of the Bot API, if it is one of your own',
}

export function emptyDraft(timeZone: string): ChannelDraft {
  return {
    ...{ name: '', kind: 'mail', url: '', chat: '', from: '', to: '', user: '', inClear: false },
    ...{ credentialRef: '', allowPrivate: false, enabled: true, severity: 'warning', tags: '' },
    ...{ isQuiet: false, quietStart: '22:00', quietEnd: '07:00', hasDigest: false, digestAt: '08:00' },
    ...{ digestEvery: 'day', timeZone },
  }
}

export function draftOf(channel: Channel, timeZone: string): ChannelDraft {
  const { name, kind, url, chat, mail, credentialRef, allowPrivate, enabled, route } = channel
  const empty = emptyDraft(timeZone)
  return {
    ...{ name, kind, url: url ?? '', chat: chat ?? '', credentialRef, allowPrivate, enabled },
    ...{ from: mail?.from ?? '', to: mail?.to.join(', ') ?? '', user: mail?.user ?? '', inClear: mail?.tls === 'none' },
    ...{ severity: route.severity, tags: route.tags.join(', ') },
    isQuiet: route.quiet !== null,
    quietStart: route.quiet?.start ?? empty.quietStart,
    quietEnd: route.quiet?.end ?? empty.quietEnd,
    hasDigest: route.digestAt !== null,
    digestAt: route.digestAt ?? empty.digestAt,
    digestEvery: route.digestEvery ?? 'day',
    // Of a channel without hours it says nothing: what is asked for next is asked where somebody sits.
    timeZone: route.quiet === null && route.digestAt === null ? timeZone : route.timeZone,
  }
}

/** What is missing before it is worth sending; the server has the last word. */
export function draftProblems(draft: ChannelDraft, taken: readonly string[]): string[] {
  const { name, kind } = draft
  const problems: string[] = []
  if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name)) problems.push('A name is small letters, digits and single hyphens.')
  if (taken.includes(name)) problems.push(`There is a channel ${name} already.`)
  if (needsUrl(kind) && draft.url.trim() === '') problems.push('It needs an address.')
  if (kind === 'telegram' && draft.chat.trim() === '') problems.push('It needs a chat.')
  if (kind === 'mail' && draft.from.trim() === '') problems.push('Who sends the mail?')
  if (kind === 'mail' && listOf(draft.to).length === 0) problems.push('Who gets the mail?')
  const needsSecret = !needsUrl(kind) || (kind === 'mail' && draft.user.trim() !== '')
  if (needsSecret && draft.credentialRef.trim() === '') problems.push(`It needs a secret: ${secretWords[kind]}.`)
  return problems
}

export function specOf(draft: ChannelDraft): ChannelSpec {
  const { kind } = draft
  const text = (value: string): string | null => value.trim() || null
  return {
    kind,
    url: hasUrl(kind) ? text(draft.url) : null,
    chat: kind === 'telegram' ? text(draft.chat) : null,
    mail:
      kind === 'mail'
        ? {
            from: draft.from.trim(),
            to: listOf(draft.to),
            user: text(draft.user),
            tls: draft.inClear ? 'none' : 'required',
          }
        : null,
    credentialRef: draft.credentialRef.trim(),
    allowPrivate: draft.allowPrivate,
    enabled: draft.enabled,
    route: {
      severity: draft.severity,
      tags: hasRoute(kind) ? listOf(draft.tags) : [],
      quiet: hasRoute(kind) && draft.isQuiet ? { start: draft.quietStart, end: draft.quietEnd } : null,
      digestAt: hasRoute(kind) && draft.hasDigest ? draft.digestAt : null,
      digestEvery: draft.digestEvery,
      timeZone: draft.timeZone,
    },
  }
}

/** The same on the command line. */
export function setCommand(draft: ChannelDraft): string {
  const { kind, url, chat, mail, credentialRef, allowPrivate, enabled, route } = specOf(draft)
  const said = (option: string, value: string | null | undefined): string[] =>
    value ? [`--${option}`, quoted(value)] : []
  return [
    'holdfast channels set',
    quoted(draft.name || 'NAME'),
    `--kind ${kind}`,
    ...said('url', url),
    ...said('chat', chat),
    ...said('from', mail?.from),
    ...(mail?.to ?? []).flatMap((one) => said('to', one)),
    ...said('user', mail?.user),
    ...(mail?.tls === 'none' ? ['--plain'] : []),
    ...said('credential', credentialRef),
    ...(allowPrivate ? ['--allow-private'] : []),
    ...(enabled === false ? ['--off'] : []),
    ...(route?.severity === 'critical' ? ['--severity critical'] : []),
    ...(route?.tags ?? []).flatMap((tag) => said('tag', tag)),
    ...(route?.quiet ? [`--quiet-hours ${route.quiet.start}-${route.quiet.end}`] : []),
    ...said('digest-at', route?.digestAt),
    ...(route?.digestAt && draft.digestEvery !== 'day' ? [`--digest-every ${draft.digestEvery}`] : []),
    ...(route?.quiet || route?.digestAt ? said('time-zone', route.timeZone) : []),
  ].join(' ')
}

function listOf(text: string): string[] {
  return text
    .split(/[,\n]/)
    .map((one) => one.trim())
    .filter((one) => one !== '')
}
