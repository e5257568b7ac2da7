import { isAbsolute, resolve } from 'node:path'
import { HoldfastError, type RepositoryLocation } from '../../base/index.ts'
import { isObjectName } from '../format/names.ts'

/** What the URLs of all object stores have in common. */
interface NetworkPlace {
  /** Of every key: '' or ends with a slash. */
  readonly prefix: string
  readonly endpoint?: string
  /** `file:/path` or `env:NAME`. */
  readonly credentials?: string
  /** PEM file with certificates that are trusted besides the usual ones. */
  readonly ca?: string
  readonly proxy?: string
  /** Requests per second at most. */
  readonly rate?: number
  readonly putIfAbsent: 'native' | 'emulated'
}

export interface S3Place extends NetworkPlace {
  readonly bucket: string
  readonly region: string
  readonly pathStyle: boolean
  /** Mode of the retention that is set; undefined: the bucket has no Object Lock. */
  readonly objectLock?: 'COMPLIANCE' | 'GOVERNANCE'
}

export interface AzurePlace extends NetworkPlace {
  readonly account: string
  readonly container: string
  /** Mode of the version-level immutability policy that is set; undefined: none. */
  readonly immutability?: 'Locked' | 'Unlocked'
}

/**
 * A location as a person writes it (§14.2): `s3://…`, `azure://…`, or the path of a directory. URLs are checked and brought
 * into one form, so that the same place is the same text. Throws ConfigInvalid.
 */
export function parseLocation(text: string, base = process.cwd()): RepositoryLocation {
  const scheme = /^([a-z0-9+]+):\/\//i.exec(text)?.[1]?.toLowerCase()
  if (scheme === undefined) return { kind: 'posix', path: isAbsolute(text) ? resolve(text) : resolve(base, text) }
  if (scheme === 's3') {
    parseS3Url(text)
    return { kind: 's3', url: canonical(text) }
  }
  if (scheme === 'azure') {
    parseAzureUrl(text)
    return { kind: 'azure', url: canonical(text) }
  }
  throw invalid(text, `stores of kind ${scheme} are not known`, 'Use s3://, azure://, or the path of a directory.')
}

const shared = ['endpoint', 'credentials', 'ca', 'proxy', 'rate', 'if-absent'] as const

/** `s3://bucket/prefix?endpoint=…&region=…&path-style=…&credentials=…&ca=…&proxy=…&rate=…&if-absent=…&object-lock=…` */
export function parseS3Url(text: string): S3Place {
  const url = read(text, [...shared, 'region', 'path-style', 'object-lock'])
  const { params } = url
  const [bucket = '', ...rest] = [url.host, ...url.path]
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket))
    throw invalid(text, `${bucket} cannot be the name of a bucket`)
  const common = readShared(text, params, rest)
  const lock = oneOf(text, params, 'object-lock', ['compliance', 'governance'])
  const style = oneOf(text, params, 'path-style', ['true', 'false'])
  return {
    ...common,
    bucket,
    region: params.get('region') ?? 'us-east-1',
    // Names of buckets below a host name need DNS entries, which only the large services have.
    pathStyle: style === undefined ? common.endpoint !== undefined : style === 'true',
    ...(lock !== undefined && { objectLock: lock === 'compliance' ? 'COMPLIANCE' : 'GOVERNANCE' }),
  }
}

/** `azure://account/container/prefix?endpoint=…&credentials=…&ca=…&proxy=…&rate=…&immutability=…` */
export function parseAzureUrl(text: string): AzurePlace {
  const url = read(text, [...shared, 'immutability'])
  const { params } = url
  const [container = '', ...rest] = url.path
  if (!/^[a-z0-9]{3,24}$/.test(url.host)) throw invalid(text, `${url.host} cannot be the name of a storage account`)
  // A shorter name makes the service refuse every call, and not for its name.
  if (!/^[a-z0-9](?!.*--)[a-z0-9-]{1,61}[a-z0-9]$/.test(container)) {
    throw invalid(text, `${container || 'nothing'} cannot be the name of a container`)
  }
  const mode = oneOf(text, params, 'immutability', ['locked', 'unlocked'])
  return {
    ...readShared(text, params, rest),
    account: url.host,
    container,
    ...(mode !== undefined && { immutability: mode === 'locked' ? 'Locked' : 'Unlocked' }),
  }
}

interface Parts {
  readonly host: string
  readonly path: readonly string[]
  readonly params: URLSearchParams
}

function read(text: string, known: readonly string[]): Parts {
  let url: URL
  try {
    url = new URL(text)
  } catch (error) {
    throw new HoldfastError('ConfigInvalid', 'the URL of the repository cannot be read', { cause: error })
  }
  if (url.username !== '' || url.password !== '' || url.port !== '' || url.hash !== '') {
    // Not said which: a secret may be part of it.
    throw new HoldfastError('ConfigInvalid', 'the URL of a repository has no user, password, port or fragment', {
      hint: 'Name the credentials by reference: ?credentials=file:/path. A port belongs to ?endpoint=.',
    })
  }
  for (const name of url.searchParams.keys()) {
    if (!known.includes(name))
      throw invalid(withoutQuery(url), `it has a parameter ${name}`, `Known: ${known.join(', ')}.`)
    if (url.searchParams.getAll(name).length > 1) throw invalid(withoutQuery(url), `${name} is there twice`)
  }
  const path = url.pathname.split('/').filter((part) => part !== '')
  return { host: url.hostname, path, params: url.searchParams }
}

function readShared(text: string, params: URLSearchParams, path: readonly string[]): NetworkPlace {
  const prefix = path.join('/')
  if (prefix !== '' && !isObjectName(prefix)) {
    throw invalid(text, `${prefix} cannot be a prefix`, 'Use lower-case letters, digits, dots and hyphens.')
  }
  const credentials = params.get('credentials') ?? undefined
  if (credentials !== undefined && !/^(file:\/.+|env:[A-Za-z_][A-Za-z0-9_]*)$/.test(credentials)) {
    // Not shown: it may be the secret itself.
    throw new HoldfastError('ConfigInvalid', 'credentials are no reference', { hint: 'Write file:/path or env:NAME.' })
  }
  const ca = params.get('ca') ?? undefined
  if (ca !== undefined && !isAbsolute(ca)) throw invalid(text, 'ca is no absolute path')
  const rate = params.get('rate') ?? undefined
  if (rate !== undefined && !/^[1-9][0-9]{0,5}$/.test(rate))
    throw invalid(text, 'rate is no number of requests a second')
  const endpoint = webAddress(params, 'endpoint')
  const proxy = webAddress(params, 'proxy')
  return {
    prefix: prefix === '' ? '' : `${prefix}/`,
    putIfAbsent: oneOf(text, params, 'if-absent', ['native', 'emulated']) ?? 'native',
    ...(endpoint !== undefined && { endpoint }),
    ...(credentials !== undefined && { credentials }),
    ...(ca !== undefined && { ca }),
    ...(proxy !== undefined && { proxy }),
    ...(rate !== undefined && { rate: Number(rate) }),
  }
}

function webAddress(params: URLSearchParams, name: string): string | undefined {
  const value = params.get(name)
  if (value === null) return undefined
  const url = URL.canParse(value) ? new URL(value) : undefined
  const isPlain = url?.username === '' && url.password === '' && url.search === '' && url.hash === ''
  if (!isPlain || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new HoldfastError('ConfigInvalid', `${name} is no address like https://host:port`, {
      hint: 'A proxy that wants a password is set by the environment variable HTTPS_PROXY.',
    })
  }
  return url.href.replace(/\/$/, '')
}

function oneOf<const T extends string>(
  text: string,
  params: URLSearchParams,
  name: string,
  values: readonly T[],
): T | undefined {
  const value = params.get(name)
  if (value === null) return undefined
  const found = values.find((each) => each === value)
  if (found === undefined) throw invalid(text, `${name} is ${value}`, `One of: ${values.join(', ')}.`)
  return found
}

/** Parameters in order; characters that need no escape stay readable. */
function canonical(text: string): string {
  const url = new URL(text)
  const params = [...url.searchParams].sort(([a], [b]) => (a < b ? -1 : 1))
  const query = params.map(
    ([name, value]) => `${name}=${encodeURIComponent(value).replace(/%(2F|3A)/g, decodeURIComponent)}`,
  )
  const path = url.pathname.split('/').filter((part) => part !== '')
  return `${url.protocol}//${[url.hostname, ...path].join('/')}${query.length > 0 ? `?${query.join('&')}` : ''}`
}

function withoutQuery(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}`
}

function invalid(text: string, why: string, hint?: string): HoldfastError {
  const place = text.replace(/[?#].*$/s, '')
  return new HoldfastError('ConfigInvalid', `${place} names no repository: ${why}`, hint === undefined ? {} : { hint })
}
