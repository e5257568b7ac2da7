import type { RepositoryLocation } from '../../base/index.ts'
import { parseAzureUrl, parseS3Url } from './location-url.ts'

/** `except`: hosts that are reached without it, each as `host` or `.domain`. */
export interface ProxyRule {
  readonly url: string
  readonly except: readonly string[]
}

/**
 * An object store as it is reached through a proxy, unless its own URL names one or its host is excepted. A directory stays
 * as it is. Throws ConfigInvalid for a URL that is none.
 */
export function throughProxy(location: RepositoryLocation, rule: ProxyRule | null): RepositoryLocation {
  if (rule === null || location.kind === 'posix') return location
  const { proxy, host } = location.kind === 's3' ? ofS3(location.url) : ofAzure(location.url)
  if (proxy !== undefined || rule.except.some((one) => isExcepted(host, one))) return location
  const separator = location.url.includes('?') ? '&' : '?'
  return { ...location, url: `${location.url}${separator}proxy=${encodeURIComponent(rule.url)}` }
}

interface Reached {
  readonly proxy: string | undefined
  readonly host: string
}

function ofS3(url: string): Reached {
  const { proxy, endpoint, region, bucket, pathStyle } = parseS3Url(url)
  const at = endpoint === undefined ? `s3.${region}.amazonaws.com` : new URL(endpoint).hostname
  return { proxy, host: pathStyle ? at : `${bucket}.${at}` }
}

function ofAzure(url: string): Reached {
  const { proxy, endpoint, account } = parseAzureUrl(url)
  return { proxy, host: endpoint === undefined ? `${account}.blob.core.windows.net` : new URL(endpoint).hostname }
}

/** `.domain` and the bare name of a domain hold for what is below it, too. */
function isExcepted(host: string, except: string): boolean {
  const name = except.replace(/^\./, '').toLowerCase()
  return host.toLowerCase() === name || host.toLowerCase().endsWith(`.${name}`)
}
