import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { imageFormats, qemuName } from '../../images/index.ts'

const main = fileURLToPath(new URL('../main.ts', import.meta.url))
const size = 64 * 2 ** 20
let folder: string
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'holdfast-export-'))))
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** The script with its output in a pipe whose reader leaves after `take` bytes. */
async function piped(
  args: readonly string[],
  take: number,
): Promise<{ code: number | null; got: number; err: string }> {
  const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let got = 0
  let err = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text))
  child.stdout.on('data', (bytes: Buffer) => {
    got += bytes.byteLength
    if (got >= take) child.stdout.destroy()
  })
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve))
  return { code, got, err }
}

test(
  'a disk whose reader leaves is a failure that says how much went; of text it is none',
  { timeout: 240_000 },
  async () => {
    const pass = join(folder, 'pass')
    const recovery = join(folder, 'recovery')
    const repo = join(folder, 'repo')
    const image = join(folder, 'disk.raw')
    writeFileSync(pass, 'correct horse battery staple\n', { mode: 0o600 })
    writeFileSync(image, Buffer.alloc(2 ** 20, 7))
    truncateSync(image, size)
    const holdfast = (...args: string[]): string =>
      execFileSync(process.execPath, [main, ...args], { encoding: 'utf8' })
    const made = JSON.parse(holdfast('repo', 'init', repo, '--passphrase-file', pass, '--json')) as {
      recoveryKey: string
    }
    writeFileSync(recovery, `${made.recoveryKey}\n`)
    const open = ['--repo', repo, '--recovery-key-file', recovery]
    const { stem } = JSON.parse(holdfast('repo', 'import', image, ...open, '--json')) as { stem: string }

    const cut = await piped(['repo', 'export', stem, 'disk0', '-', ...open], 3 * 2 ** 20)
    expect(cut.code).toBe(1)
    const [, went] = /its reader stopped after (\d+) of 67108864 bytes/.exec(cut.err) ?? []
    expect(Number(went)).toBeGreaterThanOrEqual(2 ** 20)
    expect(Number(went)).toBeLessThan(size)
    const whole = await piped(['repo', 'export', stem, 'disk0', '-', ...open], Infinity)
    expect([whole.code, whole.got]).toEqual([0, size])

    expect((await piped(['repo', 'ls', '--json', ...open], 1)).code).toBe(0)

    // Out in each format and in again: the same disk each time.
    for (const format of imageFormats) {
      const out = join(folder, `out.${format}`)
      holdfast('repo', 'export', stem, 'disk0', out, '--format', format, ...open)
      expect(
        execFileSync('qemu-img', ['compare', '-f', qemuName(format), '-F', 'raw', out, image], { encoding: 'utf8' }),
      ).toContain('Images are identical')
      expect(statSync(out).blocks * 512, format).toBeLessThan(8 * 2 ** 20)
      const again = JSON.parse(holdfast('repo', 'import', out, '--vm', format, ...open, '--json')) as {
        stem: string
        newBytes: number
        format: string
      }
      expect(again).toMatchObject({ newBytes: 0, format })
      const back = join(folder, `back.${format}.raw`)
      holdfast('repo', 'export', again.stem, 'disk0', back, ...open)
      execFileSync('cmp', [image, back])
    }
    // Only what was named is read.
    const outside = join(folder, 'outside.qcow2')
    execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', '-u', '-b', pass, '-F', 'raw', outside, '64M'])
    const refused = await piped(['repo', 'import', outside, ...open], 0)
    expect([refused.code, refused.err]).toEqual([1, expect.stringContaining(`it names ${pass}`)])
  },
)
