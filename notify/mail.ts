import { connect, type Socket } from 'node:net'
import { hostname } from 'node:os'
import { describeError, HoldfastError } from '../base/index.ts'
import { untilAborted } from './limit.ts'
import { mailOf, type Mail } from './mail-words.ts'
import { addressesOf, systemResolve, withoutWords, type Resolve } from './request.ts'
import type { ChannelTarget, MailTarget, Message } from './types.ts'

export interface MailOptions {
  /** The password; empty: nobody logs in. */
  readonly secret: string
  readonly signal: AbortSignal
  readonly resolve?: Resolve | undefined
  /** Certificates that are believed beside the system's, PEM. */
  readonly ca?: string | undefined
  /** For all of it, the name server and every address included; milliseconds. */
  readonly longestMs?: number | undefined
}

const quietMs = 15_000
const longestOfMailMs = 45_000
const ports = { 'smtps:': 465, 'smtp:': 587 } as const

/**
 * One mail to all recipients of the channel, over TLS unless the channel says otherwise. The connection goes to the address
 * that was looked at. A mail that some recipients take counts as sent; the test of a channel wants all of them. Throws
 * ChannelRefused (the server or the guard says no), MessageRefused (the server does not take what it says), NetworkFailure (trying again may help); no error names the password.
 */
export async function sendMail(target: ChannelTarget, message: Message, options: MailOptions): Promise<void> {
  const { mail, url } = target
  const server = serverOf(url)
  if (mail === null || server === null)
    throw new HoldfastError('ChannelRefused', 'the channel has no mail server that can be understood', {
      hint: 'Give it one as smtp://mail.example.org:587 or smtps://mail.example.org:465.',
    })
  const limit = AbortSignal.any([options.signal, AbortSignal.timeout(options.longestMs ?? longestOfMailMs)])
  const found = await addressesOf(server.host, target.allowPrivate, options.resolve ?? systemResolve, limit)
  const words = mailOf(mail, message)
  let last: HoldfastError | undefined
  for (const { address } of found) {
    try {
      const { rejected } = await submit(server, address, mail, words, { ...options, limit })
      if (message.type === 'test' && rejected.length > 0)
        throw new HoldfastError('ChannelRefused', `${server.host} does not take mail for ${rejected.join(', ')}`)
      return
    } catch (error) {
      const told = errorOf(error, server.host, secretsOf(options.secret, mail.user))
      // One that is not reached is passed over; one that has answered was the right one.
      if (told.code !== 'NetworkFailure' || isAnswer(error) || limit.aborted) throw told
      last = told
    }
  }
  throw last ?? new HoldfastError('NetworkFailure', `${server.host} has no address`)
}

interface MailServer {
  readonly host: string
  readonly port: number
  readonly secure: boolean
}

/** null: no address of a mail server. */
export function serverOf(text: string | null): MailServer | null {
  const url = URL.parse(text ?? '')
  if (url === null || (url.protocol !== 'smtp:' && url.protocol !== 'smtps:') || url.hostname === '') return null
  // A password in it would be in every list.
  if (url.username !== '' || url.password !== '' || url.search !== '' || !['', '/'].includes(url.pathname)) return null
  const port = url.port === '' ? ports[url.protocol] : Number(url.port)
  return { host: url.hostname.replace(/^\[|\]$/g, ''), port, secure: url.protocol === 'smtps:' }
}

async function submit(
  { host, port, secure }: MailServer,
  address: string,
  { user, tls }: MailTarget,
  mail: Mail,
  { secret, limit, ca }: Pick<MailOptions, 'secret' | 'ca'> & { readonly limit: AbortSignal },
): Promise<{ readonly rejected: readonly string[] }> {
  // Only whoever sends mail needs it.
  const { createTransport } = await import('nodemailer')
  const isPlain = tls === 'none' && !secure
  const transport = createTransport({
    host: address,
    port,
    secure,
    servername: host,
    name: hostname(),
    requireTLS: !isPlain,
    ignoreTLS: isPlain,
    tls: { minVersion: 'TLSv1.2', ...(ca !== undefined && { ca }) },
    ...(user !== null && { auth: { user, pass: secret } }),
    getSocket: (_options, done) => openSocket({ host: address, port }, limit, done),
    greetingTimeout: quietMs,
    socketTimeout: quietMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  const { to, references, ...rest } = mail
  const sending = transport.sendMail({ ...rest, to: [...to], references: [...references] })
  try {
    const { rejected } = await untilAborted(sending, limit)
    return { rejected: rejected.map(String) }
  } catch (error) {
    throw limit.aborted ? new Error('no answer in time', { cause: error }) : error
  } finally {
    // Of one that nobody waits for any more.
    void Promise.allSettled([sending])
    transport.close()
  }
}

/**
 * Our own, because the transport closes none that a server keeps open: the limit ends this one, whatever is said on it and
 * whether TLS has begun.
 */
function openSocket(
  to: { readonly host: string; readonly port: number },
  limit: AbortSignal,
  done: (error: Error | null, opened?: { readonly connection: Socket }) => void,
): void {
  const socket = connect({ ...to, signal: limit })
  const fail = (error: Error): void => done(error)
  socket.once('error', fail)
  socket.setTimeout(quietMs, () => socket.destroy(new Error('no connection in time')))
  socket.once('connect', () => {
    socket.setTimeout(0)
    socket.removeAllListeners('timeout')
    socket.off('error', fail)
    // One that is destroyed later has been given up: nobody is there to hear why.
    socket.on('error', () => undefined)
    done(null, { connection: socket })
  })
}

interface SmtpError extends Error {
  readonly code?: string
  readonly responseCode?: number
  readonly response?: string
}

function isAnswer(error: unknown): boolean {
  return (error as SmtpError).responseCode !== undefined
}

/** Certificates and TLS do not mend themselves, and what a server refuses for good (RFC 5321 §4.2.1: 5yz) neither. */
function errorOf(thrown: unknown, host: string, secrets: readonly string[]): HoldfastError {
  if (thrown instanceof HoldfastError) return thrown
  const error = thrown as SmtpError
  const said = withoutWords(error.response ?? describeError(thrown), secrets)
  const { responseCode: answer = 0, code = '' } = error
  const cause = { cause: thrown }
  // Sender and recipients were taken, and then not what was sent to them; or all of it is larger than the server takes.
  if (code === 'EMESSAGE' && (answer === 0 || answer >= 500))
    return new HoldfastError('MessageRefused', `${host} refused the mail: ${said}`, cause)
  if (answer >= 500 || (code === 'EAUTH' && (answer === 0 || answer >= 500)))
    return new HoldfastError('ChannelRefused', `${host} refused the mail: ${said}`, cause)
  if (answer >= 400) return new HoldfastError('NetworkFailure', `${host} does not take mail now: ${said}`, cause)
  if (code === 'ETLS' || /certificate|self[- ]signed|altnames|tls|ssl/i.test(said))
    return new HoldfastError('ChannelRefused', `no safe connection to ${host}: ${said}`, {
      ...cause,
      hint: 'The mail server needs TLS with a certificate of that name. An authority of your own is believed by NODE_EXTRA_CA_CERTS.',
    })
  if (code === 'EENVELOPE') return new HoldfastError('ChannelRefused', `${host} refused the mail: ${said}`, cause)
  return new HoldfastError('NetworkFailure', `${host} was not reached: ${said}`, cause)
}

/** A server may repeat what it was told, and it was told in base64: by AUTH LOGIN alone, by AUTH PLAIN (RFC 4616) as the third part. */
function secretsOf(secret: string, user: string | null): string[] {
  const told = [`\0${user ?? ''}\0${secret}`, secret].map((text) => Buffer.from(text).toString('base64'))
  // Padding may be left out by who repeats it. Longest first: none is the beginning of what is masked later.
  return secret === ''
    ? []
    : [...told.map((text) => text.replace(/=+$/, '')), secret].toSorted((a, b) => b.length - a.length)
}
