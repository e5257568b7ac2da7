import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { letterTo } from './send.ts'
import { isPublicAddress, ping, send, textOf, type ChannelTarget, type Message } from './index.ts'

const { signal } = new AbortController()
const message: Message = {
  type: 'alert',
  installation: 'lyon',
  title: 'lyon: web-01 is overdue',
  lead: '',
  notices: [
    {
      id: 7,
      state: 'opened',
      kind: 'overdue',
      severity: 'critical',
      title: 'web-01 <@here> & @everyone\nis overdue',
      detail: 'The newest point is 9 h old.',
      command: 'holdfast backup web-01',
      subject: { kind: 'vm', id: 'web-01' },
      openedMs: 1,
      recoveredMs: null,
    },
  ],
  sentMs: 2,
}

interface Request {
  readonly method: string
  readonly path: string
  readonly authorization: string | undefined
  readonly body: string
}

let server: Server
let base: string
let received: Request[]
let answer: { status: number; headers?: Record<string, string>; text?: string }
beforeEach(async () => {
  received = []
  answer = { status: 200 }
  server = createServer((request, response) => {
    let body = ''
    request.on('data', (piece) => (body += String(piece)))
    request.on('end', () => {
      const { method = '', url: path = '', headers } = request
      received.push({ method, path, authorization: headers.authorization, body })
      response.writeHead(answer.status, answer.headers).end(answer.text ?? '')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterEach(() => new Promise<void>((resolve) => void server.close(() => resolve())))

const target = (over: Partial<ChannelTarget> = {}): ChannelTarget => ({
  kind: 'webhook',
  url: `${base}/hook`,
  chat: null,
  mail: null,
  allowPrivate: true,
  ...over,
})
const bodyOf = (n = 0): Record<string, unknown> => JSON.parse(received[n]?.body ?? '{}') as Record<string, unknown>

describe('a channel gets its own words:', () => {
  test('a webhook everything, with its token', async () => {
    await send(target(), message, { secret: 'a-token', signal })
    expect(received[0]).toMatchObject({ method: 'POST', path: '/hook', authorization: 'Bearer a-token' })
    expect(bodyOf()).toMatchObject({ v: 1, installation: 'lyon', notices: [{ id: 7, state: 'opened' }] })
  })

  test('Slack text in which a name calls nobody', async () => {
    await send(target({ kind: 'slack' }), message, { secret: `${base}/services/T/B/secret`, signal })
    expect(received[0]?.path).toBe('/services/T/B/secret')
    expect(bodyOf()['text']).toContain('web-01 &lt;@here&gt; &amp; @everyone is overdue')
  })

  test('Discord content that mentions nobody', async () => {
    await send(target({ kind: 'discord' }), message, { secret: `${base}/d`, signal })
    expect(bodyOf()).toMatchObject({ allowed_mentions: { parse: [] } })
  })

  test('Teams a card', async () => {
    await send(target({ kind: 'teams' }), message, { secret: `${base}/t`, signal })
    expect(bodyOf()).toMatchObject({ attachments: [{ content: { type: 'AdaptiveCard' } }] })
  })

  test('ntfy topic, title and priority', async () => {
    await send(target({ kind: 'ntfy', url: `${base}/sub/our-topic` }), message, { secret: '', signal })
    expect(received[0]).toMatchObject({ path: '/sub/', authorization: undefined })
    expect(bodyOf()).toMatchObject({ topic: 'our-topic', title: message.title, priority: 5 })
  })

  test('Telegram the chat and plain text, and the bot is in the address alone', () => {
    const to = target({ kind: 'telegram', url: null, chat: '-100123' }) as Parameters<typeof letterTo>[0]
    const { url, body, token } = letterTo(to, message, '4711:bot-secret')
    expect([url, token]).toEqual(['https://api.telegram.org/bot4711:bot-secret/sendMessage', null])
    expect(body).toEqual({
      chat_id: '-100123',
      text: expect.stringMatching(
        /^lyon: web-01 is overdue\nCritical: web-01 <@here> & @everyone is overdue\n/,
      ) as string,
    })
    expect(JSON.stringify(body)).not.toContain('bot-secret')
  })

  test('a dead-man service a request and nothing else', async () => {
    await ping({ allowPrivate: true }, { secret: `${base}/ping/id`, signal })
    expect(received).toEqual([{ method: 'GET', path: '/ping/id', authorization: undefined, body: '' }])
  })
})

describe('what the other side says', () => {
  test.each([
    [400, 'ChannelRefused'],
    [401, 'ChannelRefused'],
    [429, 'Throttled'],
    [503, 'NetworkFailure'],
  ] as const)('%i is %s, and no error names the secret', async (status, code) => {
    answer = { status, text: 'no\nthanks', headers: { 'retry-after': '7' } }
    const sent = send(target({ kind: 'slack' }), message, { secret: `${base}/services/secret`, signal })
    await expect(sent).rejects.toMatchObject({ code, message: `127.0.0.1 answered ${status}: no thanks` })
  })

  test('of what it was told is in no error', async () => {
    const secret = `${base}/services/T0001/B%2Dchannel/s3cret-token?key=another-secret`
    const path = '/services/T0001/B%2Dchannel/s3cret-token?key=another-secret'
    const text = `no ${secret} ${path} s3cret-token B-channel another-secret here${' '.repeat(260)}`
    answer = { status: 404, text }
    const sent = send(target({ kind: 'slack' }), message, { secret, signal })
    await expect(sent).rejects.toMatchObject({ message: '127.0.0.1 answered 404: no *** *** *** *** *** here' })
    answer = { status: 403, text: 'the token a-tok is wrong' }
    const withToken = send(target(), message, { secret: 'a-tok', signal })
    await expect(withToken).rejects.toMatchObject({ message: '127.0.0.1 answered 403: the token *** is wrong' })
  })

  test('to lead elsewhere is not followed', async () => {
    answer = { status: 302, headers: { location: `${base}/other` } }
    await expect(send(target(), message, { secret: '', signal })).rejects.toMatchObject({ code: 'ChannelRefused' })
    expect(received).toHaveLength(1)
  })

  test('nothing, is a failure of the network', async () => {
    await new Promise<void>((resolve) => void server.close(() => resolve()))
    await expect(send(target(), message, { secret: '', signal })).rejects.toMatchObject({ code: 'NetworkFailure' })
    server.listen(0)
  })
})

describe('private addresses', () => {
  test.each(['http://127.0.0.1/x', 'http://[::1]/x', 'http://[::ffff:127.0.0.1]/x', 'http://169.254.169.254/latest'])(
    '%s is refused where it was not allowed',
    async (url) => {
      const sent = send(target({ url, allowPrivate: false }), message, { secret: '', signal })
      await expect(sent).rejects.toMatchObject({ code: 'ChannelRefused' })
    },
  )

  test('are refused by what a name leads to, if only one of its addresses is private', async () => {
    const resolve = async () => [
      { address: '93.184.216.34', family: 4 },
      { address: '10.0.0.7', family: 4 },
    ]
    const sent = send(target({ url: 'http://hook.example/x', allowPrivate: false }), message, {
      secret: '',
      signal,
      resolve,
    })
    await expect(sent).rejects.toMatchObject({ code: 'ChannelRefused' })
  })

  test('the connection goes to the address that was looked at', async () => {
    let asked = 0
    const resolve = async () => {
      asked += 1
      return [{ address: '127.0.0.1', family: 4 }]
    }
    const { port } = new URL(base)
    await send(target({ url: `http://hook.example:${port}/x` }), message, { secret: '', signal, resolve })
    expect([asked, received.length]).toEqual([1, 1])
  })

  test('one of them that does not answer is passed over', async () => {
    const resolve = async () => ['127.0.0.2', '127.0.0.1'].map((address) => ({ address, family: 4 }))
    const { port } = new URL(base)
    await send(target({ url: `http://hook.example:${port}/x` }), message, { secret: '', signal, resolve })
    expect(received).toHaveLength(1)
  })

  test.each([
    ['8.8.8.8', true],
    ['2606:4700::1111', true],
    ['10.1.2.3', false],
    ['172.31.0.1', false],
    ['100.64.0.1', false],
    ['0.0.0.0', false],
    ['::', false],
    ['fd00::1', false],
    ['fe80::1', false],
    ['64:ff9b::7f00:1', false],
    ['2002:7f00:1::', false],
    ['not an address', false],
  ])('%s is public: %s', (address, isPublic) => {
    expect(isPublicAddress(address)).toBe(isPublic)
  })
})

test('what does not fit into a message is counted', () => {
  const [notice] = message.notices
  if (notice === undefined) throw new Error('the sample has a notice')
  const many = { ...message, notices: Array.from({ length: 40 }, () => notice) }
  const text = textOf(many, 600)
  expect(text.length).toBeLessThanOrEqual(600)
  expect(text).toMatch(/… and \d+ more: holdfast alerts$/)
  expect(textOf(message)).not.toContain('@everyone\nis')
})
