import { expect, it } from 'vitest'
import { graceText, settingsCommand } from './settings.ts'

it('says a time in whole units, and none where there is none', () => {
  expect(graceText(36 * 3_600_000)).toBe('1 day 12 hours')
  expect(graceText(30 * 60_000)).toBe('30 minutes')
  expect(graceText(0)).toBe('none')
})

it('shows the command that does the same, which takes back what is left empty', () => {
  expect(settingsCommand('main', { hours: 1.5, approval: 'required', days: 3, percent: 25 })).toBe(
    'holdfast retention settings main --grace 90m --approval required --approve-within 4320m --max-share 25',
  )
  expect(settingsCommand(null, { hours: null, approval: '', days: null, percent: null })).toBe(
    'holdfast retention settings --grace default --approval default --approve-within default --max-share default',
  )
})
