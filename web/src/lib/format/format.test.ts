import { describe, expect, it } from 'vitest'
import { bytesFigure, formatBytes, formatBytesOf } from './bytes.ts'
import { formatAge, formatDuration, formatElapsed, formatPromise } from './duration.ts'
import { count, formatRatio, listOf, percentOf } from './number.ts'
import { dayName, relative } from './time.ts'
import { sentence } from './words.ts'

const GiB = 1024 ** 3
const min = 60_000
const h = 60 * min

describe('amounts', () => {
  it('keep one decimal below a hundred and none above', () => {
    expect(formatBytes(26.93 * GiB)).toBe('26.9 GiB')
    expect(formatBytes(311.4 * GiB)).toBe('311 GiB')
    expect(formatBytes(0)).toBe('0 B')
    expect(formatBytes(900)).toBe('900 B')
  })
  it('never show four digits before the unit changes', () => {
    expect(bytesFigure(1010 * 1024 ** 2)).toEqual({ value: '1.0', unit: 'GiB' })
  })
  it('of one thing share the unit of the larger', () => {
    expect(formatBytesOf(0.5 * GiB, 33.2 * GiB)).toBe('0.5 of 33.2 GiB')
  })
})

describe('durations', () => {
  it('use at most two units and leave out zeros', () => {
    expect(formatDuration(126)).toBe('126 ms')
    expect(formatDuration(8_300)).toBe('8.3 s')
    expect(formatDuration(9_970)).toBe('10 s')
    expect(formatDuration(84_000)).toBe('1 min 24 s')
    expect(formatDuration(59_600)).toBe('1 min')
    expect(formatDuration(3 * h)).toBe('3 h')
  })
  it('tick by whole seconds while they grow', () => {
    expect([formatElapsed(200), formatElapsed(9_999), formatElapsed(250_999)]).toEqual(['1 s', '9 s', '4 min 10 s'])
  })
  it('of an age never round up past a promise', () => {
    expect(formatAge(4 * h - 1)).toBe('3 h 59 min')
    expect(formatAge(29 * h + 32 * min + 59_000)).toBe('29 h 32 min')
    expect(formatAge(18 * 24 * h)).toBe('18 d')
  })
  it('of a promise keep the unit people gave', () => {
    expect(formatPromise(24 * h)).toBe('24 h')
    expect(formatPromise(7 * 24 * h)).toBe('7 d')
  })
})

describe('sentences', () => {
  it('begin with a capital and end with one full stop', () => {
    expect(sentence('the disk is full')).toBe('The disk is full.')
    expect(sentence('The disk is full.')).toBe('The disk is full.')
    expect(sentence('')).toBe('')
  })
})

describe('numbers', () => {
  it('reach 100 % only when all is done', () => {
    expect(percentOf(999, 1000)).toBe(99)
    expect(percentOf(1, 100_000)).toBe(1)
    expect(percentOf(0, 10)).toBe(0)
    expect(percentOf(10, 10)).toBe(100)
    expect(percentOf(0, 0)).toBe(0)
  })
  it('agree with their noun', () => {
    expect(count(1, 'VM')).toBe('1 VM')
    expect(count(0, 'retry', 'retries')).toBe('0 retries')
    expect(listOf(['a', 'b', 'c'])).toBe('a, b and c')
  })
  it('give no ratio where nothing was stored', () => {
    expect(formatRatio(10, 0)).toBeNull()
    expect(formatRatio(36, 10)).toBe('3.6 ×')
  })
})

describe('times', () => {
  const now = new Date(2026, 10, 21, 7, 36, 40).getTime()
  it('are named by calendar day, not by distance', () => {
    expect(dayName(new Date(2026, 10, 20, 23, 59).getTime(), now)).toBe('yesterday')
    expect(dayName(new Date(2026, 10, 21, 0, 1).getTime(), now)).toBe('today')
    expect(dayName(new Date(2025, 10, 21).getTime(), now)).toBe('21 Nov 2025')
  })
  it('look back and ahead', () => {
    expect(relative(now - 38_000, now)).toBe('38 s ago')
    expect(relative(now + 23 * min, now)).toBe('in 23 min')
    expect(relative(now, now)).toBe('just now')
    expect(relative(now - 6 * 24 * h, now)).toBe('6 days ago')
  })
})
