/**
 * Notifications leave through here: a message is put into the words of a channel (webhook, Slack, Teams, Discord, ntfy,
 * Telegram, mail) and sent to it. What may be sent to whom and when is decided elsewhere; secrets come in with the call and are
 * in no error.
 */
export { isPublicAddress } from './address.ts'
export { untilAborted } from './limit.ts'
export { serverOf } from './mail.ts'
export { ping, send } from './send.ts'
export type { SendOptions } from './send.ts'
export { textOf } from './text.ts'
export { channelKinds } from './types.ts'
export type { ChannelKind, ChannelTarget, MailTarget, Message, Notice } from './types.ts'
