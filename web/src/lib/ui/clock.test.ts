import { expect, test } from 'vitest'
import { clockOfText } from './clock.ts'

test('a time of the day is read as people write it, and nothing else is one', () => {
  for (const [text, time] of [
    ['22:00', '22:00'],
    [' 6:05 ', '06:05'],
    ['0605', '06:05'],
    ['605', '06:05'],
    ['00:00', '00:00'],
  ])
    expect(clockOfText(text ?? '')).toBe(time)
  for (const text of ['24:00', '10:60', '10', '', '10 PM', '10:00 PM', '-1:00', '1:2'])
    expect(clockOfText(text)).toBeNull()
})
