import { expect, test } from 'vitest'
import { guestPath, readMounts, stamp } from './guest-plan.ts'

test('mounts are read with what the kernel writes for blanks', () => {
  expect(readMounts('/ /\n/@home /home\n/sub\\040dir /mnt/a\\134b\n')).toEqual([
    { root: '/', dir: '/' },
    { root: '/@home', dir: '/home' },
    { root: '/sub dir', dir: '/mnt/a\\b' },
  ])
  expect(readMounts('')).toEqual([])
})

test('a path is where the mount that shows most of its way has it', () => {
  const mounts = readMounts('/@ /\n/@home /home\n/@home/ada /srv/ada\n')
  expect(guestPath('/@/etc/hosts', mounts)).toBe('/etc/hosts')
  expect(guestPath('/@home/bob/x', mounts)).toBe('/home/bob/x')
  expect(guestPath('/@home/ada/x', mounts)).toBe('/srv/ada/x')
  expect(guestPath('/@homes/x', mounts)).toBeNull()
  expect(guestPath('/etc/hosts', readMounts('/ /data\n/ /'))).toBe('/etc/hosts')
})

test('names say when, in UTC', () => {
  expect(stamp(Date.UTC(2026, 10, 22, 19, 27, 59))).toBe('20261122T1927')
})
