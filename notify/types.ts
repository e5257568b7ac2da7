export const channelKinds = ['webhook', 'slack', 'teams', 'discord', 'ntfy', 'telegram', 'dead-man'] as const
export type ChannelKind = (typeof channelKinds)[number]

/** Where a channel leads. What its kind has no use for is null. */
export interface ChannelTarget {
  readonly kind: ChannelKind
  /** Of webhook and ntfy (with the topic). Of the others the address is the secret itself. */
  readonly url: string | null
  /** Of telegram: id of the chat. */
  readonly chat: string | null
  /** Whether it may be at a private, loopback or link-local address. */
  readonly allowPrivate: boolean
}

/** One thing that wants attention, or no longer does. Times in Unix milliseconds. */
export interface Notice {
  readonly id: number
  readonly state: 'opened' | 'recovered'
  readonly kind: string
  readonly severity: 'critical' | 'warning'
  readonly title: string
  readonly detail: string
  /** What helps, as a command line; null: nothing that can be typed. */
  readonly command: string | null
  readonly subject: { readonly kind: string; readonly id: string } | null
  readonly openedMs: number
  readonly recoveredMs: number | null
}

export interface Message {
  readonly type: 'alert' | 'digest' | 'test'
  /** Name of the installation: the reader may have several. */
  readonly installation: string
  /** One line. */
  readonly title: string
  /** One line under it; empty: none. */
  readonly lead: string
  readonly notices: readonly Notice[]
  readonly sentMs: number
}
