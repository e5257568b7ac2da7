import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Io } from '../io.ts'
import { deliverTo, recoveryKit, shareSheet, writeSheet } from './kit.ts'

let folder: string
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'holdfast-kit-'))))
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const facts = { repo: 'ab'.repeat(16), place: '/srv/backup', label: 'safe', madeMs: 1_700_000_000_000 }
const text = 'HFR1-O53X-O53X-O53X-O53X-O53X-O53X-O53X-O53X-O53X-O53X-O53X-O53X-O535-KIAT-MQ'

function ioOf(json = false): { io: Io; out: () => string } {
  let out = ''
  const world = {
    stdout: { write: (piece: string | Uint8Array) => (out += String(piece)) },
    stderr: { write: () => true },
    stdin: new PassThrough(),
    env: {},
    now: () => facts.madeMs,
    sleep: async () => undefined,
    signal: new AbortController().signal,
  }
  return { io: new Io(world, { json }, () => undefined), out: () => out }
}

test('a kit has all that somebody needs who has nothing but it, in 80 plain columns', () => {
  const kit = recoveryKit(text, facts)
  expect(kit.split('\n').every((line) => line.length <= 80 && /^[\x20-\x7e]*$/.test(line))).toBe(true)
  for (const needed of [facts.repo, facts.place, 'rescue.py', 'holdfast repo key drill']) expect(kit).toContain(needed)
  // What is printed in lines reads as the key.
  expect(
    kit
      .match(/^ {4}(?=\S)\S+$/gm)
      ?.map((line) => line.trim())
      .join('-'),
  ).toBe(text)
  const sheet = shareSheet('HFS1-AAAA-BBBB', { ...facts, number: 1, of: 3, threshold: 2 })
  expect(sheet).toContain('SHEET 1 OF 3')
  expect(sheet).toContain('Any 2 of these 3 sheets')
})

test('a label cannot forge lines of a kit', () => {
  expect(recoveryKit(text, { ...facts, label: 'a\n    HFR1-FAKE' })).not.toMatch(/^ {4}HFR1-FAKE/m)
})

test('sheets go into new files of their owner alone, and never replace one', async () => {
  const { io } = ioOf()
  const kit = join(folder, 'kit.txt')
  await deliverTo(io, kit, facts)({ type: 'recovery', label: 'safe', kekGen: 1, texts: [text] })
  expect([readFileSync(kit, 'utf8'), statSync(kit).mode & 0o777]).toEqual([recoveryKit(text, facts), 0o600])
  await expect(writeSheet(kit, 'other')).rejects.toMatchObject({ code: 'InvalidRequest' })
  expect(readFileSync(kit, 'utf8')).toBe(recoveryKit(text, facts))
  const shares = join(folder, 'shares')
  const printed = {
    type: 'shamir',
    label: 'board',
    kekGen: 1,
    texts: ['HFS1-AAAA', 'HFS1-BBBB'],
    threshold: 2,
  } as const
  await deliverTo(io, shares, facts)(printed)
  expect(readdirSync(shares).sort()).toEqual(['share-1-of-2.txt', 'share-2-of-2.txt'])
  expect(readFileSync(join(shares, 'share-1-of-2.txt'), 'utf8')).not.toContain('BBBB')
  writeFileSync(join(folder, 'taken'), '')
  await expect(deliverTo(io, join(folder, 'taken'), facts)(printed)).rejects.toThrow()
})

test('without a file a sheet goes to the terminal, and with --json nowhere', async () => {
  const { io, out } = ioOf()
  await deliverTo(io, undefined, facts)({ type: 'recovery', label: 'safe', kekGen: 1, texts: [text] })
  expect(out()).toContain('HOLDFAST RECOVERY KIT')
  expect(() => deliverTo(ioOf(true).io, undefined, facts)).toThrow(expect.objectContaining({ code: 'InvalidRequest' }))
})
