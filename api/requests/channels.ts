import type { NewChannel } from '../../catalog/index.ts'
import { serverOf } from '../../notify/index.ts'
import { routeProblems } from '../../policy/index.ts'

/** Kinds whose secret is needed: for most of them it is the address itself. */
const needsSecret = new Set<string>(['slack', 'teams', 'discord', 'telegram', 'dead-man'])

/** Everything that is wrong with a channel and that its shape does not show. */
export function channelProblems({ kind, url, chat, mail, credentialRef, route }: Omit<NewChannel, 'name'>): string[] {
  return [
    ...routeProblems(route),
    ...(kind === 'mail' ? mailProblems(url, mail, credentialRef) : []),
    ...(kind !== 'mail' && /^smtps?:/.test(url ?? '') ? [`a channel of kind ${kind} is not at a mail server`] : []),
    // What is in a url is shown to everybody and stands in policy files.
    ...(kind !== 'mail' && hasUser(url) ? ['a url carries no user and no password: give a token as the secret'] : []),
    ...((kind === 'webhook' || kind === 'ntfy') && url === null ? [`a channel of kind ${kind} needs a url`] : []),
    ...(kind === 'telegram' && chat === null ? ['a channel of kind telegram needs a chat'] : []),
    ...(needsSecret.has(kind) && credentialRef === '' ? [`a channel of kind ${kind} needs a secret`] : []),
  ]
}

function hasUser(text: string | null): boolean {
  const url = text === null ? null : URL.parse(text)
  return url !== null && (url.username !== '' || url.password !== '')
}

function mailProblems(url: string | null, mail: NewChannel['mail'], credentialRef: string): string[] {
  return [
    ...(serverOf(url) === null
      ? ['a channel of kind mail needs a url: smtp://host:587 or smtps://host:465, without a user or path']
      : []),
    ...(mail === null ? ['a channel of kind mail needs mail: from and to'] : []),
    ...(mail?.user && credentialRef === '' ? ['who logs in needs a secret'] : []),
    ...(mail && !mail.user && credentialRef !== '' ? ['a secret is of a user: say which'] : []),
    ...(mail?.user && mail.tls === 'none' && !url?.startsWith('smtps:') ? ['a password is never sent in clear'] : []),
  ]
}
