import { lookup } from 'node:dns/promises'
import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { isIP } from 'node:net'
import { describeError, HoldfastError } from '../base/index.ts'
import { isPublicAddress } from './address.ts'
import { untilAborted } from './limit.ts'

export interface Resolved {
  readonly address: string
  readonly family: number
}
/** Every address of a name. */
export type Resolve = (host: string) => Promise<readonly Resolved[]>

export interface GuardedRequest {
  readonly url: URL
  readonly method: 'GET' | 'POST'
  readonly headers: { readonly [name: string]: string }
  readonly body: string
  readonly allowPrivate: boolean
  readonly signal: AbortSignal
  readonly resolve?: Resolve | undefined
  /** What no error may name, beside the address; empty: nothing. */
  readonly secret: string
}

/** Of an answer, for the error that names its reason. */
const longestAnswer = 2000
const longestMs = 15_000

export const systemResolve: Resolve = async (host) => lookup(host, { all: true })

/**
 * One request, to an address that was looked at before the connection is made and that the connection is made to: a name
 * that answers differently the second time leads nowhere else. Redirects are not followed. Throws ChannelRefused (the other
 * side, or the guard, says no), Throttled, NetworkFailure (trying again may help). No error names more of the address than
 * its host: paths and queries carry secrets.
 */
export async function guardedRequest(request: GuardedRequest): Promise<void> {
  const { url, allowPrivate, signal } = request
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw new HoldfastError('ChannelRefused', `${url.protocol} is no way to send a notification`, {
      hint: 'Use an address that begins with https:// or http://.',
    })
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const limit = AbortSignal.any([signal, AbortSignal.timeout(longestMs)])
  const addresses = await addressesOf(host, allowPrivate, request.resolve ?? systemResolve, limit)
  const { status, answer, retryAfter } = await exchange(request, addresses, limit)
  if (status >= 200 && status < 300) return
  const said = answer === '' ? '' : `: ${answer}`
  const message = `${url.hostname} answered ${status}${said}`
  if (status === 429) throw new HoldfastError('Throttled', message, { retryAfter: retryAfter ?? 60_000 })
  if (status >= 500 || status === 408) throw new HoldfastError('NetworkFailure', message)
  if (status >= 300 && status < 400)
    throw new HoldfastError('ChannelRefused', `${url.hostname} wants to lead elsewhere (${status})`, {
      hint: 'Redirects are not followed: give the address that it leads to.',
    })
  throw new HoldfastError('ChannelRefused', message)
}

/**
 * All that a name, or an address without brackets, leads to: one at least, and each of them looked at. Throws ChannelRefused,
 * NetworkFailure; the latter also where no name server has answered before the limit aborts.
 */
export async function addressesOf(
  host: string,
  allowPrivate: boolean,
  resolve: Resolve,
  limit: AbortSignal,
): Promise<readonly [Resolved, ...Resolved[]]> {
  const family = isIP(host)
  let found: readonly Resolved[]
  try {
    found = family === 0 ? await untilAborted(resolve(host), limit) : [{ address: host, family }]
  } catch (error) {
    const why = limit.aborted ? 'no answer in time' : describeError(error)
    throw new HoldfastError('NetworkFailure', `${host} has no address: ${why}`, { cause: error })
  }
  const [first, ...others] = found
  if (first === undefined) throw new HoldfastError('NetworkFailure', `${host} has no address`)
  // One that is private among others is no mistake of anybody: it is refused as a whole.
  if (!allowPrivate && found.some(({ address }) => !isPublicAddress(address)))
    throw new HoldfastError('ChannelRefused', `${host} is at a private address`, {
      hint: 'If it is meant to be inside, allow the channel private addresses.',
    })
  return [first, ...others]
}

interface Exchange {
  readonly status: number
  readonly answer: string
  readonly retryAfter: number | null
}

function exchange(
  { url, method, headers, body, secret }: GuardedRequest,
  addresses: readonly [Resolved, ...Resolved[]],
  signal: AbortSignal,
): Promise<Exchange> {
  return new Promise((resolve, reject) => {
    const fail = (error: unknown): void => {
      const why = signal.aborted ? 'no answer in time' : describeError(error)
      reject(new HoldfastError('NetworkFailure', `${url.hostname} was not reached: ${why}`, { cause: error }))
    }
    const options: RequestOptions = {
      method,
      headers: { ...headers, 'content-length': String(Buffer.byteLength(body)), 'user-agent': 'holdfast' },
      signal,
      // A connection of its own: one from a pool may be to an address that was looked at for somebody else.
      agent: false,
      // Asked instead of the system: whichever form of the question, the answer is what was looked at.
      lookup: (_host, wish, done) => {
        // All of them: one that does not answer is passed over.
        if (wish.all === true) done(null, [...addresses])
        else done(null, addresses[0].address, addresses[0].family)
      },
    }
    const made = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, options, (response) => {
      read(response, wordsOf(url, secret)).then(
        (answer) => resolve({ status: response.statusCode ?? 0, answer, ...waitOf(response) }),
        fail,
      )
    })
    made.on('error', fail)
    made.end(body)
  })
}

async function read(response: IncomingMessage, secrets: readonly string[]): Promise<string> {
  let text = ''
  response.setEncoding('utf8')
  for await (const piece of response) {
    text += String(piece)
    if (text.length > longestAnswer) break
  }
  return withoutWords(text, secrets)
}

/** Words of the other side for an error of ours: one line, none of the secrets. */
export function withoutWords(text: string, secrets: readonly string[]): string {
  let clean = text
  // Before it is cut: half a secret is no word that could be found.
  for (const word of secrets) clean = clean.replaceAll(word, '***')
  return clean.slice(0, longestAnswer).replaceAll(/\s+/g, ' ').trim().slice(0, 300)
}

/** Shorter words are in every answer. */
const shortestWord = 8

/** What the other side was told and may say again, longest first: many services name what they did not find. */
function wordsOf(url: URL, secret: string): string[] {
  const parts = [url.href, `${url.pathname}${url.search}`, ...url.pathname.split('/'), ...url.searchParams.values()]
  const words = parts.flatMap((part) => [part, decoded(part)]).filter((word) => word.length >= shortestWord)
  const own = [secret, encodeURIComponent(secret)].filter((word) => word !== '')
  return [...new Set([...own, ...words])].toSorted((a, b) => b.length - a.length)
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function waitOf({ headers }: IncomingMessage): Pick<Exchange, 'retryAfter'> {
  const seconds = Number(headers['retry-after'])
  return { retryAfter: Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds, 3600) * 1000 : null }
}
