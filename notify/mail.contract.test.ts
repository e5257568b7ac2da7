import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import PostalMime from 'postal-mime'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { sendMail } from './mail.ts'
import { send, type ChannelTarget, type MailTarget, type Message, type Notice } from './index.ts'

/** Mail to a real receiver on this machine, over real TLS. */

interface Received {
  readonly raw: string
  readonly from: string
  readonly to: readonly string[]
  readonly user: string | null
  readonly isSafe: boolean
}

let folder: string
let tls: { readonly key: string; readonly cert: string }
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'hf-mail-'))
  const [key, cert] = ['key.pem', 'cert.pem'].map((name) => join(folder, name)) as [string, string]
  const subject = ['-subj', '/CN=mail.example', '-addext', 'subjectAltName=DNS:mail.example']
  const args = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-keyout', key, '-out', cert, ...subject]
  execFileSync('openssl', args, { stdio: 'ignore' })
  tls = { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') }
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let servers: SMTPServer[] = []
afterEach(async () => {
  for (const server of servers) await new Promise<void>((resolve) => server.close(() => resolve()))
  servers = []
})

const password = 'a-password of 24 letters'

/** Takes mail for everybody but nobody@example.org. */
async function receiver(over: SMTPServerOptions = {}): Promise<{ port: number; got: Received[] }> {
  const got: Received[] = []
  const server = new SMTPServer({
    ...tls,
    authOptional: true,
    logger: false,
    onAuth: (auth, _session, done) =>
      auth.username === 'holdfast' && auth.password === password
        ? done(null, { user: 'holdfast' })
        : done(new Error(`535 no: ${auth.password ?? ''} is wrong`)),
    onRcptTo: (address, _session, done) =>
      address.address === 'nobody@example.org'
        ? done(Object.assign(new Error('no such mailbox'), { responseCode: 550 }))
        : done(),
    onData: (stream, session, done) => {
      let raw = ''
      stream.setEncoding('utf8')
      stream.on('data', (piece) => (raw += String(piece)))
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope
        got.push({
          raw,
          from: mailFrom ? mailFrom.address : '',
          to: rcptTo.map(({ address }) => address),
          user: (session.user as string | undefined) ?? null,
          isSafe: session.secure,
        })
        done()
      })
    },
    ...over,
  })
  server.on('error', () => undefined)
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
  return { port: (server.server.address() as AddressInfo).port, got }
}

const mail = (over: Partial<MailTarget> = {}): MailTarget => ({
  from: 'holdfast@example.org',
  to: ['ops@example.org'],
  user: 'holdfast',
  tls: 'required',
  ...over,
})
const target = (port: number, over: Partial<ChannelTarget> = {}): ChannelTarget => ({
  kind: 'mail',
  url: `smtp://mail.example:${port}`,
  chat: null,
  mail: mail(),
  allowPrivate: true,
  ...over,
})
const notice = (over: Partial<Notice> = {}): Notice => ({
  id: 7,
  state: 'opened',
  kind: 'overdue',
  severity: 'critical',
  title: 'web-01 <b>&\r\nBcc: x@example.org is overdue — überfällig',
  detail: 'The newest point is 9 h old.',
  command: 'holdfast backup web-01',
  subject: { kind: 'vm', id: 'web-01' },
  openedMs: 1,
  recoveredMs: null,
  ...over,
})
const message = (notices: readonly Notice[], over: Partial<Message> = {}): Message => ({
  type: 'alert',
  installation: 'lyon',
  title: `lyon: ${notices[0]?.title ?? ''}`,
  lead: '',
  notices,
  sentMs: Date.UTC(2026, 10, 22, 8),
  ...over,
})
const deliver = (to: ChannelTarget, what: Message = message([notice()]), secret = password): Promise<void> =>
  send(to, what, {
    secret,
    signal: new AbortController().signal,
    resolve: async () => [{ address: '127.0.0.1', family: 4 }],
    ca: tls.cert,
  })
const parsed = (one: Received | undefined) => PostalMime.parse(one?.raw ?? '')
const idsOf = (references: string | undefined): string[] => (references ?? '').split(/\s+/).filter(Boolean)

describe('a mail', () => {
  test('comes by STARTTLS with a login, as text and as HTML in which nothing of a name is markup or header', async () => {
    const { port, got } = await receiver()
    await deliver(target(port))
    expect(got).toMatchObject([
      { from: 'holdfast@example.org', to: ['ops@example.org'], user: 'holdfast', isSafe: true },
    ])
    const { subject, text, html, headers, to } = await parsed(got[0])
    expect(subject).toBe('lyon: web-01 <b>& Bcc: x@example.org is overdue — überfällig')
    expect(to?.map((one) => ('address' in one ? one.address : ''))).toEqual(['ops@example.org'])
    expect(text).toContain('Critical: web-01 <b>& Bcc: x@example.org is overdue — überfällig')
    expect(text).toContain('→ holdfast backup web-01')
    expect(html).toContain('web-01 &lt;b&gt;&amp; Bcc: x@example.org is overdue — überfällig')
    expect(html).not.toContain('<b>&amp;')
    const header = (name: string): string | undefined => headers.find(({ key }) => key === name)?.value
    expect([header('auto-submitted'), header('x-priority')?.slice(0, 1), header('bcc')]).toEqual([
      'auto-generated',
      '1',
      undefined,
    ])
    expect(got[0]?.raw).not.toContain(password)
  })

  test('comes by TLS from the first byte where the address says so', async () => {
    const { port, got } = await receiver({ secure: true })
    await deliver(target(port, { url: `smtps://mail.example:${port}` }))
    expect(got).toMatchObject([{ isSafe: true }])
  })

  test('comes in clear, without a login, only where the channel says so', async () => {
    const { port, got } = await receiver({ disabledCommands: ['STARTTLS'] })
    await expect(deliver(target(port, { mail: mail({ user: null }) }), undefined, '')).rejects.toMatchObject({
      code: 'ChannelRefused',
    })
    await deliver(target(port, { mail: mail({ user: null, tls: 'none' }) }), undefined, '')
    expect(got).toMatchObject([{ isSafe: false, user: null }])
  })
})

describe('the thread of an incident', () => {
  test('holds its beginning, that it got worse and its end, and no other incident', async () => {
    const { port, got } = await receiver()
    const to = target(port)
    await deliver(to, message([notice(), notice({ id: 8 })]))
    await deliver(to, message([notice({ severity: 'critical' })], { sentMs: 5 }))
    await deliver(to, message([notice({ state: 'recovered', recoveredMs: 9 })], { sentMs: 9 }))
    await deliver(to, message([notice({ id: 9, openedMs: 4 })]))
    await deliver(to, message([notice()], { installation: 'paris' }))
    const mails = await Promise.all(got.map(parsed))
    const [first, worse, end, other, elsewhere] = mails.map(({ references }) => idsOf(references))
    expect(first).toHaveLength(2)
    expect(worse).toEqual(first?.slice(0, 1))
    expect(end).toEqual(worse)
    for (const one of [other, elsewhere]) expect(first).not.toContain(one?.[0])
    expect(new Set(mails.map(({ messageId }) => messageId)).size).toBe(5)
    expect(mails[2]?.text).toContain('Recovered: web-01')
  })

  test('has one mail, however often it was sent after a crash', async () => {
    const { port, got } = await receiver()
    await deliver(target(port))
    await deliver(target(port))
    const [a, b] = await Promise.all(got.map(parsed))
    expect(a?.messageId).toBe(b?.messageId)
    expect(a?.messageId).toMatch(/^<[0-9a-f]{32}@example\.org>$/)
  })
})

describe('what the server says', () => {
  test('of a wrong password is a refusal in which it does not stand', async () => {
    const { port, got } = await receiver()
    const sent = deliver(target(port), undefined, 'another-password')
    await expect(sent).rejects.toMatchObject({
      code: 'ChannelRefused',
      message: expect.stringMatching(/^mail\.example refused the mail: .*\*\*\* is wrong/) as string,
    })
    expect(got).toEqual([])
  })

  test('of AUTH PLAIN, word for word as it was told, is masked as well', async () => {
    const secret = 'another-password'
    const told = Buffer.from(`\0holdfast\0${secret}`).toString('base64')
    const { port } = await receiver({
      authMethods: ['PLAIN'],
      onAuth: (_auth, _session, done) => done(new Error(`no: ${told} (${told.replace(/=+$/, '')}) is wrong`)),
    })
    await expect(deliver(target(port), undefined, secret)).rejects.toMatchObject({
      code: 'ChannelRefused',
      message: expect.stringMatching(/no: \*\*\*=* \(\*\*\*\) is wrong/) as string,
    })
  })

  test('of one recipient of two keeps nothing from the other; a test wants both', async () => {
    const { port, got } = await receiver()
    const to = target(port, { mail: mail({ to: ['nobody@example.org', 'ops@example.org'] }) })
    await deliver(to)
    expect(got).toMatchObject([{ to: ['ops@example.org'] }])
    await expect(deliver(to, message([], { type: 'test' }))).rejects.toMatchObject({
      code: 'ChannelRefused',
      message: 'mail.example does not take mail for nobody@example.org',
    })
    const nobody = target(port, { mail: mail({ to: ['nobody@example.org'] }) })
    await expect(deliver(nobody)).rejects.toMatchObject({ code: 'ChannelRefused' })
  })

  test('of a mail, after it has taken sender and recipients, is of that mail: it goes once more in short', async () => {
    const sizes: number[] = []
    let most = 5_000
    const { port } = await receiver({
      onData: (stream, _session, done) => {
        let size = 0
        stream.on('data', (piece: Buffer) => (size += piece.byteLength))
        stream.on('end', () => {
          sizes.push(size)
          done(size > most ? Object.assign(new Error('too large'), { responseCode: 552 }) : null)
        })
      },
    })
    const long = message([notice({ detail: 'x '.repeat(4_000) })])
    await deliver(target(port), long)
    expect(sizes).toHaveLength(2)
    most = 10
    await expect(deliver(target(port), long)).rejects.toMatchObject({
      code: 'MessageRefused',
      message: 'mail.example refused the mail: 552 too large',
    })
    expect(sizes).toHaveLength(4)
  })

  test('for now is tried again', async () => {
    const later = Object.assign(new Error('greylisted'), { responseCode: 451 })
    const { port } = await receiver({ onMailFrom: (_address, _session, done) => done(later) })
    await expect(deliver(target(port))).rejects.toMatchObject({
      code: 'NetworkFailure',
      message: 'mail.example does not take mail now: 451 greylisted',
    })
  })

  test('with a certificate of another name, or of nobody known, is not believed', async () => {
    const { port, got } = await receiver()
    const url = `smtp://other.example:${port}`
    await expect(deliver(target(port, { url }))).rejects.toMatchObject({ code: 'ChannelRefused' })
    const unknown = send(target(port), message([notice()]), {
      secret: password,
      signal: new AbortController().signal,
      resolve: async () => [{ address: '127.0.0.1', family: 4 }],
    })
    await expect(unknown).rejects.toMatchObject({
      code: 'ChannelRefused',
      hint: expect.stringContaining('NODE_EXTRA_CA_CERTS') as string,
    })
    expect(got).toEqual([])
  })
})

describe('a mail server', () => {
  test('at a private address is refused where it was not allowed, and nobody connects', async () => {
    let connected = 0
    const { port } = await receiver({
      onConnect: (_session, done) => {
        connected += 1
        done()
      },
    })
    await expect(deliver(target(port, { allowPrivate: false }))).rejects.toMatchObject({
      code: 'ChannelRefused',
      message: 'mail.example is at a private address',
    })
    expect(connected).toBe(0)
  })

  test('of which one address does not answer is reached at the other', async () => {
    const { port, got } = await receiver()
    await send(target(port), message([notice()]), {
      secret: password,
      signal: new AbortController().signal,
      resolve: async () => ['127.0.0.2', '127.0.0.1'].map((address) => ({ address, family: 4 })),
      ca: tls.cert,
    })
    expect(got).toHaveLength(1)
  })

  test('that says nothing is given up with the signal', async () => {
    const { port } = await receiver({ onConnect: () => undefined })
    const stop = new AbortController()
    const sent = send(target(port), message([notice()]), {
      secret: password,
      signal: stop.signal,
      resolve: async () => [{ address: '127.0.0.1', family: 4 }],
      ca: tls.cert,
    })
    setImmediate(() => stop.abort())
    await expect(sent).rejects.toMatchObject({ code: 'NetworkFailure' })
  })

  test('of which no name server says where it is is given up after the one limit', async () => {
    const { signal } = new AbortController()
    const resolve = (): Promise<never> => new Promise(() => undefined)
    const sent = sendMail(target(25), message([notice()]), { secret: password, signal, resolve, longestMs: 30 })
    await expect(sent).rejects.toMatchObject({
      code: 'NetworkFailure',
      message: 'mail.example has no address: no answer in time',
    })
  })

  test('that says nothing at any of its addresses has one limit for all of them, and no connection is left', async () => {
    let connected = 0
    const closed = Promise.withResolvers<void>()
    const { port } = await receiver({
      onConnect: () => void (connected += 1),
      onClose: () => closed.resolve(),
    })
    const resolve = async () => Array.from({ length: 3 }, () => ({ address: '127.0.0.1', family: 4 }))
    const { signal } = new AbortController()
    const options = { secret: password, signal, resolve, ca: tls.cert, longestMs: 300 }
    await expect(sendMail(target(port), message([notice()]), options)).rejects.toMatchObject({ code: 'NetworkFailure' })
    await closed.promise
    expect(connected).toBe(1)
  })

  test('that stands still after TLS has begun is left with the signal, and so is the connection', async () => {
    const stop = new AbortController()
    const closed = Promise.withResolvers<void>()
    const { port } = await receiver({ onMailFrom: () => stop.abort(), onClose: () => closed.resolve() })
    const resolve = async () => [{ address: '127.0.0.1', family: 4 }]
    const options = { secret: password, signal: stop.signal, resolve, ca: tls.cert }
    await expect(sendMail(target(port), message([notice()]), options)).rejects.toMatchObject({ code: 'NetworkFailure' })
    await closed.promise
  })

  test.each([
    'http://mail.example',
    'smtp://',
    'smtp://me:secret@mail.example',
    'smtp://mail.example/path',
    'nonsense',
  ])('is not at %s', async (url) => {
    await expect(deliver(target(25, { url }))).rejects.toMatchObject({
      code: 'ChannelRefused',
      message: 'the channel has no mail server that can be understood',
    })
  })
})
