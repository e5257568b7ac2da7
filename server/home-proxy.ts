import { setGlobalProxyFromEnv } from 'node:http'
import { HoldfastError } from '../base/index.ts'
import type { Environment } from './config.ts'

/**
 * The proxy through which a worker comes to its server and to Temporal: `HOLDFAST_PROXY`, as `http://host:port`. It is said
 * on the machine of the worker, because nobody can be asked for it before. null: none. Throws ConfigInvalid.
 */
export function homeProxy(env: Environment): URL | null {
  const text = env['HOLDFAST_PROXY']
  if (!text) return null
  const url = URL.canParse(text) ? new URL(text) : null
  if (url?.protocol === 'http:' && url.pathname === '/' && url.search === '' && url.hash === '') return url
  throw new HoldfastError('ConfigInvalid', 'HOLDFAST_PROXY is no address of an HTTP proxy', {
    hint: 'Write http://host:port, or http://name:password@host:port. SOCKS proxies are not supported.',
  })
}

/** Requests of this process to its server go through it. Stores are reached by the ways that are said for them. */
export function reachServerThrough(proxy: URL | null): void {
  if (proxy !== null) setGlobalProxyFromEnv({ http_proxy: proxy.href, https_proxy: proxy.href })
}
