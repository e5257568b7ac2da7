export const channelKinds = ['webhook', 'slack', 'teams', 'discord', 'ntfy', 'telegram', 'mail', 'dead-man'] as const
export type ChannelKind = (typeof channelKinds)[number]

export interface MailTarget {
  /** Bare addresses, `name@example.org`. */
  readonly from: string
  readonly to: readonly string[]
  /** Who logs in, with the channel's secret; null: nobody. */
  readonly user: string | null
  /** `none`: in clear, for a relay on the same machine. Of an address that begins with smtps it says nothing. */
  readonly tls: 'required' | 'none'
}

/** Where a channel leads. What its kind has no use for is null. */
export interface ChannelTarget {
  readonly kind: ChannelKind
  /**
   * Of webhook, ntfy (with the topic) and mail (smtp or smtps); of telegram that of a Bot API server of one's own, null: the
   * service's. Of the others the address is the secret itself.
   */
  readonly url: string | null
  readonly mail: MailTarget | null
  /** Of telegram: id of the chat. */
  readonly chat: string | null
  /** Whether it may be at a private, loopback or link-local address. */
  readonly allowPrivate: boolean
}

/** One thing that wants attention, or no longer does. Times in Unix milliseconds. */
export interface Notice {
  readonly id: number
  /** `ended`: it is over, and nothing has mended it. */
  readonly state: 'opened' | 'recovered' | 'ended'
  readonly kind: string
  readonly severity: 'critical' | 'warning'
  readonly title: string
  readonly detail: string
  /** What helps, as a command line; null: nothing that can be typed. */
  readonly command: string | null
  readonly subject: { readonly kind: string; readonly id: string } | null
  readonly openedMs: number
  /** When it was over. */
  readonly recoveredMs: number | null
  /** Of one that ended: why. Not in messages that waited while an earlier version was updated. */
  readonly endedBy?: string | null
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
