import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { request, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'

/** A store as it is reached over TLS, by whoever believes its certificate. */
export interface BehindTls extends AsyncDisposable {
  readonly endpoint: string
  /** Its certificate, PEM: what `ca=` of a URL takes. */
  readonly ca: string
}

/** Puts TLS on loopback before the store at `origin`, with a certificate of its own that is kept in `folder`. */
export async function behindTls(origin: string, folder: string): Promise<BehindTls> {
  const [key, ca] = ['key.pem', 'cert.pem'].map((name) =>
    join(folder, `${randomBytes(4).toString('hex')}-${name}`),
  ) as [string, string]
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1']
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ed25519', '-nodes', '-keyout', key, '-out', ca, ...subject], {
    stdio: 'ignore',
  })
  const server = createServer({ key: readFileSync(key), cert: readFileSync(ca) }, (incoming, answer) =>
    forward(new URL(incoming.url ?? '/', origin), incoming, answer),
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    endpoint: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ca,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Sends a request on as it came: signatures cover the name of the host. */
export function forward(to: URL, incoming: IncomingMessage, answer: ServerResponse): void {
  const { method, headers } = incoming
  const options = { method, headers, host: to.hostname, port: to.port, path: to.pathname + to.search }
  const outgoing = request(options, (response) => {
    answer.writeHead(response.statusCode ?? 500, response.headers)
    response.pipe(answer)
  })
  outgoing.on('error', () => answer.destroy())
  incoming.pipe(outgoing)
}
