import { readFile } from 'node:fs/promises'
import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { getCACertificates } from 'node:tls'
import { HoldfastError } from '../../base/index.ts'

const SOCKETS = 64

export interface HttpPlace {
  readonly ca?: string
  readonly proxy?: string
}

export interface HttpAgents {
  readonly http: HttpAgent
  readonly https: HttpsAgent
}

/**
 * How a store is reached: through the proxy that its URL or the environment names (HTTPS_PROXY, NO_PROXY), and trusting the
 * certificates of its `ca` file besides the usual ones.
 */
export async function httpAgents({ ca, proxy }: HttpPlace): Promise<HttpAgents> {
  const proxyEnv = proxy === undefined ? process.env : { HTTP_PROXY: proxy, HTTPS_PROXY: proxy }
  const options = { keepAlive: true, maxSockets: SOCKETS, proxyEnv }
  const authorities = await certificates(ca)
  return {
    http: new HttpAgent(options),
    https: new HttpsAgent({ ...options, ...(authorities && { ca: authorities }) }),
  }
}

/** undefined: the usual ones. */
async function certificates(ca: string | undefined): Promise<string[] | undefined> {
  if (ca === undefined) return undefined
  try {
    return [...getCACertificates('default'), await readFile(ca, 'utf8')]
  } catch (error) {
    throw new HoldfastError('ConfigInvalid', `the certificates in ${ca} cannot be read`, { cause: error })
  }
}
