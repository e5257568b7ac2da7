import { connect, type TLSSocket } from 'node:tls'
import { HoldfastError } from '../../base/index.ts'
import type { TlsUpgrade } from './types.ts'

export interface VerifiedTlsOptions {
  /** PEM. The authority, or the server's own certificate if it is self-signed or pinned. Without it: the system's. */
  readonly ca?: string | Buffer
  /** Name that the server's certificate must carry. */
  readonly servername: string
  /** PEM, where the server asks clients for a certificate. */
  readonly cert?: string | Buffer
  readonly key?: string | Buffer
}

/** TLS ≥ 1.2 over the socket that spoke STARTTLS; the peer's certificate is always verified. */
export function verifiedTls(options: VerifiedTlsOptions): TlsUpgrade {
  return async (socket, signal) => {
    const secure: TLSSocket = connect({ ...options, socket, minVersion: 'TLSv1.2', rejectUnauthorized: true })
    try {
      await new Promise<void>((resolve, reject) => {
        secure.once('secureConnect', resolve)
        secure.once('error', reject)
        secure.once('close', () =>
          reject(new HoldfastError('NetworkFailure', 'the connection ended during the TLS handshake')),
        )
        signal.addEventListener('abort', () => secure.destroy(), { once: true })
      })
      return secure
    } catch (error) {
      // What the dying socket still complains about is a consequence of the error that is thrown here.
      secure.on('error', () => undefined).destroy()
      throw error
    }
  }
}
