/** A Telegram channel from the incident to the chat, through the sender that the server has, to a Bot API on this machine. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { alertKeeper } from '../api/alerts/index.ts'
import { bench, type Bench } from '../api/testing/bench.ts'
import { isHoldfastError } from '../base/index.ts'
import { aPoint } from '../catalog/testing.ts'
import type { Message } from '../notify/index.ts'
import { senderOf } from './sender.ts'
import { BotApi } from './testing/bot-api.ts'

const minute = 60_000
const hour = 60 * minute
const chat = '-100123'
const { signal } = new AbortController()
let here: Bench
let bots: BotApi
let token: string
beforeEach(async () => {
  here = bench()
  bots = await BotApi.start()
  token = BotApi.token
  const route = { severity: 'warning', tags: [], quiet: null, digestAt: null, timeZone: 'UTC' }
  const body = { kind: 'telegram', url: bots.url, chat, credentialRef: 'file:/secret', allowPrivate: true, route }
  expect((await here.call('PUT', '/api/v1/channels/phone', body)).status).toBe(200)
  here.catalog.points.record(aPoint(1, { createdMs: here.clock.ms - hour }))
})
afterEach(async () => {
  here[Symbol.dispose]()
  await bots[Symbol.asyncDispose]()
})

const sender = () => senderOf(async () => token)
/** Time passes, the watchdog has looked, the catalog is copied, and the keeper has its turn. */
async function pass(ms: number): Promise<void> {
  here.clock.ms += ms
  const found = { series: 1, points: 1, unreadable: 0, vanished: 0, returned: 0 }
  here.catalog.watches.recordLook('main', { lookedMs: here.clock.ms, uuid: 'f'.repeat(32), ...found })
  const made = { stem: 's', madeMs: here.clock.ms, coveredSeq: here.catalog.events.newest(), bytes: 1, versions: 1 }
  here.catalog.own.recordMade('main', made)
  const keeper = alertKeeper({ ...here.deps, sender: sender() })
  await keeper.tick(signal)
  await keeper.idle()
}
/** A promise is broken, and lasts. */
async function grow(): Promise<void> {
  await pass(30 * hour)
  await pass(2 * minute)
}
interface Entry {
  readonly state: string
  readonly attempts: number
  readonly nextMs: number | null
  readonly error: { readonly code: string; readonly message: string; readonly hint: string } | null
}
const log = async (): Promise<readonly Entry[]> =>
  (await here.get<{ items: Entry[] }>('/api/v1/deliveries?channel=phone')).items

test('is told the beginning and the end, in plain words, and the log says that both arrived', async () => {
  await grow()
  here.catalog.points.record(aPoint(2, { createdMs: here.clock.ms }))
  for (let n = 0; n < 3; n += 1) await pass(2 * minute)
  expect(bots.told).toMatchObject([
    { chat, text: expect.stringMatching(/Critical: web-01 is overdue\n/) as string },
    { chat, text: expect.stringMatching(/Recovered: web-01 is overdue/) as string },
  ])
  expect(await log()).toMatchObject([
    { state: 'sent', attempts: 1, error: null },
    { state: 'sent', attempts: 1, error: null },
  ])
})

test('that is told to wait is left alone for so long, and then gets what it missed', async () => {
  bots.instead = BotApi.flood(95)
  await grow()
  const [waiting] = await log()
  expect(waiting).toMatchObject({
    ...{ state: 'waiting', attempts: 1 },
    error: { code: 'Throttled', message: '127.0.0.1 answered 429: Too Many Requests: retry after 95' },
  })
  expect(waiting?.nextMs).toBeGreaterThanOrEqual(here.clock.ms + 95_000)
  await pass(minute)
  expect(bots.requests).toBe(1)
  bots.instead = null
  await pass(36_000)
  expect(bots.told).toHaveLength(1)
  expect((await log()).find(({ attempts }) => attempts === 2)).toMatchObject({ state: 'sent', error: null })
})

test('that has put the bot out is tried again later, says so with what to do, and gets it when the bot is back', async () => {
  bots.blocked.add(chat)
  await grow()
  expect((await log())[0]).toMatchObject({
    ...{ state: 'waiting', attempts: 1 },
    error: {
      code: 'ChannelRefused',
      message: '127.0.0.1 answered 403: Forbidden: bot was blocked by the user',
      hint: expect.stringContaining('Take it in again') as string,
    },
  })
  bots.blocked.clear()
  await pass(hour)
  expect(bots.told).toHaveLength(1)
  expect((await log()).at(-1)).toMatchObject({ state: 'sent', attempts: 2 })
})

test('a refusal that comes with status 200 is one, and so is what a gateway makes of it', async () => {
  bots.instead = { status: 200, body: { ok: false, error_code: 400, description: 'Bad Request: chat not found' } }
  await grow()
  expect((await log())[0]).toMatchObject({ state: 'waiting', error: { code: 'ChannelRefused' } })
  bots.instead = { status: 200, body: '<html>Please log in to the guest network</html>' }
  await pass(hour)
  expect((await log()).at(-1)).toMatchObject({ state: 'waiting', attempts: 2, error: { code: 'NetworkFailure' } })
  bots.instead = null
  await pass(hour)
  expect((await log()).at(-1)).toMatchObject({ state: 'sent', attempts: 3 })
})

test('a text that it does not take holds up nothing that comes after it', async () => {
  bots.instead = { status: 400, body: { ok: false, error_code: 400, description: 'Bad Request: message is too long' } }
  await grow()
  expect((await log())[0]).toMatchObject({ state: 'failed', attempts: 1, error: { code: 'MessageRefused' } })
})

describe('what is wrong with the channel is said with what to do:', () => {
  const sample = (over: Partial<Message> = {}): Message => ({
    ...{ type: 'test', installation: 'lyon', title: 'lyon: test', lead: 'If you read this.', notices: [], sentMs: 1 },
    ...over,
  })
  async function refused(): Promise<{ readonly code: string; readonly message: string; readonly hint: string }> {
    const error: unknown = await sender()
      .send(here.catalog.alerts.channel('phone'), sample(), signal)
      .catch((thrown: unknown) => thrown)
    if (!isHoldfastError(error)) throw new Error('it was taken')
    expect(`${error.message} ${error.hint}`).not.toContain(token)
    return error
  }

  test('a chat that the bot is not in', async () => {
    bots.chats.clear()
    expect(await refused()).toMatchObject({
      code: 'ChannelRefused',
      message: '127.0.0.1 answered 400: Bad Request: chat not found',
      hint: expect.stringContaining('that the bot is in it') as string,
    })
  })

  test('a group that has become a supergroup, with its new id', async () => {
    bots.instead = BotApi.movedTo(-1009)
    expect((await refused()).hint).toContain('give the channel the chat -1009')
  })

  test('a token that nobody knows', async () => {
    token = '4711:another-secret-than-that'
    expect(await refused()).toMatchObject({
      message: '127.0.0.1 answered 401: Unauthorized',
      hint: expect.stringContaining('The token of the bot') as string,
    })
  })

  test('and a message of any length and any characters fits', async () => {
    const title = `${'🖥'.repeat(1800)} half \uD83D is overdue`
    const notice = {
      ...({ id: 1, state: 'opened', kind: 'overdue', severity: 'critical', title, detail: '' } as const),
      ...{ command: null, subject: null, openedMs: 1, recoveredMs: null },
    }
    await sender().send(
      here.catalog.alerts.channel('phone'),
      sample({ title, notices: [notice, notice, notice] }),
      signal,
    )
    expect(bots.told[0]?.text.length).toBeGreaterThan(3000)
  })
})
