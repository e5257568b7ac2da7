import { expect, it } from 'vitest'
import { linkKey, linkKeys, leavingKeys, linkName, parseLinkKey, parseLinkName, storingKeys } from './index.ts'

it('a copy is part of the link of its two ends, of each end alone, and of all', () => {
  expect(linkKeys('lab', 'main', 'restore')).toEqual([
    'link/lab/main/restore',
    'link/lab/*/restore',
    'link/*/main/restore',
    'link/*/*/restore',
  ])
})

it('names of links are read as they were written, and other names are none', () => {
  for (const key of linkKeys('lab-2', 'off.site', 'backup')) {
    const parsed = parseLinkKey(key)
    expect(parsed === null ? null : linkKey(parsed, parsed.direction)).toBe(key)
  }
  for (const key of [
    'plan/nightly',
    'link/lab',
    'link/lab/main',
    'link/lab/main/both',
    'link//main/backup',
    'link/a/b/backup/c',
  ])
    expect(parseLinkKey(key)).toBeNull()
})

it('a link has a name in files, and what is none is told', () => {
  for (const name of ['lab/main', '*/main', 'lab/*', '*/*']) {
    const ends = parseLinkName(name)
    expect(ends === null ? null : linkName(ends)).toBe(name)
  }
  for (const name of ['lab', 'lab/', '/main', 'lab/main/backup']) expect(parseLinkName(name)).toBeNull()
})

it('what is mirrored counts where it is stored, and a standby’s copy where it leaves', () => {
  expect(storingKeys('offsite')).toEqual(['link/*/offsite/backup', 'link/*/*/backup'])
  expect(leavingKeys('lab')).toEqual(['link/lab/*/backup', 'link/*/*/backup'])
})
