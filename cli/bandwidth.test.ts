import { afterEach, beforeEach, expect, test } from 'vitest'
import { bench, type Bench } from '../api/testing/bench.ts'
import { ran } from './testing.ts'

let here: Bench
let out = ''
let err = ''
beforeEach(() => void (here = bench()))
afterEach(() => here[Symbol.dispose]())

const holdfast = async (...argv: readonly string[]): Promise<number> => {
  const it = await ran(here, ['bandwidth', ...argv])
  ;({ out, err } = it)
  return it.code
}
const MiB = 2 ** 20

test('a link is limited, one direction after the other, and no longer', async () => {
  await holdfast()
  expect(out).toContain('Nothing limits')
  const link = ['--hypervisor', 'lab', '--repository', 'main']
  const hours = '20MiB/s 08:00-18:00 mon-wed,fri'
  expect([
    await holdfast('set', ...link, '--backup', hours, '--backup', '1GiB', '--time-zone', 'Europe/Paris'),
    err,
  ]).toEqual([0, ''])
  expect([await holdfast('set', ...link, '--restore', '200MiB'), err]).toEqual([0, ''])
  expect(here.catalog.links.list()).toEqual([
    {
      hypervisorId: 'lab',
      repositoryId: 'main',
      timeZone: 'Europe/Paris',
      backup: [
        { bytesPerSecond: 20 * MiB, start: '08:00', end: '18:00', days: ['mon', 'tue', 'wed', 'fri'] },
        { bytesPerSecond: 1024 * MiB, start: '00:00', end: '00:00' },
      ],
      restore: [{ bytesPerSecond: 200 * MiB, start: '00:00', end: '00:00' }],
    },
  ])
  expect(out).toMatch(/lab ↔ main +backups +20MiB\/s 08:00-18:00 mon,tue,wed,fri; 1GiB\/s \(Europe\/Paris\)/)
  expect(out).toMatch(/restores +200MiB\/s \(Europe\/Paris\) +200MiB\/s/)
  expect(await holdfast('rm', '--repository', 'main')).toBe(4)
  expect(err).toContain('all hypervisors ↔ main has no limit')
  expect(await holdfast('rm', ...link)).toBe(0)
  expect(here.catalog.links.list()).toEqual([])
})

test('what is no limit is refused before anything is asked', async () => {
  for (const limit of ['fast', '20MiB late', '20MiB 08:00-18:00 someday', '20MiB 08:00-18:00 fri-mon', '1 2 3 4 5']) {
    expect([limit, await holdfast('set', '--repository', 'main', '--backup', limit)]).toEqual([limit, 2])
  }
  expect(await holdfast('set', '--repository', 'main')).toBe(2)
  expect(await holdfast('set', '--repository', 'moon', '--backup', '20MiB')).toBe(4)
  expect(here.catalog.links.list()).toEqual([])
})
