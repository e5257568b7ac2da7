import { HoldfastError, isHoldfastError } from '../base/index.ts'
import type { SiteOptions } from '../activities/index.ts'
import type { ServerDoor } from './door.ts'
import { resolveSecret } from './secrets.ts'

/**
 * Where a worker finds secrets: on its own machine, and with the token of a site, if they are not there, from the server.
 * What the server says is kept nowhere. Throws SecretMissing, ConfigInvalid.
 */
export function secretSource(door: ServerDoor, local = resolveSecret): SiteOptions['secret'] {
  return async (credentialRef) => {
    try {
      return await local(credentialRef)
    } catch (error) {
      const isMissing = isHoldfastError(error) && error.code === 'SecretMissing'
      if (!isMissing || !door.isOfSite) throw error
      return await askServer(door, credentialRef, error)
    }
  }
}

async function askServer(door: ServerDoor, credentialRef: string, missing: HoldfastError): Promise<string> {
  const { protocol, hostname } = new URL(await door.address())
  if (protocol !== 'https:' && !['127.0.0.1', '[::1]', 'localhost'].includes(hostname)) {
    throw new HoldfastError('SecretMissing', `${missing.message}, and secrets are not asked for without TLS`, {
      hint: 'Put the secret there, or give HOLDFAST_URL as https://…',
      cause: missing,
    })
  }
  const response = await door.ask('/api/v1/site-secrets', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ credentialRef }),
    signal: AbortSignal.timeout(30_000),
  })
  if (response.ok) return ((await response.json()) as { secret: string }).secret
  const { hint = missing.hint } = (await response.json().catch(() => ({}))) as { hint?: string }
  throw new HoldfastError(
    'SecretMissing',
    `${missing.message}, and the server does not hand it out: ${response.status}`,
    {
      hint,
      cause: missing,
    },
  )
}
