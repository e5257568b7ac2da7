import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { byteName, type ByteName } from './names.ts'
import { paddingOf, tarEnd, tarHead, type TarMember } from './tar.ts'

const base: TarMember = {
  ...{ name: 'file' as ByteName, kind: 'file', target: null },
  ...{ mode: 0o640, uid: 1000, gid: 1001, size: 0, modifiedSeconds: 1_700_000_000 },
}
let dir: string

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'hf-tar-'))
})
afterEach(() => rmSync(dir, { recursive: true }))

function list(members: readonly (readonly [TarMember, Buffer])[]): string[] {
  const parts = members.flatMap(([member, content]) => [tarHead(member), content, paddingOf(content.length)])
  const file = join(dir, 'a.tar')
  writeFileSync(file, Buffer.concat([...parts, tarEnd()]))
  const out = execFileSync('tar', ['--numeric-owner', '--utc', '--quoting-style=escape', '-tvf', file])
  return out.toString('latin1').trim().split('\n')
}

describe('an archive, as tar reads it', () => {
  test('has modes, owners, times and links', () => {
    expect(
      list([
        [{ ...base, name: 'dir' as ByteName, kind: 'folder', mode: 0o1777 }, Buffer.alloc(0)],
        [{ ...base, size: 5 }, Buffer.from('hello')],
        [{ ...base, name: 'link' as ByteName, kind: 'link', target: '/etc/x' as ByteName }, Buffer.alloc(0)],
      ]).map((line) => line.replaceAll(/ +/g, ' ')),
    ).toEqual([
      'drwxrwxrwt 1000/1001 0 2023-11-14 22:13 dir/',
      '-rw-r----- 1000/1001 5 2023-11-14 22:13 file',
      'lrw-r----- 1000/1001 0 2023-11-14 22:13 link -> /etc/x',
    ])
  })

  test('has names of any length and any bytes, and targets too', () => {
    const long = byteName(Buffer.from(`${'d'.repeat(120)}/caf\xe9\n${'x'.repeat(150)}`, 'latin1'))
    const [file, link] = list([
      [{ ...base, name: long }, Buffer.alloc(0)],
      [{ ...base, name: 'l' as ByteName, kind: 'link', target: long }, Buffer.alloc(0)],
    ])
    const text = `${'d'.repeat(120)}/caf\\351\\n${'x'.repeat(150)}`
    expect(file?.endsWith(text)).toBe(true)
    expect(link?.endsWith(`l -> ${text}`)).toBe(true)
  })

  test('has sizes and owners beyond what octal digits hold', () => {
    const head = tarHead({ ...base, uid: 4_000_000_000, size: 20 * 1024 ** 3 })
    const file = join(dir, 'big.tar')
    writeFileSync(file, head)
    // The content is missing on purpose: the head is listed first.
    let out = ''
    try {
      execFileSync('tar', ['--numeric-owner', '-tvf', file], { stdio: ['ignore', 'pipe', 'ignore'] })
    } catch (error) {
      out = String((error as { stdout: Buffer }).stdout)
    }
    expect(out).toContain('4000000000/1001')
    expect(out).toContain(String(20 * 1024 ** 3))
  })
})
