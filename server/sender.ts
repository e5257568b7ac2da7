import type { Sender } from '../api/index.ts'
import { HoldfastError } from '../base/index.ts'
import { ping, send, untilAborted } from '../notify/index.ts'

/** A secret may be in a file of a mount that hangs. */
const secretWithinMs = 15_000

/** Notifications with their secrets, which are read for each message: a secret that was changed counts at once. */
export function senderOf(secret: (credentialRef: string) => Promise<string>): Sender {
  const read = async (credentialRef: string, signal: AbortSignal): Promise<string> => {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(secretWithinMs)])
    try {
      return await untilAborted(secret(credentialRef), limit)
    } catch (error) {
      if (!limit.aborted) throw error
      throw new HoldfastError('NetworkFailure', 'the secret of the channel was not read in time', { cause: error })
    }
  }
  return {
    async send(channel, message, signal) {
      await send(channel, message, { secret: await read(channel.credentialRef, signal), signal })
    },
    async ping(channel, signal) {
      await ping(channel, { secret: await read(channel.credentialRef, signal), signal })
    },
  }
}
