import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { HoldfastError } from '../../base/index.ts'
import type { BandwidthLimit } from '../../policy/index.ts'
import { Bandwidth, linkLimits } from './bandwidth.ts'
import type { Moving } from './bandwidth.ts'

const log = { info: () => undefined, warn: () => undefined, error: () => undefined }
const limits = [{ bytesPerSecond: 1_000, start: '00:00', end: '00:00' }]
const nightly = { key: 'plan/nightly', limits, timeZone: 'UTC' }
const { signal } = new AbortController()

let nowMs: number
let asked: Moving[][]
let answer: () => number | null
let heard: readonly BandwidthLimit[]
let nextRound: () => void
let bandwidth: Bandwidth
beforeEach(() => {
  nowMs = Date.UTC(2026, 10, 21)
  asked = []
  answer = () => 1_000
  heard = limits
  bandwidth = new Bandwidth({
    log,
    now: () => nowMs,
    wait: async (ms) => void (nowMs += ms),
    pause: (_ms, ended) =>
      new Promise((resolve) => {
        nextRound = () => resolve(undefined)
        ended.addEventListener('abort', () => resolve(undefined), { once: true })
      }),
    ask: async (moving) => {
      asked.push([...moving])
      return moving.map(({ key }) => ({ key, bytesPerSecond: answer(), limits: heard, timeZone: 'UTC' }))
    },
  })
})
afterEach(() => bandwidth[Symbol.dispose]())

async function round(): Promise<void> {
  const before = asked.length
  nextRound()
  for (let turns = 0; turns < 20 && asked.length === before; turns += 1) await turn()
  await turn()
}
/** How long so many pieces of a tenth of a second take. */
async function time(
  pace: { take: (bytes: number, of: AbortSignal, onWait: () => void) => Promise<void> },
  pieces: number,
) {
  const from = nowMs
  for (let n = 0; n < pieces; n += 1) await pace.take(100, signal, () => undefined)
  return nowMs - from
}

it('copies of one limit share it, are counted, and no longer when they end', async () => {
  using unlimited = await bandwidth.join([])
  expect(await time(unlimited, 50)).toBe(0)
  expect(asked).toEqual([])
  using first = await bandwidth.join([nightly])
  {
    using second = await bandwidth.join([nightly])
    const from = nowMs
    await Promise.all([time(first, 10), time(second, 10)])
    expect(nowMs - from).toBeGreaterThanOrEqual(1_900)
    await round()
    expect(asked.at(-1)).toEqual([{ key: 'plan/nightly', copies: 2 }])
  }
  await round()
  expect(asked.at(-1)).toEqual([{ key: 'plan/nightly', copies: 1 }])
})

it('what the server says counts from the next question on, and what it said a minute ago no more', async () => {
  using pace = await bandwidth.join([nightly])
  answer = () => 10_000
  await round()
  expect(await time(pace, 100)).toBeLessThanOrEqual(1_000)
  answer = () => {
    throw new Error('the server is away')
  }
  await round()
  expect(await time(pace, 100)).toBeLessThanOrEqual(1_100)
  nowMs += 60_000
  await round()
  // As it was when the copy began: a second was saved up.
  expect(await time(pace, 100)).toBeGreaterThanOrEqual(8_500)
})

it('a limit that nobody understands stops neither its own copy nor the others’ questions', async () => {
  const broken = {
    key: 'plan/broken',
    limits: [{ ...limits[0], bytesPerSecond: 1, start: 'noon', end: '' }],
    timeZone: 'UTC',
  }
  answer = () => {
    throw new Error('the server is away')
  }
  using odd = await bandwidth.join([broken])
  expect(await time(odd, 10)).toBe(0)
  using pace = await bandwidth.join([nightly])
  expect(await time(pace, 20)).toBeGreaterThanOrEqual(900)
  answer = () => 10_000
  await round()
  expect(await time(pace, 100)).toBeLessThanOrEqual(1_000)
})

it('a link is limited by what the server says of it, and goes on by that when nobody can be asked', async () => {
  const links = linkLimits('lab', 'main', 'backup')
  heard = [{ bytesPerSecond: 500, start: '00:00', end: '00:00' }]
  using pace = await bandwidth.join(links)
  expect(asked[0]?.map(({ key }) => key)).toEqual(links.map(({ key }) => key))
  expect(await time(pace, 30)).toBeGreaterThanOrEqual(2_800)
  answer = () => {
    throw new Error('the server is away')
  }
  nowMs += 60_000
  await round()
  // A second was saved up.
  expect(await time(pace, 30)).toBeGreaterThanOrEqual(4_700)
})

it('while the server refuses the question the share goes on that was heard last, within the whole limit', async () => {
  answer = () => 250
  using pace = await bandwidth.join([nightly])
  answer = () => {
    throw new HoldfastError('InvalidRequest', 'refused: 400')
  }
  nowMs += 60_000
  await round()
  // A quarter of a second was saved up at most.
  expect(await time(pace, 30)).toBeGreaterThanOrEqual(10_500)
  heard = []
  answer = () => 250
  await round()
  answer = () => {
    throw new HoldfastError('InvalidRequest', 'refused: 400')
  }
  nowMs += 60_000
  await round()
  expect(await time(pace, 30)).toBe(0)
})
