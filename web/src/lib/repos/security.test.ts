import { expect, it } from 'vitest'
import { keysLook, lockSentence, slotLook, slotWords } from './security.ts'

const slot = (type: string, isCurrent = true, sound = true) => ({
  ...{ id: type, role: 'full', type, label: '', createdMs: 0, sound, isCurrent },
  ...{ threshold: type === 'shamir' ? 2 : null, shares: type === 'shamir' ? 3 : null },
})

it('says by what a slot is opened, also of a type that is new', () => {
  expect(['passphrase', 'shamir', 'new-type'].map((type) => slotWords(slot(type)))).toEqual([
    'passphrase',
    '2 of 3 shares',
    'new-type',
  ])
})

it('damage is told before all else, and what a rotation has left does not count', () => {
  expect(slotLook(slot('passphrase', true, false)).tone).toBe('fail')
  expect(slotLook(slot('passphrase', false)).tone).toBe('idle')
  const slots = [slot('passphrase'), slot('recovery'), slot('passphrase', false)]
  expect(keysLook({ slots, isComplete: true, damaged: 0 }).word).toBe('2 slots, one of them for recovery')
  expect(keysLook({ slots: slots.slice(0, 1), isComplete: false, damaged: 0 })).toMatchObject({
    tone: 'warn',
    word: 'Only 1 slot: add one for recovery',
  })
  expect(keysLook({ slots, isComplete: true, damaged: 1 }).tone).toBe('fail')
})

it('a lock says how long and against whom', () => {
  expect(lockSentence(null)).toBe('Points here are not locked.')
  expect(lockSentence({ mode: 'compliance', days: 30, generationDays: 30 })).toContain('30 days')
  expect(lockSentence({ mode: 'governance', days: 1, generationDays: 1 })).toContain('special right')
})
