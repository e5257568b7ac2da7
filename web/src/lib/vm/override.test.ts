import { expect, it } from 'vitest'
import { elseWords, excludeCommand, isSame, overrideCommand, withMember } from './override.ts'

const vm = { id: 'web-01', category: 'critical', override: { rpoMs: 3_600_000, keep: { daily: 7, weekly: 4 } } }

it('a member that says nothing is none', () => {
  expect(withMember({ rpoMs: 1 }, 'rpoMs', null)).toEqual({})
  expect(withMember({}, 'quiesce', 'none')).toEqual({ quiesce: 'none' })
  expect(isSame({ rpoMs: 1, keep: { daily: 1, last: 2 } }, { keep: { last: 2, daily: 1 }, rpoMs: 1 })).toBe(true)
  expect(isSame({ rpoMs: 1 }, {})).toBe(false)
})

it('the command says what changes and nothing else', () => {
  const of = (override: object, category = 'critical') => overrideCommand(vm, { category, override })
  expect(of(vm.override, 'standard')).toBe('holdfast vm set web-01 --category standard')
  expect(of({ keep: { daily: 30, withinMs: 172_800_000 } })).toBe(
    "holdfast vm set web-01 --keep 'daily=30,within=2d' --unset rpo",
  )
  expect(of({ ...vm.override, disks: { roles: 'data', exclude: [{ label: 'scratch*' }] } })).toBe(
    "holdfast vm set web-01 --disks data --without-disk 'scratch*'",
  )
  expect(of({ ...vm.override, disks: { exclude: [{ key: 'scsi1' }] } })).toBeNull()
  expect(of({ ...vm.override, bootTimeoutMs: 90_000, fullEveryMs: 1500 })).toBe(
    'holdfast vm set web-01 --boot-timeout 90s --full-every 1500ms',
  )
  expect(overrideCommand({ ...vm, override: { disks: {} } }, { category: 'critical', override: {} })).toBe(
    'holdfast vm set web-01 --unset disks',
  )
  expect(excludeCommand('web-01', " it's gone ", '2026-12-01')).toBe(
    "holdfast vm exclude web-01 --reason 'it'\\''s gone' --until 2026-12-01",
  )
})

it('what else would hold is said only where somebody says it', () => {
  const policy = [
    { setting: 'RPO', value: '4 h', from: 'category critical' },
    { setting: 'Quiesce (nightly)', value: 'required', from: 'plan nightly' },
    { setting: 'Drill', value: 'every 31 days', from: 'set on this VM' },
  ]
  expect(elseWords(policy, 'rpoMs')).toBe('Empty: 4 h, by category critical.')
  expect(elseWords(policy, 'quiesce')).toBe('Empty: required, by plan nightly.')
  expect(elseWords(policy, 'drillEveryMs')).toBe('Empty: as its plans and category say.')
})
