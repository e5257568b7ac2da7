/** The verbs of `holdfast repo key` on a real directory, opened by real secrets. */
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { runOffline, type Ran } from './testing.ts'

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 })

let folder: string
const file = (name: string, text?: string): string => {
  const path = join(folder, name)
  if (text !== undefined) writeFileSync(path, `${text}\n`, { mode: 0o600 })
  return path
}

const holdfast = (...argv: string[]): Promise<Ran> => runOffline(folder, argv, () => 1_800_000_000_000)

interface Slot {
  readonly id: string
  readonly type: string
  readonly label: string
  readonly isCurrent: boolean
}
const key = async (...argv: string[]) => await holdfast('repo', 'key', ...argv, '--repo', join(folder, 'repo'))
const slots = async (): Promise<Slot[]> => (JSON.parse((await key('list', '--json')).out) as { slots: Slot[] }).slots
const idOf = async (label: string) => (await slots()).find((slot) => slot.label === label)?.id ?? ''
/** The secret on a sheet, as somebody types it off. */
const typed = (path: string) =>
  readFileSync(path, 'utf8')
    .match(/^ {4}(?=\S)\S+$/gm)
    ?.join('') ?? ''

let recovery: string[]
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-keys-'))
  const pass = file('pass', 'correct horse')
  const { out } = await holdfast('repo', 'init', join(folder, 'repo'), '--passphrase-file', pass, '--json')
  recovery = ['--recovery-key-file', file('recovery', (JSON.parse(out) as { recoveryKey: string }).recoveryKey)]
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('a kit, shares and an escrow key are made, tried and shown without their secrets', async () => {
  const kit = join(folder, 'kit.txt')
  expect(await key('kit', '--out', kit, ...recovery)).toMatchObject({ code: 0 })
  expect(typed(kit)).toContain('HFR1-')
  const before = await slots()
  expect(await key('kit', '--out', `${kit}.new`, '--passphrase-file', join(folder, 'pass'))).toMatchObject({ code: 0 })
  expect((await slots()).length).toBe(before.length + 1)
  expect(await key('drill', '--recovery-key-file', file('typed', typed(`${kit}.new`)))).toMatchObject({ code: 0 })

  const sheets = join(folder, 'shares')
  expect(await key('shares', '2/3', '--out', sheets, '--label', 'board', ...recovery)).toMatchObject({ code: 0 })
  const two = readdirSync(sheets)
    .slice(1)
    .map((name) => typed(join(sheets, name)))
  expect(await key('drill', '--shares-file', file('two', two.join('\n')))).toMatchObject({ code: 0 })
  expect((await key('drill', '--shares-file', file('one', two[0]))).code).toBe(6)

  const holder = join(folder, 'holder')
  const pair = await holdfast('repo', 'key', 'new-escrow', holder, '--json')
  const recipient = file('recipient', (JSON.parse(pair.out) as { publicKey: string }).publicKey)
  const escrow = await key('escrow', '--recipient-file', recipient, '--label', 'notary', ...recovery)
  expect([escrow.code, escrow.err]).toEqual([0, expect.stringContaining('Only its holder')])
  expect(await key('drill', '--escrow-key-file', holder)).toMatchObject({ code: 0 })
  expect(await holdfast('repo', 'info', join(folder, 'repo'), '--escrow-key-file', holder)).toMatchObject({ code: 0 })

  const listed = await key('list')
  expect(listed.code).toBe(0)
  for (const word of ['shares 2/3', 'escrow', 'notary', 'board']) expect(listed.out).toContain(word)
  expect(listed.out).not.toMatch(/HF[RSEP]1-/)
})

test('a key is rotated, what is revoked ends, and the last two slots stay', async () => {
  const everyOther = (await slots()).filter(({ label }) => !['recovery key', 'passphrase', 'notary'].includes(label))
  const unnamed = await key('rotate', '--kek', ...recovery)
  expect([unnamed.code, unnamed.err]).toEqual([2, expect.stringContaining(everyOther[0]?.id ?? 'none')])
  const revoke = everyOther.map(({ id }) => id)
  const rotated = await key(
    ...[
      'rotate',
      '--kek',
      '--data',
      '--keep-passphrase-file',
      join(folder, 'pass'),
      '--revoke',
      ...revoke,
      ...recovery,
    ],
  )
  expect([rotated.code, rotated.err]).toEqual([0, expect.stringContaining('cannot be taken back')])
  expect((await slots()).map(({ type }) => type).sort()).toEqual(['hpke', 'passphrase', 'recovery'])
  expect((await key('drill', '--shares-file', join(folder, 'two'))).code).toBe(6)
  for (const open of [
    recovery,
    ['--passphrase-file', join(folder, 'pass')],
    ['--escrow-key-file', join(folder, 'holder')],
  ]) {
    expect((await key('drill', ...open)).code).toBe(0)
  }
  const { keys } = JSON.parse((await key('list', '--keys', '--json', ...recovery)).out) as {
    keys: { type: string; isCurrent: boolean }[]
  }
  expect(keys.filter(({ type }) => type === 'DEK').map(({ isCurrent }) => isCurrent)).toEqual([false, true])

  expect(await key('remove', await idOf('notary'), ...recovery)).toMatchObject({ code: 0 })
  const refused = await key('remove', await idOf('recovery key'), ...recovery)
  expect([refused.code, refused.err]).toEqual([1, expect.stringContaining('always stay')])
  expect(await key('repair', ...recovery)).toMatchObject({ code: 0 })
})

test('a domain is shredded only when its name is repeated', async () => {
  const { keys } = JSON.parse((await key('list', '--keys', '--json', ...recovery)).out) as {
    keys: { type: string; domain: string }[]
  }
  const domain = keys.find(({ type }) => type === 'DEK')?.domain ?? ''
  const open = ['--repo', join(folder, 'repo'), ...recovery]
  const image = file('disk.raw', 'x'.repeat(4095))
  for (const vm of ['web', 'web', 'db']) await holdfast('repo', 'import', image, '--vm', vm, ...open)
  const dry = await key('shred', domain, ...recovery)
  expect([dry.code, dry.out]).toEqual([0, expect.stringContaining(`--confirm ${domain}`)])
  expect(dry.out).toMatch(/^3 recovery points of 2 VMs would be lost:\n.*: [12] points?, /m)
  expect(dry.out).toMatch(/^ {2}web \(series [0-9a-f]{32}\): 2 points, /m)
  expect((await key('shred', domain, '--confirm', 'yes', ...recovery)).code).toBe(2)
  expect(await key('shred', domain, '--confirm', domain, ...recovery)).toMatchObject({
    code: 0,
    out: expect.stringContaining('are destroyed') as string,
  })
  const refused = await holdfast('repo', 'import', image, '--vm', 'a', ...open)
  expect([refused.code, refused.err]).toEqual([1, expect.stringContaining('destroyed on purpose')])
})
