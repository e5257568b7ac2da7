import { lookup } from 'node:dns/promises'
import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { isIP } from 'node:net'
import { describeError, HoldfastError } from '../base/index.ts'
import { isPublicAddress } from './address.ts'
import { isOfMessage, isTaken, plainVerdict, type Answer, type Verdict } from './answers.ts'
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
  /** What the service means by its answer. Default: what HTTP says. */
  readonly verdict?: ((answer: Answer) => Verdict) | undefined
}

/** Of an answer: some services send back all that they were told. */
const longestAnswer = 65_536
/** Of it, for the error that names its reason. */
const longestReason = 2000
const longestMs = 15_000
/** What says "too many" and names no time, and the longest that is believed. */
const usualWaitMs = 60_000
const longestWaitMs = 3_600_000

export const systemResolve: Resolve = async (host) => lookup(host, { all: true })

/**
 * One request, to an address that was looked at before the connection is made and that the connection is made to: a name
 * that answers differently the second time leads nowhere else. Redirects are not followed. Throws ChannelRefused (the other
 * side, or the guard, says no), MessageRefused (it says no to this body alone), Throttled, NetworkFailure (trying again may help). No error names more of the address than
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
  const answer = await exchange(request, addresses, limit)
  const verdict = (request.verdict ?? plainVerdict)(answer)
  if (isTaken(verdict.status)) return
  throw refusalOf(url, verdict, wordsOf(url, request.secret))
}

function refusalOf({ hostname }: URL, verdict: Verdict, secrets: readonly string[]): Error {
  const { status, said, retryAfterMs, hint } = verdict
  const clean = withoutWords(said, secrets)
  const message = `${hostname} answered ${status}${clean === '' ? '' : `: ${clean}`}`
  const more = hint === undefined ? {} : { hint }
  if (status === 429)
    return new HoldfastError('Throttled', message, {
      ...more,
      retryAfter: Math.min(retryAfterMs ?? usualWaitMs, longestWaitMs),
    })
  if (status >= 500 || status === 408) return new HoldfastError('NetworkFailure', message, more)
  if (status >= 300 && status < 400)
    return new HoldfastError('ChannelRefused', `${hostname} wants to lead elsewhere (${status})`, {
      hint: 'Redirects are not followed: give the address that it leads to.',
    })
  return new HoldfastError(isOfMessage(verdict) ? 'MessageRefused' : 'ChannelRefused', message, more)
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

function exchange(
  { url, method, headers, body }: GuardedRequest,
  addresses: readonly [Resolved, ...Resolved[]],
  signal: AbortSignal,
): Promise<Answer> {
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
      read(response).then(
        (text) => resolve({ status: response.statusCode ?? 0, text, retryAfterMs: waitOf(response) }),
        fail,
      )
    })
    made.on('error', fail)
    made.end(body)
  })
}

async function read(response: IncomingMessage): Promise<string> {
  let text = ''
  response.setEncoding('utf8')
  for await (const piece of response) {
    text += String(piece)
    if (text.length > longestAnswer) break
  }
  return text.slice(0, longestAnswer)
}

/** Words of the other side for an error of ours: one line, none of the secrets. */
export function withoutWords(text: string, secrets: readonly string[]): string {
  let clean = text
  // Before it is cut: half a secret is no word that could be found.
  for (const word of secrets) clean = clean.replaceAll(word, '***')
  return clean.slice(0, longestReason).replaceAll(/\s+/g, ' ').trim().slice(0, 300)
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

/** Of `Retry-After`: seconds or an HTTP date (RFC 9110 §10.2.3); milliseconds from now. */
function waitOf({ headers }: IncomingMessage): number | null {
  const told = headers['retry-after'] ?? ''
  const seconds = Number(told)
  const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(told) - Date.now()
  return ms > 0 ? ms : null
}
