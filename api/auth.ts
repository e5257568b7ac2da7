import type { Context, MiddlewareHandler } from 'hono'
import { deleteCookie, getCookie, setCookie } from 'hono/cookie'
import { HoldfastError } from '../base/index.ts'
import type { TokenRow } from '../catalog/index.ts'
import type { ApiDeps } from './deps.ts'
import { hashOf, newSecret, sameHash } from './secrets.ts'

export const sessionCookie = 'holdfast_session'
export const sessionLifeMs = 12 * 3_600_000

export interface Identity {
  readonly user: string
  readonly role: 'admin' | 'worker'
  /** Of a worker's token: the only site that it is for; null: any. */
  readonly site: string | null
  readonly via: 'token' | 'session'
  readonly expiresMs: number | null
}
export interface ApiEnv {
  Variables: { identity: Identity }
}

/** What a worker's token opens: the way to hand in evidence, a copy of the catalog whose name it was told, its bandwidth, passes over packs, settings of its site, and secrets of its site where that hands them out. */
const workerMay = [
  /^GET \/api\/v1\/session$/,
  /^(GET|PUT) \/api\/v1\/evidence\/[0-9a-f]{64}$/,
  /^GET \/api\/v1\/catalog-copies\/[0-9a-f]{32}$/,
  /^POST \/api\/v1\/bandwidth$/,
  /^(GET|POST) \/api\/v1\/verify-ledgers\/[a-z0-9-]+$/,
  /^POST \/api\/v1\/site-secrets$/,
  /^GET \/api\/v1\/site-settings\/[a-z0-9-]+$/,
]
const reading = new Set(['GET', 'HEAD', 'OPTIONS'])

/** Of what reads `/metrics`: the administrator, and whoever was given the token for it. No cookie opens that door. */
export function requireMonitor({ catalog }: Pick<ApiDeps, 'catalog'>, context: Context): void {
  const row = bearerRow(catalog, context.req.header('authorization') ?? '')
  if (!row) throw new HoldfastError('Unauthorized', 'the token is not valid')
  if (row.role === 'worker') throw new HoldfastError('Forbidden', 'a worker’s token opens nothing but its own door')
}

/** Bearer token or session cookie (rulings 19). A cookie acts only from our own pages. */
export function authenticate(deps: ApiDeps): MiddlewareHandler<ApiEnv> {
  return async (context, next) => {
    const identity = identify(deps, context)
    if (identity.via === 'session' && !reading.has(context.req.method)) requireOwnOrigin(deps, context)
    if (
      identity.role === 'worker' &&
      !workerMay.some((rule) => rule.test(`${context.req.method} ${context.req.path}`))
    ) {
      throw new HoldfastError('Forbidden', 'a worker’s token opens nothing but its own door')
    }
    context.set('identity', identity)
    await next()
  }
}

/** Whether what opened a request would open it still: for answers that last. Prolongs nothing. */
export function stillOpens({ catalog }: Pick<ApiDeps, 'catalog'>, context: Context): boolean {
  const header = context.req.header('authorization')
  if (header !== undefined) return bearerRow(catalog, header) !== undefined
  const cookie = getCookie(context, sessionCookie)
  return cookie !== undefined && catalog.access.session(hashOf(cookie)) !== undefined
}

/** The token of a site is for that site alone. Throws Forbidden. */
export function requireSite({ site }: Identity, wanted: string): void {
  if (site === null || site === wanted) return
  throw new HoldfastError('Forbidden', `a token of site ${site} opens nothing of ${wanted}`)
}

function bearerRow(catalog: ApiDeps['catalog'], header: string): TokenRow | undefined {
  const token = /^Bearer +(\S+)$/i.exec(header)?.[1]
  return token === undefined ? undefined : tokenRow(catalog.access.tokens(), token)
}

function identify({ catalog, now }: ApiDeps, context: Context): Identity {
  const header = context.req.header('authorization')
  if (header !== undefined) {
    const row = bearerRow(catalog, header)
    if (!row) throw new HoldfastError('Unauthorized', 'the token is not valid')
    return { user: row.name, role: roleIn(row), site: row.site, via: 'token', expiresMs: row.expiresMs }
  }
  const cookie = getCookie(context, sessionCookie)
  if (cookie === undefined) throw new HoldfastError('Unauthorized', 'neither a token nor a session was given')
  const hash = hashOf(cookie)
  const session = catalog.access.session(hash)
  if (!session) throw new HoldfastError('Unauthorized', 'the session has ended', { hint: 'Log in again.' })
  if (session.expiresMs - now() < sessionLifeMs / 2) {
    catalog.access.extendSession(hash, sessionLifeMs)
    giveCookie(context, cookie)
  }
  const { name: user, site } = session.token
  return { user, role: roleIn(session.token), site, via: 'session', expiresMs: session.expiresMs }
}

/** Compares with every valid token, so that the time says nothing about which one was nearly right. */
function tokenRow(rows: readonly TokenRow[], token: string): TokenRow | undefined {
  const hash = hashOf(token)
  let found: TokenRow | undefined
  for (const row of rows) if (sameHash(row.hash, hash)) found = row
  return found
}

/** Cross-site request forgery: browsers say where a request comes from; only our own pages may act with a cookie. */
export function requireOwnOrigin(deps: ApiDeps, context: Context): void {
  const origin = context.req.header('origin')
  const own = context.req.header('host')
  if (origin !== undefined && (deps.origins.includes(origin) || hostOf(origin) === own)) return
  throw new HoldfastError('Forbidden', `a page of ${origin ?? 'an unknown origin'} may not act here`)
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined
}

export function login(deps: ApiDeps, context: Context, token: string): Identity {
  if (context.req.header('origin') !== undefined) requireOwnOrigin(deps, context)
  const row = tokenRow(deps.catalog.access.tokens(), token)
  if (!row) throw new HoldfastError('Unauthorized', 'the token is not valid')
  const role = roleIn(row)
  const secret = newSecret()
  const expiresMs = deps.catalog.access.openSession(hashOf(secret), row.id, sessionLifeMs)
  giveCookie(context, secret)
  return { user: row.name, role, site: row.site, via: 'session', expiresMs }
}

function roleIn({ role }: TokenRow): Identity['role'] {
  if (role !== 'monitor') return role
  throw new HoldfastError('Forbidden', 'a monitor’s token opens nothing but /metrics')
}

export function logout(deps: ApiDeps, context: Context): void {
  const cookie = getCookie(context, sessionCookie)
  if (cookie !== undefined) deps.catalog.access.closeSession(hashOf(cookie))
  deleteCookie(context, sessionCookie, { path: '/api' })
}

function giveCookie(context: Context, secret: string): void {
  setCookie(context, sessionCookie, secret, {
    httpOnly: true,
    sameSite: 'Strict',
    secure: new URL(context.req.url).protocol === 'https:' || context.req.header('x-forwarded-proto') === 'https',
    path: '/api',
    maxAge: sessionLifeMs / 1000,
  })
}
