import { expect, it } from 'vitest'
import { limitWords, linkName } from './words.ts'

it('a link and its limits are said in words', () => {
  expect(linkName({ hypervisorId: 'lab', repositoryId: 'main' })).toBe('lab ↔ main')
  expect(linkName({ hypervisorId: null, repositoryId: 'main' })).toBe('All hypervisors ↔ main')
  const rate = 20 * 2 ** 20
  expect(limitWords({ bytesPerSecond: rate, start: '00:00', end: '00:00' })).toBe('20.0 MiB/s')
  expect(limitWords({ bytesPerSecond: rate, start: '08:00', end: '18:00', days: ['mon', 'tue'] })).toBe(
    '20.0 MiB/s, 08:00–18:00 on mon, tue',
  )
})
