import { describe, expect, test } from 'vitest'
import type { Capacity, Forecast, WhatIf } from '#lib/api/types.ts'
import {
  betweenWords,
  capacitySentence,
  firstDraft,
  forecastLook,
  perDayWords,
  pictureOf,
  ratesSentence,
  whatIfCommand,
} from './words.ts'

const GiB = 2 ** 30
const day = 86_400_000
const now = Date.UTC(2026, 10, 21)
const growing: Forecast = {
  state: 'growing',
  perDay: GiB,
  perDayLow: GiB / 2,
  perDayHigh: 2 * GiB,
  fullMs: now + 200 * day,
  earliestMs: now + 100 * day,
  latestMs: null,
  samples: 60,
  days: 59,
}
const of = (repositoryName: string, forecast: Forecast): Capacity => ({
  repositoryId: repositoryName,
  repositoryName,
  site: 'lyon',
  measuredMs: now,
  storedBytes: 100 * GiB,
  logicalBytes: 300 * GiB,
  capacityBytes: 300 * GiB,
  freeBytes: 200 * GiB,
  storedShare: 1 / 3,
  forecast,
})

test('how soon decides the word', () => {
  const words = [
    growing,
    { ...growing, fullMs: now + 59 * day },
    { ...growing, earliestMs: now + 59 * day },
    { ...growing, state: 'steady', fullMs: null, earliestMs: null },
    { ...growing, state: 'too-few', fullMs: null, earliestMs: null },
    { ...growing, state: 'full', fullMs: now },
  ] as const
  expect(words.map((forecast) => forecastLook(forecast, now).word)).toEqual([
    'Grows',
    'Full soon',
    'May be full soon',
    'Steady',
    'Not known yet',
    'Full',
  ])
})

test('growth has a sign, and an interval two ends', () => {
  expect([GiB, -GiB, 0, null].map(perDayWords)).toEqual(['+1.0 GiB', '−1.0 GiB', '+0 B', '–'])
  expect(betweenWords(growing)).toMatch(/… never$/)
  expect(betweenWords({ ...growing, earliestMs: null })).toBeNull()
})

test('the page begins with what fills first', () => {
  const later = of('paris', { ...growing, fullMs: now + 900 * day })
  const unknown = of('vault', { ...growing, state: 'too-few', fullMs: null })
  expect(capacitySentence([later, of('main', growing), unknown])).toMatch(
    /^main is full first, by .*\. Of 1 too little/,
  )
  expect(capacitySentence([])).toBe('No repository fills up by what is measured.')
})

describe('the picture', () => {
  const samples = Array.from({ length: 60 }, (_, n) => ({
    day: new Date(now + n * day).toISOString().slice(0, 10),
    storedBytes: (100 + n) * GiB,
  }))
  test('goes on where the samples end, and shows the room where that is near', () => {
    const picture = pictureOf(samples, growing, 300 * GiB)
    expect(picture?.past.startsWith('M0.0 ')).toBe(true)
    expect(picture?.expected.startsWith(`M${picture.nowX.toFixed(1)} `)).toBe(true)
    expect(picture?.capacityY).toBeGreaterThan(0)
    expect(pictureOf(samples, growing, 300_000 * GiB)?.capacityY).toBeNull()
    expect(pictureOf(samples, { perDay: null, perDayLow: null, perDayHigh: null }, null)?.band).toBe('')
  })
  test('needs two days', () => {
    expect(pictureOf(samples.slice(0, 1), growing, null)).toBeNull()
  })
})

test('the command says what the form does', () => {
  expect(whatIfCommand('main', firstDraft)).toBe(
    'holdfast capacity main --vms 10 --size 100GiB --category standard --headroom 30',
  )
  expect(whatIfCommand('main', { ...firstDraft, changePercent: 5, storedPercent: 40 })).toContain(
    '--change 5 --stored 40',
  )
  const rates = { changeShare: 0.031, storedShare: 0.42 } as WhatIf
  expect(ratesSentence({ ...rates, measuredVms: 187 })).toBe(
    'Reckoned with 3.1 % that change in a day, of which 42 % are stored. What was left empty is the middle of 187 measured VMs.',
  )
  expect(ratesSentence({ ...rates, measuredVms: 0 })).not.toContain('measured')
})
