import { existsSync } from 'node:fs'
import { HoldfastError, describeError } from '../base/index.ts'
import type { SiteOptions } from '../activities/index.ts'
import type { Environment, Home } from './config.ts'
import { whoIs } from './place.ts'
import { resolveSecret, siteTokenPath, workerTokenPath } from './secrets.ts'

/** The way of a worker to its server: it has no catalog, and asks for what it needs. */
export interface ServerDoor {
  /**
   * A request with the worker's own token, which opens nothing else; whatever is answered, as long as something is. `path`
   * begins with `/api/v1/`. Throws ServerUnreachable, SecretMissing.
   */
  ask(path: string, request?: RequestInit): Promise<Response>
  /** Throws ServerUnreachable where nobody says where it is. */
  address(): Promise<string>
  /** The token is one of a site: the server is that of another home. */
  readonly isOfSite: boolean
}

/**
 * The address is that of `HOLDFAST_URL`, else of the server of this home. The token is that of the site
 * (`HOLDFAST_SITE_TOKEN`, or the file `secrets/site-token` of this home), else the one that the server of this home has
 * made for its workers.
 */
export function serverDoor(home: Home, env: Environment = {}): ServerDoor {
  const address = async (): Promise<string> => {
    const base = env['HOLDFAST_URL'] || (await whoIs(home, 'server'))?.address
    if (base) return base.replace(/\/+$/, '')
    throw new HoldfastError('ServerUnreachable', 'no server of this home is running', {
      hint: 'Where the server is on another machine, set HOLDFAST_URL to its address.',
    })
  }
  return {
    address,
    isOfSite: Boolean(env['HOLDFAST_SITE_TOKEN']) || existsSync(siteTokenPath(home)),
    async ask(path, request = {}) {
      const base = await address()
      const token = await tokenOf(home, env)
      try {
        const headers = { ...(request.headers as Record<string, string> | undefined), authorization: `Bearer ${token}` }
        return await fetch(`${base}${path}`, { ...request, headers })
      } catch (error) {
        const message = `the server cannot be reached at ${new URL(base).origin}: ${describeError(error)}`
        throw new HoldfastError('ServerUnreachable', message, { cause: error })
      }
    },
  }
}

async function tokenOf(home: Home, env: Environment): Promise<string> {
  const given = env['HOLDFAST_SITE_TOKEN']
  if (given) return given
  const path = existsSync(siteTokenPath(home)) ? siteTokenPath(home) : workerTokenPath(home)
  return resolveSecret(`file:${path}`)
}

/** What a refusal means: that the token is not taken is something else than a server that is away. */
export function refusalCode(status: number): 'Unauthorized' | 'InvalidRequest' | 'NotFound' | 'ServerUnreachable' {
  if (status === 401 || status === 403) return 'Unauthorized'
  if (status === 404) return 'NotFound'
  return status >= 400 && status < 500 ? 'InvalidRequest' : 'ServerUnreachable'
}

/** Whether the server is there and takes the token, and how long its answer takes. */
export function serverReach(door: ServerDoor): SiteOptions['reachServer'] {
  return async (signal) => {
    const url = await door.address()
    const began = performance.now()
    const response = await door.ask('/api/v1/session', { signal })
    await response.arrayBuffer()
    const latencyMs = performance.now() - began
    if (response.ok) return { url, latencyMs }
    throw new HoldfastError(
      refusalCode(response.status),
      `the server does not take the token of this worker: ${response.status}`,
      {
        hint: 'Make a new one for the site: `holdfast site token NAME`.',
      },
    )
  }
}
