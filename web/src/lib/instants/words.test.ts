import { expect, it } from 'vitest'
import type { Instant } from '#lib/api/types.ts'
import { bootListWords, decideCommand, instantLook, ioWords } from './words.ts'

const io = { power: 'running', readBytes: 2 ** 20, writtenBytes: 0, overlayBytes: 4096, fetchedBytes: null, seenMs: 1 }
const one = (more: object): Instant => ({ state: 'running', isForgotten: false, io, ...more }) as Instant

it('says of a forgotten VM that it may be forgotten, and of one whose guest stands still that it waits', () => {
  expect(instantLook(one({})).word).toBe('Running')
  expect(instantLook(one({ isForgotten: true })).word).toBe('Forgotten?')
  expect(instantLook(one({ io: { ...io, power: 'io-error' } })).word).toBe('Guest waits')
  expect(instantLook(one({ state: 'migrating', io: null })).word).toBe('Copying')
})

it('counts what the guest does, and shows nothing where nothing is known', () => {
  expect(ioWords(one({}).io)).toBe('1.0 MiB read, 0 B written, 4.0 KiB here')
  expect(ioWords(null)).toBe('–')
})

it('says how much is read ahead of a boot', () => {
  expect(bootListWords({ bytes: 84 * 2 ** 20, recordedMs: 1, drillId: 'web-01.1' })).toBe('Boot list of 84.0 MiB')
  expect(bootListWords(null)).toBe('No boot list')
})

it('gives commands that work as they are', () => {
  expect(decideCommand({ name: 'web-01' }, 'migrate')).toBe('holdfast instant migrate web-01')
  expect(decideCommand({ name: 'web 01' }, 'discard')).toBe("holdfast instant discard 'web 01' --confirm 'web 01'")
})
