import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { cacheFolder } from './build.ts'
import { writeCpio, type CpioEntry } from './cpio.ts'
import { moduleClosure } from './modules.ts'

describe('the archive of the initramfs', () => {
  const entries: CpioEntry[] = [
    { path: 'usr/bin/program', kind: 'file', mode: 0o755, data: Buffer.from('text of odd length') },
    { path: 'empty', kind: 'file', mode: 0o600, data: Buffer.alloc(0) },
    { path: 'bin/link', kind: 'link', target: '../usr/bin/program' },
    { path: 'tmp', kind: 'folder', mode: 0o1777 },
  ]

  test('is unpacked by cpio to what went in, with the folders above', () => {
    const dir = mkdtempSync(join(tmpdir(), 'hf-cpio-'))
    try {
      execFileSync('cpio', ['-i', '--quiet'], { cwd: dir, input: writeCpio(entries) })
      const list = execFileSync('find', ['.', '-mindepth', '1', '-printf', '%P %m %y %s %l %T@\n'], {
        cwd: dir,
      }).toString()
      const found = list
        .trim()
        .split('\n')
        .map((line) => line.trim().replace(/ +\d+\.\d+$/, ''))
        .sort()
      expect(found.filter((line) => !/ d /.test(line))).toEqual([
        'bin/link 777 l 18 ../usr/bin/program',
        'empty 600 f 0',
        'usr/bin/program 755 f 18',
      ])
      expect(found.filter((line) => / d /.test(line)).map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual([
        'bin 755',
        'tmp 1777',
        'usr 755',
        'usr/bin 755',
      ])
      expect(execFileSync('cat', ['usr/bin/program'], { cwd: dir }).toString()).toBe('text of odd length')
    } finally {
      rmSync(dir, { recursive: true })
    }
  })

  test('has the same bytes whatever the order of the entries', () => {
    expect(writeCpio(entries.toReversed()).equals(writeCpio(entries))).toBe(true)
  })
})

describe('the modules of the guest', () => {
  const tables = {
    dep: [
      'kernel/fs/xfs/xfs.ko.xz: kernel/lib/libcrc32c.ko',
      'kernel/lib/libcrc32c.ko:',
      'kernel/fs/btrfs/btrfs.ko: kernel/lib/raid6.ko',
      'kernel/lib/raid6.ko:',
      'kernel/crypto/xxhash_generic.ko:',
      'kernel/drivers/md/dm-mod.ko:',
    ].join('\n'),
    softdep: 'softdep btrfs pre: xxhash64 pre: crc32c\nsoftdep xfs pre: not-there\n',
    alias: 'alias crypto-xxhash64 xxhash_generic\n',
    builtin: 'kernel/fs/ext4/ext4.ko\n',
  }

  test('hold what is needed, soft dependencies by their aliases included', () => {
    expect(moduleClosure(tables, ['btrfs'])).toEqual([
      'kernel/crypto/xxhash_generic.ko',
      'kernel/fs/btrfs/btrfs.ko',
      'kernel/lib/raid6.ko',
    ])
  })
  test('take - and _ for the same, compressed or not, and a built-in one for granted', () => {
    expect(moduleClosure(tables, ['dm_mod', 'xfs', 'ext4'])).toEqual([
      'kernel/drivers/md/dm-mod.ko',
      'kernel/fs/xfs/xfs.ko.xz',
      'kernel/lib/libcrc32c.ko',
    ])
  })
  test('that the kernel does not have are an error, not a guest without them', () => {
    expect(() => moduleClosure(tables, ['zfs'])).toThrow(/zfs/)
  })
})

test('the cache is where the environment says, and below home else', () => {
  expect(cacheFolder({ HOLDFAST_CACHE: '/c', XDG_CACHE_HOME: '/x' })).toBe('/c')
  expect(cacheFolder({ XDG_CACHE_HOME: '/x' })).toBe('/x/holdfast')
  expect(cacheFolder({})).toMatch(/\/\.cache\/holdfast$/)
})
