import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { runOffline, type Ran } from './testing.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

let folder: string
let place: string[]
const stems: string[] = []

const holdfast = (...argv: string[]): Promise<Ran> => runOffline(folder, argv)

async function json(...argv: string[]): Promise<unknown> {
  const { out, err } = await holdfast('repo', ...argv, ...place, '--json')
  expect(err).not.toContain('Error')
  return JSON.parse(out)
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-maintain-'))
  const pass = join(folder, 'pass')
  writeFileSync(pass, 'correct horse battery staple\n', { mode: 0o600 })
  const repo = join(folder, 'repo')
  const made = await holdfast('repo', 'init', repo, '--passphrase-file', pass, '--json')
  // The recovery key opens without the work that a passphrase costs.
  const recovery = join(folder, 'recovery')
  writeFileSync(recovery, (JSON.parse(made.out) as { recoveryKey: string }).recoveryKey)
  place = ['--repo', repo, '--recovery-key-file', recovery]
  for (let index = 0; index < 3; index++) {
    const image = join(folder, 'disk.raw')
    writeFileSync(image, randomBytes(2 ** 20))
    const { out } = await holdfast('repo', 'import', image, '--vm', 'web', ...place, '--json')
    stems.push((JSON.parse(out) as { stem: string }).stem)
  }
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const packs = () =>
  readdirSync(join(folder, 'repo', 'pack'), { recursive: true, withFileTypes: true }).filter((e) => e.isFile()).length

test('a held point stays, the others go by rule, and their data with the next collection', async () => {
  const { hold } = (await json('hold', stems[0] ?? '', '--reason', 'audit')) as { hold: string }
  const shown = await holdfast('repo', 'prune', ...place, '--keep-last', '1', '--keep-manual', '1')
  expect(shown.out).toContain('1 point would go')
  expect(shown.err).toContain('--apply')
  expect(await json('prune', '--keep-last', '1', '--keep-manual', '1', '--apply')).toMatchObject({
    tombstoned: [stems[1]],
    removed: 1,
  })
  const before = packs()
  expect(await json('gc', '--now', '--dry-run')).toMatchObject({ outcome: 'dry-run', roots: 2 })
  expect(packs()).toBe(before)
  expect(await json('gc', '--now')).toMatchObject({ outcome: 'collected', roots: 2 })
  expect(packs()).toBeLessThan(before)
  expect((await holdfast('repo', 'holds', ...place)).out).toContain('audit')
  expect((await holdfast('repo', 'release', hold, ...place)).code).toBe(0)
  const named = await holdfast('repo', 'prune', '--point', stems[0] ?? '', stems[2] ?? '', ...place, '--apply')
  expect([named.code, named.out]).toEqual([3, expect.stringContaining('stays: newest')])
  const rest = await json('prune', '--keep-last', '1', '--keep-manual', '1', '--apply', '--gc')
  expect(rest).toMatchObject({ freed: { outcome: 'collected', roots: 1 } })
})

test('without a rule nothing goes', async () => {
  const { code, err } = await holdfast('repo', 'prune', ...place, '--apply')
  expect([code, err]).toEqual([1, expect.stringContaining('no rule keeps anything')])
})

test('the index is gone: points restore, and one command writes it again', async () => {
  rmSync(join(folder, 'repo', 'idx'), { recursive: true })
  const image = join(folder, 'restored.raw')
  expect((await holdfast('repo', 'export', 'latest', 'disk0', image, ...place)).code).toBe(0)
  expect(await json('rebuild-index')).toMatchObject({ dryRun: true })
  const report = (await json('rebuild-index', '--apply')) as { packs: number; indexed: number }
  expect(report.indexed).toBe(report.packs)
  expect(await json('rebuild-index')).toMatchObject({ missing: 0 })
  expect((await holdfast('repo', 'verify', ...place)).code).toBe(0)
})
