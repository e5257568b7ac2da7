import { createHash, randomBytes } from 'node:crypto'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { deviceSize } from './image.ts'
import { runOffline, type Ran } from './testing.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

let folder: string
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'holdfast-repo-'))))
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const holdfast = (...argv: string[]): Promise<Ran> => runOffline(folder, argv, () => 1_800_000_000_000)

/** A repository with one point of an image, made once: the key slots take their time. */
let base: string
let stem: string
beforeAll(async () => {
  base = mkdtempSync(join(tmpdir(), 'holdfast-repo-base-'))
  folder = base
  const [pass, recovery, repo, image] = ['pass', 'recovery', 'repo', 'disk.raw'].map((name) => join(base, name)) as [
    string,
    string,
    string,
    string,
  ]
  writeFileSync(pass, 'correct horse battery staple\n', { mode: 0o600 })
  const { out } = await holdfast('repo', 'init', repo, '--passphrase-file', pass, '--json')
  writeFileSync(recovery, `${(JSON.parse(out) as { recoveryKey: string }).recoveryKey}\n`)
  writeFileSync(image, randomBytes(3 * 2 ** 20))
  const open = ['--repo', repo, '--recovery-key-file', recovery]
  const made = await holdfast('repo', 'import', image, '--vm', 'web-01', ...open, '--json')
  stem = (JSON.parse(made.out) as { stem: string }).stem
})
afterAll(() => rmSync(base, { recursive: true, force: true }))

/** A copy of it; `open` are the options that open it. */
function filled(): { repo: string; image: string; open: string[] } {
  cpSync(base, folder, { recursive: true })
  const repo = join(folder, 'repo')
  return {
    repo,
    image: join(folder, 'disk.raw'),
    open: ['--repo', repo, '--recovery-key-file', join(folder, 'recovery')],
  }
}

const json = <T = Record<string, unknown>>(ran: { readonly out: string }): T => JSON.parse(ran.out) as T
const hash = (file: string): string => createHash('sha256').update(readFileSync(file)).digest('hex')

/** Flips a byte in the largest object under a folder of the repository. */
function damage(repo: string, under: string): void {
  const files = readdirSync(join(repo, under), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
  const [largest = ''] = files.sort((a, b) => readFileSync(b).length - readFileSync(a).length)
  const bytes = readFileSync(largest)
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1
  writeFileSync(largest, bytes)
}

test('verify names the command that quarantines what it found, and the next point is whole again', async () => {
  const { repo, image, open } = filled()
  damage(repo, 'pack')
  const found = await holdfast('repo', 'verify', '--level', 'full', ...open)
  expect([found.code, found.out]).toEqual([1, expect.stringContaining('1 damaged thing.')])
  const [, command = ''] = /^ {2}holdfast (.*)$/m.exec(found.err) ?? []
  expect(command).toContain('--quarantine')
  const acted = await holdfast(...command.split(' '))
  expect([acted.code, acted.err]).toEqual([1, expect.stringContaining('stores their data again')])
  const again = await holdfast('repo', 'import', image, '--vm', 'web-01', ...open, '--json')
  const next = JSON.parse(again.out) as { stem: string; newBytes: number }
  expect(next.newBytes).toBeGreaterThan(2 ** 20)
  const target = join(folder, 'restored.raw')
  expect((await holdfast('repo', 'export', next.stem, 'disk0', target, ...open)).code).toBe(0)
  expect(hash(target)).toBe(hash(image))
  await holdfast('repo', 'import', image, '--vm', 'web-02', ...open)
  const which = await holdfast('repo', 'export', 'latest', 'disk0', `${target}.2`, ...open)
  expect([which.code, which.err]).toEqual([2, expect.stringContaining('of several VMs')])
})

test('verify hashes every byte without keys, within a budget, and says what it could not check', async () => {
  const { repo, open } = filled()
  const sound = await holdfast('repo', 'verify', repo, '--level', 'data', '--budget', '1GiB')
  expect([sound.code, sound.out]).toEqual([0, expect.stringContaining('note: without a key: ')])
  damage(repo, 'pack')
  expect((await holdfast('repo', 'verify', repo, '--level', 'data', '--without-keys')).code).toBe(1)
  const keyed = await holdfast('repo', 'verify', '--level', 'data', ...open)
  expect([keyed.code, keyed.out]).toEqual([1, expect.stringContaining('(L3)')])
  for (const nonsense of [
    ['--level', 'full', '--without-keys'],
    ['--budget', '1GiB'],
    ['--level', 'data', '--budget', 'much'],
  ]) {
    expect((await holdfast('repo', 'verify', repo, ...nonsense)).code).toBe(2)
  }
})

test('a mirror is made, filled and read back, and heals what is damaged here', async () => {
  const { repo, image, open } = filled()
  const [other, pass, recovery] = ['other', 'other-pass', 'other-recovery'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ]
  writeFileSync(pass, 'another horse', { mode: 0o600 })
  const secrets = ['--other-recovery-key-file', join(folder, 'recovery')]
  const init = ['repo', 'init', other, '--passphrase-file', pass, '--mirror-of', repo, ...secrets, '--json']
  writeFileSync(recovery, json<{ recoveryKey: string }>(await holdfast(...init)).recoveryKey)
  const sides = [repo, other, '--recovery-key-file', join(folder, 'recovery'), '--other-recovery-key-file', recovery]
  const planned = await holdfast('repo', 'mirror', ...sides, '--dry-run')
  expect([planned.code, planned.out]).toEqual([0, expect.stringContaining('would be mirrored')])
  const mirrored = await holdfast('repo', 'mirror', ...sides, '--json')
  expect([mirrored.code, json(mirrored)]).toEqual([0, expect.objectContaining({ points: [expect.any(Object)] })])
  expect((await holdfast('repo', 'mirror', ...sides)).out).toContain('Nothing to mirror.')

  damage(repo, 'pack')
  expect((await holdfast('repo', 'verify', '--quarantine', '--level', 'full', ...open)).code).toBe(1)
  const heal = ['repo', 'heal', repo, '--recovery-key-file', join(folder, 'recovery')]
  expect((await holdfast(...heal)).code).toBe(1)
  const from = ['--mirror', other, '--other-recovery-key-file', recovery]
  const dry = await holdfast(...heal, ...from)
  expect([dry.code, dry.out, dry.err]).toEqual([
    0,
    expect.stringContaining('1 from a mirror'),
    expect.stringContaining('--apply'),
  ])
  expect((await holdfast(...heal, ...from, '--apply')).code).toBe(0)
  const target = join(folder, 'restored.raw')
  expect((await holdfast('repo', 'export', stem, 'disk0', target, ...open)).code).toBe(0)
  expect(hash(target)).toBe(hash(image))
})

test('verify says what it left out; a point that is no recovery point is exported when that is asked for', async () => {
  const { repo, image, open } = filled()
  rmSync(join(repo, `${stem}.ok`))
  const verified = await holdfast('repo', 'verify', ...open)
  expect(verified.code).toBe(0)
  expect(verified.out).toContain('No damage found in what was looked at.')
  expect(verified.out).toContain('note: 1 points that are not validated were left out')
  const target = join(folder, 'restored.raw')
  const refused = await holdfast('repo', 'export', stem, 'disk0', target, ...open)
  expect([refused.code, refused.err]).toEqual([1, expect.stringContaining('--explicit')])
  expect((await holdfast('repo', 'export', stem, 'disk0', target, '--explicit', ...open)).code).toBe(0)
  expect(hash(target)).toBe(hash(image))
})

test('a point that cannot be opened is a line of the list, whatever VM is asked for', async () => {
  const { repo, open } = filled()
  damage(repo, 'snap')
  const listed = await holdfast('repo', 'ls', '--vm', 'web-01', ...open)
  expect(listed.out).toContain(stem.slice(-32, -20))
})

test('an export replaces files and devices only', async () => {
  const { open } = filled()
  const { code, err } = await holdfast('repo', 'export', stem, 'disk0', '/dev/null', '--force', ...open)
  expect([code, err]).toEqual([2, expect.stringContaining('neither a file nor a block device')])
})

test('the size of a device is found through the links that lead to it', async () => {
  const sysfs = join(folder, 'sys')
  mkdirSync(join(sysfs, 'dm-3'), { recursive: true })
  writeFileSync(join(sysfs, 'dm-3', 'size'), '2048\n')
  writeFileSync(join(folder, 'dm-3'), '')
  symlinkSync('dm-3', join(folder, 'lv'))
  expect(await deviceSize(join(folder, 'lv'), sysfs)).toBe(2 ** 20)
  writeFileSync(join(folder, 'dm-4'), '')
  await expect(deviceSize(join(folder, 'dm-4'), sysfs)).rejects.toMatchObject({ code: 'SourceReadFailed' })
})

test('a repository is made, filled, listed, verified and read back byte for byte, holes as holes', async () => {
  const pass = join(folder, 'pass')
  const repo = join(folder, 'repo')
  const image = join(folder, 'disk.raw')
  writeFileSync(pass, 'correct horse battery staple\n', { mode: 0o600 })
  writeFileSync(image, randomBytes(3 * 2 ** 20 + 512))
  truncateSync(image, 64 * 2 ** 20)
  const recovery = join(folder, 'recovery')
  // The recovery key opens without the work that a passphrase costs; the passphrase is tried at `info`.
  const open = ['--repo', repo, '--recovery-key-file', recovery]

  const made = json<{ id: string; recoveryKey: string }>(
    await holdfast('repo', 'init', repo, '--passphrase-file', pass, '--json'),
  )
  expect(made.recoveryKey).toMatch(/^HFR1-/)
  writeFileSync(recovery, `${made.recoveryKey}\n`)
  expect((await holdfast('repo', 'init', repo, '--passphrase-file', pass)).code).toBe(5)
  const imported = json<{ stem: string; snap: string; newBytes: number }>(
    await holdfast('repo', 'import', image, '--vm', 'web-01', ...open, '--json'),
  )
  expect(imported.newBytes).toBeGreaterThan(3 * 2 ** 20)
  expect(
    json<{ newBytes: number }>(await holdfast('repo', 'import', image, '--vm', 'web-01', ...open, '--json')).newBytes,
  ).toBe(0)

  const listed = json<{ points: { snap: string; state: string; info: { vm: { name: string } } }[] }>(
    await holdfast('repo', 'ls', ...open, '--json'),
  )
  expect(listed.points.map((point) => [point.state, point.info.vm.name])).toEqual([
    ['recovery-point', 'web-01'],
    ['recovery-point', 'web-01'],
  ])
  expect(json(await holdfast('repo', 'info', repo, '--passphrase-file', pass, '--json'))).toMatchObject({
    id: made.id,
    points: 2,
    series: 1,
  })

  const target = join(folder, 'restored.raw')
  const exported = await holdfast('repo', 'export', imported.snap.slice(0, 12), 'disk0', target, ...open)
  expect([exported.code, hash(target)]).toEqual([0, hash(image)])
  expect(statSync(target).blocks).toBeLessThan((8 * 2 ** 20) / 512)
  expect((await holdfast('repo', 'export', imported.stem, 'disk0', target, ...open)).code).toBe(5)
  expect((await holdfast('repo', 'export', imported.stem, 'disk0', target, '--force', ...open)).code).toBe(0)
  expect((await holdfast('repo', 'export', imported.stem, 'nothing', `${target}.x`, ...open)).code).toBe(4)
  expect(existsSync(`${target}.x`)).toBe(false)

  expect((await holdfast('repo', 'verify', repo, '--level', 'full', '--recovery-key-file', recovery)).out).toContain(
    'No damage found.',
  )
  writeFileSync(pass, 'wrong')
  expect((await holdfast('repo', 'info', repo, '--passphrase-file', pass)).code).toBe(6)
  expect((await holdfast('repo', 'info', join(folder, 'nowhere'), '--passphrase-file', pass)).code).toBe(4)
  expect((await holdfast('repo', 'ls', repo)).code).toBe(6)
})

test('a lock is refused where nothing can be locked, before anything is made; what is not locked is said to be so', async () => {
  const { open, repo } = filled()
  const none = join(folder, 'locked')
  const pass = join(folder, 'pass')
  const refused = await holdfast('repo', 'init', none, '--passphrase-file', pass, '--lock-days', '30')
  expect(refused.code).not.toBe(0)
  expect(refused.err).toContain('cannot lock objects')
  expect(refused.err).toContain('a directory can be mirrored into one')
  expect(existsSync(none)).toBe(false)
  const odd = await holdfast('repo', 'init', none, '--passphrase-file', pass, '--lock-generation-days', '7')
  expect(odd).toMatchObject({ code: 2, err: expect.stringContaining('goes with --lock-days') as string })
  expect((await holdfast('repo', 'info', ...open)).out).toContain('no: points can be deleted')
  expect(json(await holdfast('repo', 'info', ...open, '--json'))).toMatchObject({ lock: null })
  expect((await holdfast('repo', 'ls', ...open)).out).toContain('IMMUTABLE UNTIL')
  expect(existsSync(repo)).toBe(true)
})
