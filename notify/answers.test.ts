/** What each service says that HTTP alone does not, from a server on this machine that answers in its words. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { isHoldfastError } from '../base/index.ts'
import { ping, send, type ChannelKind, type ChannelTarget, type Message, type Notice } from './index.ts'

const { signal } = new AbortController()
const secretPath = '/services/T0001/B0002/a-secret-part'
let server: Server
let base: string
let bodies: string[]
let answer: { status: number; text: string; headers?: Record<string, string> }
beforeEach(async () => {
  bodies = []
  server = createServer((request, response) => {
    let body = ''
    request.on('data', (piece) => (body += String(piece)))
    request.on('end', () => {
      bodies.push(body)
      response.writeHead(answer.status, answer.headers).end(answer.text)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterEach(() => new Promise<void>((resolve) => void server.close(() => resolve())))

const notice = (title: string): Notice => ({
  ...({ id: 1, state: 'opened', kind: 'overdue', severity: 'critical', title, detail: '' } as const),
  ...{ command: null, subject: null, openedMs: 1, recoveredMs: null },
})
const message = (titles: readonly string[] = ['web-01 is overdue']): Message => ({
  ...{ type: 'alert', installation: 'lyon', title: `lyon: ${titles[0] ?? ''}`, lead: '', sentMs: 1 },
  notices: titles.map(notice),
})

/** null: it was taken. */
async function said(kind: ChannelKind, status: number, text: string, headers: Record<string, string> = {}) {
  answer = { status, text, headers }
  const url = kind === 'ntfy' || kind === 'webhook' ? `${base}/our-topic` : null
  const target: ChannelTarget = { kind, url, chat: null, mail: null, allowPrivate: true }
  const secret = url === null ? `${base}${secretPath}` : ''
  const error: unknown = await send(target, message(), { secret, signal }).then(
    () => null,
    (thrown: unknown) => thrown,
  )
  if (error !== null && !isHoldfastError(error)) throw new Error('no error of ours', { cause: error })
  expect(`${error?.message} ${error?.hint}`).not.toContain('a-secret-part')
  return error
}

test.each([
  ['slack', 200, 'ok'],
  ['discord', 204, ''],
  // Of a workflow, and of a connector.
  ['teams', 202, ''],
  ['teams', 200, '1'],
  ['ntfy', 200, '{"id":"x","event":"message","topic":"our-topic"}'],
  ['webhook', 202, '{"error":"nothing of ours"}'],
] as const)('%s has taken it with %i and “%s”', async (kind, status, text) => {
  expect(await said(kind, status, text)).toBeNull()
})

test('Slack names its reasons in a word: each is told with what to do', async () => {
  for (const [status, word, hint] of [
    [403, 'invalid_token', 'make a new one'],
    [404, 'no_service', 'make a new one'],
    [410, 'channel_is_archived', 'bring it back'],
    [403, 'action_prohibited', 'administrator'],
  ] as const) {
    const error = await said('slack', status, word)
    expect(error).toMatchObject({ code: 'ChannelRefused', message: `127.0.0.1 answered ${status}: ${word}` })
    expect(error?.hint).toContain(hint)
  }
  expect(await said('slack', 500, 'rollup_error')).toMatchObject({ code: 'NetworkFailure' })
  expect(await said('slack', 429, '', { 'retry-after': '30' })).toMatchObject({ code: 'Throttled', retryAfter: 30_000 })
})

test('Discord says in fractions of a second how long to wait, and in the body why not', async () => {
  const limited = '{"message":"You are being rate limited.","retry_after":64.57,"global":false}'
  expect(await said('discord', 429, limited, { 'retry-after': '65' })).toMatchObject({
    ...{ code: 'Throttled', retryAfter: 64_570 },
    message: '127.0.0.1 answered 429: You are being rate limited.',
  })
  const unknown = await said('discord', 404, '{"message": "Unknown Webhook", "code": 10015}')
  expect(unknown).toMatchObject({ code: 'ChannelRefused', message: '127.0.0.1 answered 404: Unknown Webhook' })
  expect(unknown?.hint).toContain('make a new one')
})

test('a Teams connector that says 200 and that Teams did not take it, has not delivered it', async () => {
  const text = (status: number): string =>
    `Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error ${status} with ContextId tcid=0,server=x`
  expect(await said('teams', 200, text(429))).toMatchObject({ code: 'Throttled', retryAfter: 60_000 })
  expect(await said('teams', 200, text(413))).toMatchObject({ code: 'MessageRefused' })
  expect(await said('teams', 200, 'Webhook message delivery failed')).toMatchObject({ code: 'NetworkFailure' })
  expect((await said('teams', 404, 'gone'))?.hint).toContain('make a new one')
})

test('ntfy gives its reason in the body', async () => {
  const limited = '{"code":42908,"http":429,"error":"limit reached: daily message quota reached","link":"https://x"}'
  expect(await said('ntfy', 429, limited)).toMatchObject({
    ...{ code: 'Throttled', retryAfter: 60_000 },
    message: '127.0.0.1 answered 429: limit reached: daily message quota reached',
  })
  const denied = await said('ntfy', 403, '{"code":40301,"http":403,"error":"forbidden"}')
  expect(denied).toMatchObject({ code: 'ChannelRefused', message: '127.0.0.1 answered 403: forbidden' })
  expect(denied?.hint).toContain('may publish')
})

test('a wait may be a date, and none is longer than an hour', async () => {
  const date = new Date(Date.now() + 90_000).toUTCString()
  const error = await said('webhook', 429, '', { 'retry-after': date })
  expect(error?.retryAfter).toBeGreaterThan(60_000)
  expect(error?.retryAfter).toBeLessThanOrEqual(90_000)
  expect(await said('webhook', 429, '', { 'retry-after': '999999' })).toMatchObject({ retryAfter: 3_600_000 })
})

test.each([
  ['webhook', 400, 'no'],
  ['webhook', 413, ''],
  ['webhook', 422, '{"detail":"lead is too long"}'],
  ['slack', 400, 'invalid_payload'],
  ['slack', 400, 'no_text'],
  ['discord', 400, '{"code":50006,"message":"Cannot send an empty message"}'],
  ['discord', 400, '{"code":50035,"message":"Invalid Form Body","errors":{"content":{"_errors":[]}}}'],
  ['discord', 413, '{"code":40005,"message":"Request entity too large"}'],
  ['teams', 400, 'Webhook Bad Request - Null or empty event'],
  ['teams', 200, 'Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 400'],
  ['ntfy', 400, '{"code":40014,"http":400,"error":"invalid request: attachments not allowed"}'],
  ['ntfy', 413, '{"code":41301,"http":413,"error":"attachment too large"}'],
] as const)(
  '%s that answers %i and “%s” refuses the message, not the channel, and gets it once in short',
  async (kind, status, text) => {
    expect(await said(kind, status, text)).toMatchObject({ code: 'MessageRefused' })
    expect(bodies).toHaveLength(2)
    expect(bodies[1]).toContain('In short')
  },
)

test.each([
  ...[401, 403, 404, 405, 410, 415].map((status) => ['webhook', status, ''] as const),
  ['slack', 400, 'user_not_found'],
  ['discord', 400, '{"code":220001,"message":"Webhooks posted to forum channels must have a thread_name"}'],
  ['discord', 400, '{"code":50035,"message":"Invalid Form Body","errors":{"webhook_id":{"_errors":[]}}}'],
  ['teams', 400, '{"error":{"code":"WorkflowTriggerIsNotEnabled"}}'],
  ['ntfy', 400, '{"code":40009,"http":400,"error":"invalid request: topic invalid"}'],
  ['ntfy', 400, '<html>a gateway</html>'],
] as const)('%s that answers %i and “%s” refuses the channel, and is asked once', async (kind, status, text) => {
  expect(await said(kind, status, text)).toMatchObject({ code: 'ChannelRefused' })
  expect(bodies).toHaveLength(1)
})

test('what is too large goes in short: the worst of it, how much more there is, and where all of it is', async () => {
  const titles = Array.from({ length: 40 }, (_, n) => `vm-${n} is overdue`)
  const whole = message(titles)
  const mild = whole.notices.map((one, n) => ({
    ...one,
    ...(n < 38
      ? ({ severity: 'warning' } as const)
      : n === 38
        ? ({ state: 'recovered', recoveredMs: 2 } as const)
        : {}),
    ...{ id: n, detail: 'x'.repeat(5_000), command: 'holdfast backup' },
  }))
  server.removeAllListeners('request')
  server.on('request', (request, response) => {
    let body = ''
    request.on('data', (piece) => (body += String(piece)))
    request.on('end', () => {
      bodies.push(body)
      response.writeHead(body.length > 4_096 ? 413 : 204).end()
    })
  })
  const target: ChannelTarget = { kind: 'webhook', url: `${base}/x`, chat: null, mail: null, allowPrivate: true }
  await send(target, { ...whole, notices: mild }, { secret: '', signal })
  expect(bodies).toHaveLength(2)
  const short = JSON.parse(bodies[1] ?? '') as Message & { readonly text: string }
  expect(short.notices.map(({ id, severity }) => [id, severity])).toEqual([
    [39, 'critical'],
    [0, 'warning'],
    [1, 'warning'],
  ])
  expect(short.text).toMatch(/^In short, .*37 more, and all of it: holdfast alerts\n\nCritical: vm-39 is overdue/)
})

test('a dead-man service that does not understand the ping is a channel that is wrong', async () => {
  answer = { status: 400, text: '' }
  await expect(ping({ allowPrivate: true }, { secret: base, signal })).rejects.toMatchObject({ code: 'ChannelRefused' })
})

test('services that count bytes get no more of them than they take, whatever the names are written in', async () => {
  const many = message(Array.from({ length: 400 }, (_, n) => `仮想マシン-${n} は期限を過ぎています`))
  answer = { status: 200, text: '1' }
  const target = { chat: null, mail: null, allowPrivate: true }
  await send({ ...target, kind: 'ntfy', url: `${base}/topic` }, many, { secret: '', signal })
  await send({ ...target, kind: 'teams', url: null }, many, { secret: base, signal })
  const [ntfy = '', teams = ''] = bodies
  const { message: text } = JSON.parse(ntfy) as { readonly message: string }
  expect(Buffer.byteLength(text)).toBeLessThanOrEqual(4096)
  expect(Buffer.byteLength(text)).toBeGreaterThan(2500)
  expect(text).toMatch(/… and \d+ more: holdfast alerts$/)
  expect(Buffer.byteLength(teams)).toBeLessThan(28 * 1024)
})
