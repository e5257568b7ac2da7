import { expect, test } from 'vitest'
import type { DiskKey, DiskRequest } from '../../drivers/values.ts'
import { atFullInterval } from './preflight.ts'

const day = 86_400_000
const nowMs = 100 * day
const incremental: DiskRequest = { disk: 'scsi0' as DiskKey, since: {} as DiskRequest['since'], full: null }
const lastFulls = (daysAgo: number) => ({
  everyMs: 30 * day,
  lastFulls: [{ disk: 'scsi0', createdMs: nowMs - daysAgo * day }],
})

test('a disk whose last full read is older than the interval is read in full, and says so', () => {
  expect(atFullInterval(incremental, lastFulls(30), nowMs)).toMatchObject({ since: null, full: 'full-interval' })
  expect(atFullInterval(incremental, lastFulls(29), nowMs)).toBe(incremental)
})

test('a disk of which no full read is known is due; where nothing could be looked up nothing is forced', () => {
  const other = { ...incremental, disk: 'scsi1' as DiskKey }
  expect(atFullInterval(other, lastFulls(1), nowMs).full).toBe('full-interval')
  expect(atFullInterval(other, { everyMs: 30 * day, lastFulls: null }, nowMs)).toBe(other)
  expect(atFullInterval(other, undefined, nowMs)).toBe(other)
})

test('a disk that is read in full anyway keeps its reason', () => {
  const full: DiskRequest = { ...incremental, since: null, full: 'no-parent' }
  expect(atFullInterval(full, lastFulls(99), nowMs)).toBe(full)
})
