import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { HoldfastError, toHoldfastError } from '../../base/index.ts'

/** How long a listener may leave others in its queue; QEMU takes one client at a time and queues one or two. */
const queueMs = 10_000
const againMs = 20

/**
 * Connects to a UNIX socket. `peer` names it in messages. A listener whose queue is full is asked again for ten seconds:
 * Linux refuses such a connection at once (EAGAIN), although somebody is there. Throws `NetworkFailure` if nothing listens
 * (`data.gone` is true when the socket is absent or refuses: the process behind it has ended), `AccessBlocked` if we may not.
 */
export async function dialUnix(path: string, peer: string, signal: AbortSignal | undefined): Promise<Socket> {
  const lateMs = performance.now() + queueMs
  for (;;) {
    try {
      return await dialOnce(path, peer, signal)
    } catch (error) {
      if (toHoldfastError(error).native?.code !== 'EAGAIN' || performance.now() > lateMs) throw error
    }
    await sleep(againMs)
  }
}

function dialOnce(path: string, peer: string, signal: AbortSignal | undefined): Promise<Socket> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(abortError(signal, peer))
    const socket = connect(path)
    const onAbort = (): void => {
      socket.destroy()
      reject(abortError(signal, peer))
    }
    signal?.addEventListener('abort', onAbort, { once: true })
    socket.once('connect', () => {
      signal?.removeEventListener('abort', onAbort)
      socket.removeAllListeners('error')
      resolve(socket)
    })
    socket.once('error', (error: NodeJS.ErrnoException) => {
      signal?.removeEventListener('abort', onAbort)
      const gone = error.code === 'ENOENT' || error.code === 'ECONNREFUSED'
      const code = error.code === 'EACCES' || error.code === 'EPERM' ? 'AccessBlocked' : 'NetworkFailure'
      reject(
        new HoldfastError(code, `cannot connect to ${peer} at ${path}`, {
          cause: error,
          native: { code: error.code ?? 'socket', text: error.message },
          data: { gone },
        }),
      )
    })
  })
}

/** True if nobody listens at the other end: its process is not there. */
export function isGone(error: unknown): boolean {
  const found = toHoldfastError(error)
  return found.code === 'NetworkFailure' && found.data?.['gone'] === true
}

/** An abort whose reason is a HoldfastError is thrown as it is: it tells cancel, deadline and shutdown apart. */
export function abortError(signal: AbortSignal | undefined, peer: string): HoldfastError {
  const reason: unknown = signal?.reason
  return reason instanceof HoldfastError
    ? reason
    : new HoldfastError('Cancelled', `gave up talking to ${peer}: cancelled`, { cause: reason })
}
