import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { closeSync, copyFileSync, mkdtempSync, openSync, readSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import type { FileSession } from './session.ts'
import { layouts, type LayoutDisk } from './testing/maker.ts'
import { contentOf, openImages } from './testing/open.ts'

/** Layouts as they are met, made by the real tools in a machine of their own, and opened in the micro-VM. */

let images: { readonly [name in LayoutDisk]: string }

beforeAll(async () => {
  images = await layouts()
})

interface Expected {
  readonly id: string
  readonly fileSystem: string
  /** What `etc/hostname` says; null: no files in it. */
  readonly host: string | null
  readonly label?: string
  readonly root?: string
  /** Names, modes and links as Unix has them. */
  readonly isUnix?: boolean
}

const unix = true
const matrix: {
  readonly [name: string]: { readonly disks: readonly LayoutDisk[]; readonly volumes: readonly Expected[] }
} = {
  'GPT with FAT, ext4 and XFS': {
    disks: ['gpt'],
    volumes: [
      { id: 'd0p1', fileSystem: 'vfat', host: 'gpt-vfat', label: 'EFI' },
      { id: 'd0p2', fileSystem: 'ext4', host: 'gpt-ext4', label: 'root "x"', isUnix: unix },
      { id: 'd0p3', fileSystem: 'xfs', host: 'gpt-xfs', label: 'data', isUnix: unix },
    ],
  },
  'MBR with NTFS, ext2, and Btrfs in a logical partition': {
    disks: ['mbr'],
    volumes: [
      { id: 'd0p1', fileSystem: 'ntfs', host: 'mbr-ntfs', label: 'NTFSVOL' },
      { id: 'd0p2', fileSystem: 'ext2', host: 'mbr-ext2', isUnix: unix },
      { id: 'd0p5', fileSystem: 'btrfs', host: 'mbr-btrfs', label: 'pool', root: '/@home', isUnix: unix },
    ],
  },
  'the LVM of a server installation': {
    disks: ['lvm'],
    volumes: [
      { id: 'd0p1', fileSystem: 'vfat', host: 'lvm-efi' },
      { id: 'd0p2', fileSystem: 'ext4', host: 'lvm-boot', isUnix: unix },
      { id: 'd0p3', fileSystem: 'LVM2_member', host: null },
      { id: 'lv-debian--vg-root', fileSystem: 'ext4', host: 'lvm-root', isUnix: unix },
      { id: 'lv-debian--vg-var', fileSystem: 'xfs', host: 'lvm-var', isUnix: unix },
      { id: 'lv-debian--vg-swap_1', fileSystem: 'swap', host: null },
    ],
  },
  'RAID: a mirror, and LVM on a stripe, over two disks': {
    disks: ['mda', 'mdb'],
    volumes: [
      { id: 'd0p1', fileSystem: 'linux_raid_member', host: null },
      { id: 'd1p2', fileSystem: 'linux_raid_member', host: null },
      { id: 'lv-striped-srv', fileSystem: 'ext4', host: 'md-lvm', isUnix: unix },
    ],
  },
  'a file system without a table': {
    disks: ['bare'],
    volumes: [{ id: 'd0', fileSystem: 'ext4', host: 'bare', isUnix: unix }],
  },
  'Btrfs over two disks': {
    disks: ['bta', 'btb'],
    volumes: [{ id: 'd0', fileSystem: 'btrfs', host: 'btrfs-two', label: 'two', isUnix: unix }],
  },
}

describe.each(Object.entries(matrix))('%s', (name, { disks, volumes }) => {
  test('opens, lists, and gives every byte', async () => {
    await using opened = await openImages(disks.map((disk) => images[disk]))
    const { session, firstListingMs } = opened
    console.log(`first listing of ${name}: ${firstListingMs} ms`)
    for (const { id, fileSystem, host, label, root = '', isUnix } of volumes) {
      const volume = session.volumes.find((one) => one.id === id)
      expect(volume, `${id}: ${session.console}`).toMatchObject({ fileSystem, ...(label !== undefined && { label }) })
      expect(volume?.state === 'files', `${id}: ${JSON.stringify(volume)}`).toBe(host !== null)
      if (host === null) continue
      expect(volume?.isJournalReplayed).toBe(true)
      await holdsWhatWasMade(session, id, root, host)
      if (isUnix) await isAsUnixHasIt(session, id, root)
    }
  })
})

test('the mirror is found by its array, also when a disk of it is missing', async () => {
  await using opened = await openImages([images.mdb])
  const { session } = opened
  const array = session.volumes.find(({ kind, state }) => kind === 'md' && state === 'files')
  expect(array, `${JSON.stringify(session.volumes)} ${session.console}`).toMatchObject({ fileSystem: 'ext4' })
  await holdsWhatWasMade(session, array?.id ?? '', '', 'md-mirror')
})

test('more disks than a saved machine has are opened by one that boots', async () => {
  await using opened = await openImages((['bare', 'bta', 'btb', 'mda', 'mdb'] as const).map((disk) => images[disk]))
  const { session } = opened
  expect(session.volumes.filter(({ state }) => state === 'files').map(({ fileSystem }) => fileSystem)).toEqual([
    'ext4',
    'btrfs',
    'ext4',
    'ext4',
  ])
  await holdsWhatWasMade(session, 'd0', '', 'bare')
})

test('a saved state that is broken is refused at once: whoever asks then boots', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'hf-state-'))
  try {
    const broken = join(dir, 'state')
    writeFileSync(broken, 'no state of anything')
    const begun = performance.now()
    await expect(openImages([images.bare], broken)).rejects.toMatchObject({ code: 'HypervisorRefused' })
    expect(performance.now() - begun).toBeLessThan(30_000)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
})

test('what was in use at the point is opened without its journal, and says so', async () => {
  await using opened = await openImages([images.crash])
  const { session } = opened
  for (const [id, host] of [
    ['d0p1', 'crash-ext4'],
    ['d0p2', 'crash-xfs'],
  ] as const) {
    expect(session.volumes.find((one) => one.id === id)).toMatchObject({ state: 'files', isJournalReplayed: false })
    await holdsWhatWasMade(session, id, '', host)
  }
})

test.each([
  ['in use', 0, 0, false],
  ['unmounted', 0, 2, true],
  ['not in use', 0xffff, 0, true],
])('NTFS with a journal that says “%s” tells whether it is whole', async (_says, client, flags, isReplayed) => {
  const dir = mkdtempSync(join(tmpdir(), 'hf-ntfs-'))
  try {
    const file = join(dir, 'mbr.img')
    copyFileSync(images.mbr, file)
    writeRestartPage(file, client, flags)
    await using opened = await openImages([file])
    expect(opened.session.volumes.find(({ id }) => id === 'd0p1')).toMatchObject({
      ...{ state: 'files', fileSystem: 'ntfs' },
      isJournalReplayed: isReplayed,
    })
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
})

test('a folder with 20,000 names comes in pages, and is searched', async () => {
  await using opened = await openImages([images.many])
  const { session } = opened
  const place = { volume: 'd0', path: '/many' }
  const page = await session.list(place, 19_990, 100)
  expect(page).toMatchObject({ total: 20_000, next: null, isComplete: true })
  // So many are sorted by their bytes.
  expect(page.items.at(-1)?.name).toBe('9999')
  const found = await session.search({ volume: 'd0', path: '/' }, '1999?', AbortSignal.timeout(60_000))
  expect(found.items.map(({ name }) => name).sort()).toEqual([...Array(10).keys()].map((n) => `1999${n}`))
})

async function holdsWhatWasMade(session: FileSession, volume: string, root: string, host: string): Promise<void> {
  const read = async (path: string): Promise<Buffer> => {
    const { size, stream } = await session.content({ volume, path: `${root}${path}` }, 0, null)
    const content = await contentOf(stream)
    expect(content.length).toBe(size)
    return content
  }
  expect((await read('/etc/hostname')).toString()).toBe(`host of ${host}\n`)
  const sums = (await read('/sums')).toString().trim().split('\n')
  expect(sums.length).toBe(252)
  for (const line of sums.filter((_, n) => n % 60 === 0 || sums[n]?.includes('random'))) {
    const [sum, path] = line.split('  ')
    expect(
      createHash('sha256')
        .update(await read(`/${path}`))
        .digest('hex'),
      path,
    ).toBe(sum)
  }
  const part = await session.content({ volume, path: `${root}/deep/er/est/random.bin` }, 1_000_000, 1_000_100)
  expect((await contentOf(part.stream)).length).toBe(100)
  const long = (await session.search({ volume, path: root || '/' }, 'a long name', AbortSignal.timeout(60_000))).items
  expect(long.map(({ name, size }) => [name.endsWith('ünï.txt'), size])).toEqual([[true, 70_000]])
}

async function isAsUnixHasIt(session: FileSession, volume: string, root: string): Promise<void> {
  const stat = (path: string): ReturnType<FileSession['stat']> => session.stat({ volume, path: `${root}${path}` })
  expect(await stat('/etc/hostname')).toMatchObject({ mode: 0o640, uid: 1000, gid: 1001 })
  expect(await stat('/empty')).toMatchObject({ mode: 0o4755, size: 0 })
  expect(await stat('/absolute')).toMatchObject({ kind: 'link', target: '/etc/hostname' })
  for (const name of [String.raw`new\x0aline`, String.raw`caf\xe9`, String.raw`back\x5cslash`])
    expect((await stat(`/${name}`)).kind, name).toBe('file')
  const loop = session.content({ volume, path: `${root}/loop` }, 0, null)
  await expect(loop).rejects.toMatchObject({ code: 'InvalidRequest' })
  // Out of the volume leads to its own root: the machine's own files are nobody's.
  await expect(session.content({ volume, path: `${root}/out` }, 0, null)).rejects.toMatchObject({ code: 'NotFound' })
  await expect(session.content({ volume, path: `${root}/fifo` }, 0, null)).rejects.toMatchObject({
    code: 'InvalidRequest',
  })
  if (root !== '') return
  const { stream } = await session.archive(volume, ['/'], 'tar', AbortSignal.timeout(120_000))
  const dir = mkdtempSync(join(tmpdir(), 'hf-layout-'))
  try {
    writeFileSync(join(dir, 'a.tar'), await contentOf(stream))
    execFileSync('tar', ['-xf', 'a.tar', '--no-same-owner', '--one-top-level=x'], { cwd: dir })
    execFileSync('sha256sum', ['--quiet', '-c', 'sums'], { cwd: join(dir, 'x') })
    const list = execFileSync('tar', ['--numeric-owner', '--quoting-style=escape', '-tvf', 'a.tar'], {
      cwd: dir,
    }).toString()
    expect(list).toMatch(/^-rw-r----- 1000\/1001 +\d+ .* \.\/etc\/hostname$/m)
    expect(list).toMatch(/^-rwsr-xr-x .* \.\/empty$/m)
    expect(list).toMatch(/ \.\/absolute -> \/etc\/hostname$/m)
    expect(list).toMatch(/ \.\/new\\nline$/m)
    // The device is left out, and told.
    expect(list).toMatch(/ HOLDFAST-UNREADABLE\.txt$/m)
  } finally {
    rmSync(dir, { recursive: true })
  }
}

/** As Windows leaves it (ntfs-3g, logfile.h): two pages of which the second is newer and counts. */
function writeRestartPage(image: string, client: number, flags: number): void {
  const partition = 1024 * 1024
  const fd = openSync(image, 'r+')
  try {
    const boot = Buffer.alloc(512)
    readSync(fd, boot, 0, 512, partition)
    const cluster = boot.readUInt16LE(11) * boot.readUInt8(13)
    // The journal is the third record; its content is its third attribute, in one run.
    const record = Buffer.alloc(1024)
    readSync(fd, record, 0, 1024, partition + Number(boot.readBigUInt64LE(48)) * cluster + 2 * 1024)
    let at = record.readUInt16LE(20)
    while (record.readUInt32LE(at) !== 0x80) at += record.readUInt32LE(at + 4)
    const run = at + record.readUInt16LE(at + 32)
    const lengths = record.readUInt8(run)
    const first = record.readIntLE(run + 1 + (lengths & 15), lengths >> 4)
    for (const [page, lsn, list, flag] of [
      [0, 5, 0, 0],
      [4096, 1_000, client, flags],
    ] as const) {
      const restart = Buffer.alloc(4096)
      restart.write('RSTR')
      restart.writeUInt16LE(48, 24)
      restart.writeBigUInt64LE(BigInt(lsn), 48)
      restart.writeUInt16LE(list, 48 + 12)
      restart.writeUInt16LE(flag, 48 + 14)
      writeSync(fd, restart, 0, 4096, partition + first * cluster + page)
    }
  } finally {
    closeSync(fd)
  }
}
