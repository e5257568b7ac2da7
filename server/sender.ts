import type { Sender } from '../api/index.ts'
import { ping, send } from '../notify/index.ts'

/** Notifications with their secrets, which are read for each message: a secret that was changed counts at once. */
export function senderOf(secret: (credentialRef: string) => Promise<string>): Sender {
  return {
    async send(channel, message, signal) {
      await send(channel, message, { secret: await secret(channel.credentialRef), signal })
    },
    async ping(channel, signal) {
      await ping(channel, { secret: await secret(channel.credentialRef), signal })
    },
  }
}
