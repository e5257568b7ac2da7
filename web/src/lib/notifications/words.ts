import type { Attention, Channel, Delivery, Incident } from '#lib/api/types.ts'
import { count } from '#lib/format/index.ts'
import { attentionLooks } from '#lib/state/looks.ts'
import { look, type Look } from '#lib/state/tone.ts'

/** As the overview shows it; what a newer server knows and this page does not, by its severity. */
export function incidentLook({
  kind,
  severity,
  recoveredMs,
  endedBy,
}: Pick<Incident, 'kind' | 'severity' | 'recoveredMs' | 'endedBy'>): Look {
  // What nothing has mended is not green.
  if (recoveredMs !== null) return endedBy === null ? look('ok', 'Recovered') : look('idle', 'Ended')
  if (kind in attentionLooks) return attentionLooks[kind as Attention['kind']]
  return severity === 'critical' ? look('fail', 'Critical') : look('warn', 'Warning')
}

export function channelLook({ enabled, failing }: Pick<Channel, 'enabled' | 'failing'>): Look {
  if (!enabled) return look('idle', 'Off', 'pause')
  return failing === null ? look('ok', 'On') : look('fail', 'Not delivered')
}

export const deliveryLooks: Record<Delivery['state'], Look> = {
  sent: look('ok', 'Sent'),
  waiting: look('warn', 'Waiting', 'clock'),
  failed: look('fail', 'Given up'),
}

export const channelNouns: Record<Channel['kind'], string> = {
  webhook: 'Webhook',
  slack: 'Slack',
  teams: 'Teams',
  discord: 'Discord',
  ntfy: 'ntfy',
  telegram: 'Telegram',
  mail: 'Mail',
  'dead-man': 'Dead-man ping',
}

/** Where it leads, as far as that is no secret. */
export function placeOf({ kind, url, chat, mail, credentialRef }: Channel): string {
  if (mail !== null) return mail.to.join(', ')
  if (kind === 'telegram' && chat !== null) return url === null ? `chat ${chat}` : `chat ${chat} at ${url}`
  return url ?? credentialRef
}

/** Parts of an address or a path, between which a line may end. */
export function breakable(place: string): string[] {
  return place.split(/(?<=[/,?&=])(?=[^/\s])/u)
}

/** Which of all that happens this channel is told. */
export function toldOf({ kind, route }: Pick<Channel, 'kind' | 'route'>): string {
  if (kind === 'dead-man') return 'that the server lives, every five minutes'
  const { severity, tags, quiet, digestAt, digestEvery = 'day', timeZone } = route
  const parts = [severity === 'critical' ? 'what is critical' : 'everything']
  if (tags.length > 0) parts.push(`of ${tags.join(', ')}`)
  if (quiet !== null) parts.push(`only what is critical from ${quiet.start} to ${quiet.end}`)
  if (digestAt !== null) parts.push(`a summary of the ${digestEvery} at ${digestAt}`)
  const zone = quiet !== null || digestAt !== null ? ` (${timeZone})` : ''
  return parts.join('; ').replace('; of ', ' of ') + zone
}

/** As it was said, names of hosts included: no capital. */
export function reasonOf({ message }: { readonly message: string }): string {
  return /[.!?…]$/u.test(message) ? message : `${message}.`
}

/** The head of the page: what is wrong, then whether anybody would hear of it. */
export function sentenceOf(open: number, channels: readonly Pick<Channel, 'kind' | 'enabled' | 'failing'>[]): string {
  const what =
    open === 0 ? 'Nothing wants attention.' : `${count(open, 'thing')} ${open === 1 ? 'wants' : 'want'} attention.`
  const told = channels.filter(({ enabled, kind }) => enabled && kind !== 'dead-man')
  const broken = told.filter(({ failing }) => failing !== null).length
  if (told.length === 0) return `${what} Nobody is told of it: there is no channel that is on.`
  if (broken === told.length) return `${what} No message gets through.`
  if (broken > 0) return `${what} ${broken} of ${told.length} channels ${broken === 1 ? 'takes' : 'take'} nothing.`
  return `${what} ${told.length === 1 ? 'The channel takes' : `All ${told.length} channels take`} messages.`
}
