import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { KiB, MiB } from '../../base/index.ts'
import { saveImage } from './export.ts'

const { signal } = new AbortController()
let folder: string
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'hf-save-'))))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

it('leaves out zeros of an image in whatever parts it comes', async () => {
  const image = Buffer.alloc(9 * MiB + 700)
  image.fill(1, 64 * KiB, 128 * KiB)
  image.fill(2, 5 * MiB - 3, 5 * MiB + 3)
  image.fill(3, 9 * MiB + 600)
  for (const part of [image.length, 2 * MiB, 64 * KiB, 5000]) {
    const stream = async function* (): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < image.length; at += part) yield image.subarray(at, at + part)
    }
    const file = join(folder, `of-${part}`)
    await saveImage('raw', { size: image.length, stream: stream() }, { file, force: false }, signal, () => undefined)
    expect(readFileSync(file).equals(image)).toBe(true)
    expect(statSync(file).blocks * 512).toBeLessThan(MiB)
  }
})
