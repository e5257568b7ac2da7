import { expect, it } from 'vitest'
import { setCommand } from './command.ts'
import { newDraft } from './draft.ts'

it('the command says what differs from what is saved, as the command line reads it', () => {
  const saved = { ...newDraft, name: 'payroll' }
  expect(setCommand(saved, saved)).toBe('holdfast category show payroll')
  const wanted = {
    ...saved,
    description: "the people's pay",
    rpoMs: 5_400_000,
    everyMs: null,
    keep: { daily: 30, withinMs: 172_800_000 },
    copies: { repositories: 2, media: 1, offSite: 1, immutable: 0 },
  }
  expect(setCommand(wanted, saved)).toBe(
    `holdfast category set payroll --description 'the people'\\''s pay' --rpo 90m --every none --keep daily=30,within=2d` +
      ' --copies repositories=2,media=1,offSite=1,immutable=0',
  )
})

it('a new one says all of it', () => {
  expect(setCommand({ ...newDraft, name: 'new-one', rtoMs: 3_600_000 }, null)).toBe(
    'holdfast category set new-one --rpo 1d --rto 1h --every 1d --keep daily=14,weekly=4 --quiesce preferred' +
      ' --copies repositories=1,media=1,offSite=0,immutable=0 --drill-every 180d --exercise-every none',
  )
  expect(setCommand(newDraft, null)).toContain('category set NAME ')
})
