import { describe, expect, test } from 'vitest'
import type { FileVolume } from '#lib/api/types.ts'
import {
  archiveHref,
  contentHref,
  crumbsOf,
  exportCommand,
  getCommand,
  imageHref,
  modeText,
  restoreCommand,
  shownHref,
  takeCommand,
  volumeLook,
  volumeWords,
} from './words.ts'

const volume: FileVolume = {
  ...{ id: 'd0p2', kind: 'partition', state: 'files', disk: 'virtio0', size: 20 * 1024 ** 3, fileSystem: 'ext4' },
  ...{ label: 'root', uuid: null, isJournalReplayed: true, error: null },
}
const place = { session: 'a'.repeat(32), volume: 'd0p2', path: '/etc' }

describe('a volume', () => {
  test('is told by its label, what it holds, its size and its disk', () => {
    expect(volumeWords(volume)).toBe('root, ext4, 20.0 GiB on virtio0')
    expect(volumeWords({ ...volume, label: null, disk: null })).toBe('ext4, 20.0 GiB')
  })
  test('that was in use says so', () => {
    expect(volumeLook(volume).word).toBe('Files')
    expect(volumeLook({ ...volume, isJournalReplayed: false }).word).toBe('Journal not replayed')
  })
})

test('modes are written as ls does', () => {
  expect(modeText(0o4755)).toBe('rwsr-xr-x')
  expect(modeText(0o1666)).toBe('rw-rw-rwT')
})

test('a path has a crumb for each folder', () => {
  expect(crumbsOf('d0p2', '/etc/ssh').map(({ path }) => path)).toEqual(['/', '/etc', '/etc/ssh'])
  expect(crumbsOf('d0p2', '/')).toEqual([{ name: 'd0p2', path: '/' }])
})

test('addresses and commands carry any name', () => {
  const odd = String.raw`/a b/it's\x0a&c`
  expect(new URL(contentHref({ ...place, path: odd }), 'http://x').searchParams.get('path')).toBe(odd)
  expect(new URL(archiveHref(place, ['/x', odd], 'zip'), 'http://x').searchParams.getAll('path')).toEqual(['/x', odd])
  expect(takeCommand(place, ['/etc/hosts', odd])).toBe(
    String.raw`holdfast files tar ${place.session} d0p2:/etc/hosts 'd0p2:/a b/it'\''s\x0a&c' -o files.tar`,
  )
  expect(getCommand({ ...place, path: '/-x' })).toBe(`holdfast files get ${place.session} d0p2:/-x -o '-x'`)
  expect(new URL(imageHref(place.session, 'scsi0:1', 'vhdx'), 'http://x').searchParams.get('disk')).toBe('scsi0:1')
  expect(exportCommand({ id: 'ab', vmId: 'web-01' }, 'scsi0:1', 'vhdx')).toBe(
    'holdfast point export web-01 ab scsi0-1.vhdx --disk scsi0:1',
  )
  expect(restoreCommand(place, ['/a b'], { kind: 'folder', folder: '/srv/x' }, '')).toBe(
    `holdfast files restore ${place.session} 'd0p2:/a b' --to /srv/x`,
  )
  expect(restoreCommand(place, ['/a'], { kind: 'replace' }, 'web 01')).toContain("--replace --confirm 'web 01'")
  expect(restoreCommand(place, ['/a'], { kind: 'beside' }, 'x')).toBe(`holdfast files restore ${place.session} d0p2:/a`)
  const shown = shownHref(`/files/${place.session}?volume=d0p2&path=%2Fa+b`, odd)
  expect(Object.fromEntries(new URL(shown, 'http://x').searchParams)).toEqual({
    volume: 'd0p2',
    path: '/a b',
    file: odd,
  })
  expect(shownHref(shown, null)).toBe(`/files/${place.session}?volume=d0p2&path=%2Fa+b`)
})
