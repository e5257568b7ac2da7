import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ByteName } from './names.ts'
import type { ArchiveMember } from './tar.ts'
import { foldedName, zipOf } from './zip.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'hf-zip-'))
})
afterEach(() => rmSync(dir, { recursive: true }))

const of = { mode: 0o640, uid: 1000, gid: 1001, size: 0, modifiedSeconds: 1_700_000_000, target: null }

function file(name: string, text: string, mode = 0o640): ArchiveMember {
  const data = Buffer.from(text)
  const content = async function* (): AsyncGenerator<Buffer> {
    for (const byte of data) yield Buffer.from([byte])
  }
  return { head: { ...of, name: name as ByteName, kind: 'file', mode, size: data.length }, content: content() }
}

async function* each(members: readonly ArchiveMember[]): AsyncGenerator<ArchiveMember> {
  yield* members
}

/** As Python reads it: name, mode, whether its name is marked as UTF-8, content. */
async function read(members: readonly ArchiveMember[]): Promise<unknown> {
  const path = join(dir, 'a.zip')
  writeFileSync(path, Buffer.concat(await Array.fromAsync(zipOf(each(members)))))
  const program = `import json, sys, zipfile
z = zipfile.ZipFile(sys.argv[1])
assert z.testzip() is None
print(json.dumps([[i.filename, oct(i.external_attr >> 16), bool(i.flag_bits & 0x800), z.read(i).decode()] for i in z.infolist()]))`
  return JSON.parse(execFileSync('python3', ['-c', program, path], { encoding: 'utf8' }))
}

test('keeps names, modes, links and content', async () => {
  const folder: ArchiveMember = {
    head: { ...of, name: './etc' as ByteName, kind: 'folder', mode: 0o755 },
    content: null,
  }
  const link: ArchiveMember = {
    head: { ...of, name: './etc/link' as ByteName, kind: 'link', mode: 0o777, target: '../run' as ByteName },
    content: null,
  }
  const name = Buffer.from('etc/Größe').toString('latin1')
  expect(await read([folder, file('./etc/hosts', 'ab', 0o4755), link, file(name, ''), file('etc/x', 'y')])).toEqual([
    ['etc/', '0o40755', true, ''],
    ['etc/hosts', '0o104755', true, 'ab'],
    ['etc/link', '0o120777', true, '../run'],
    ['etc/Größe', '0o100640', true, ''],
    ['etc/x', '0o100640', true, 'y'],
  ])
})

test('shows the command line by its list that it is not whole', async () => {
  const zip = Buffer.concat(await Array.fromAsync(zipOf(each([file('HOLDFAST-UNREADABLE.txt', 'x')]))))
  // What cli/verbs/files.ts looks for.
  expect(zip.includes('HOLDFAST-UNREADABLE.txtUT')).toBe(true)
})

test('writes what is no text, or would lead elsewhere, as %HH', async () => {
  const names = (await read([file('caf\xe9', 'x'), file('a\\b', 'x'), file('C:x', 'x')])) as string[][]
  expect(names.map(([name]) => name)).toEqual(['caf%e9', 'a%5cb', 'C%3ax'])
})

test('never makes one name of two, and folds what desktops take for one', async () => {
  const names = (await read([file('a\\b', 'x'), file('a%5cb', 'x'), file('100%', 'x')])) as string[][]
  expect(names.map(([name]) => name)).toEqual(['a%5cb', 'a%255cb', '100%25'])
  const latin = (text: string): ByteName => Buffer.from(text).toString('latin1') as ByteName
  expect(foldedName(latin('É'))).toBe(foldedName(latin('e\u0301')))
  expect(foldedName(latin('a%5cb'))).not.toBe(foldedName(latin('a\\b')))
})

test('waits for its reader also where members have no content', async () => {
  let made = 0
  const folders = async function* (): AsyncGenerator<ArchiveMember> {
    for (; made < 5_000; made += 1) {
      const name = `${'x'.repeat(2_000)}${made}` as ByteName
      yield { head: { ...of, name, kind: 'folder', mode: 0o755 }, content: null }
    }
  }
  const stream = zipOf(folders())
  await stream.next()
  await setTimeout(200)
  expect(made).toBeLessThan(200)
  for await (const _ of stream);
  expect(made).toBe(5_000)
})

test('throws what a member throws, and ends the members when its reader leaves', async () => {
  const broken: ArchiveMember = {
    ...file('x', 'abc'),
    // oxlint-disable-next-line require-yield
    content: (async function* (): AsyncGenerator<Buffer> {
      throw new Error('cut')
    })(),
  }
  await expect(Array.fromAsync(zipOf(each([file('a', 'a'), broken])))).rejects.toThrow('cut')
  let ended = false
  const endless = async function* (): AsyncGenerator<Buffer> {
    try {
      for (;;) yield Buffer.alloc(65_536)
    } finally {
      ended = true
    }
  }
  const stream = zipOf(
    each([{ head: { ...of, name: 'x' as ByteName, kind: 'file', size: 2 ** 40 }, content: endless() }]),
  )
  await stream.next()
  await stream.return()
  expect(ended).toBe(true)
})
