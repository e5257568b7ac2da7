import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createRecordActivities } from '../activities/record/index.ts'
import { bench, type Bench } from '../api/testing/bench.ts'
import { aPoint, testNow } from '../catalog/testing.ts'
import { testKey, testSeal } from '../evidence/testing.ts'
import { ran } from './testing.ts'

let here: Bench
let folder: string
beforeEach(async () => {
  here = bench()
  folder = mkdtempSync(join(tmpdir(), 'holdfast-cli-'))
  here.catalog.points.record(aPoint(1))
  await createRecordActivities(here.catalog, testSeal).recordProof({
    ...{ workflowId: 'drill/web-01/20261121t073352', runId: 'run-1', vmId: 'web-01', repositoryId: 'main' },
    ...{ stem: aPoint(1).stem, startedMs: testNow, endedMs: testNow + 60_000 },
    result: {
      ...{ v: 1, outcome: 'completed', verdict: 'failed', why: 'Orders: exit 1, expected 0', rtoSeconds: null },
      ...{ restoreSeconds: 20, bootSeconds: 11, checks: [], screenshot: null, residue: [] },
    },
  })
})
afterEach(() => {
  here[Symbol.dispose]()
  rmSync(folder, { recursive: true, force: true })
})

test('exports the proof of a VM or of a drill, and verifies the file with the keys of the server', async () => {
  for (const [what, name] of [
    ['web-01', 'proof.html'],
    ['web-01.20261121t073352', 'proof.json'],
  ] as const) {
    const file = join(folder, name)
    expect(await ran(here, ['drill', 'export', what, file])).toMatchObject({ code: 0, out: '' })
    const { code, out } = await ran(here, ['drill', 'verify', file])
    expect([code, out]).toEqual([0, expect.stringContaining(`Genuine: signed with ${testKey.id}`)])
    expect(out).toMatch(/Verdict +failed/)
    // A file that is there is nobody's to overwrite.
    expect((await ran(here, ['drill', 'export', what, file])).code).not.toBe(0)
  }
  expect(readFileSync(join(folder, 'proof.html'), 'utf8')).toMatch(/^<!doctype html>/)
})

test('verifies without any server by fingerprint or by the public key, and trusts no other', async () => {
  const file = join(folder, 'proof.json')
  const pem = join(folder, 'key.pem')
  await ran(here, ['drill', 'export', 'web-01', file])
  writeFileSync(pem, (await ran(here, ['drill', 'keys', '--pem'])).out)
  const away = { fetch: () => Promise.reject(new Error('nobody is there')) }
  expect((await ran(here, ['drill', 'verify', file, '--trust', testKey.id], away)).code).toBe(0)
  expect((await ran(here, ['drill', 'verify', file, '--trust', pem], away)).code).toBe(0)
  expect((await ran(here, ['drill', 'verify', file], away)).err).toContain('--trust FINGERPRINT')
  const other = await ran(here, ['drill', 'verify', file, '--trust', 'a'.repeat(64)], away)
  expect([other.code, other.out]).toEqual([1, expect.stringContaining('none of those that you trust')])
  writeFileSync(file, readFileSync(file, 'utf8').replace(/"payload": "(.)/, '"payload": "A'))
  const changed = await ran(here, ['drill', 'verify', file, '--trust', testKey.id], away)
  expect([changed.code, changed.out]).toEqual([1, expect.stringContaining('has been changed')])
})

test('lists keys, and signs with another one on demand', async () => {
  expect((await ran(here, ['drill', 'keys'])).out).toMatch(new RegExp(`${testKey.id} +now .* 1\n`))
  const { code, out } = await ran(here, ['drill', 'keys', '--rotate'])
  expect(code).toBe(0)
  expect(out).toMatch(new RegExp(`[0-9a-f]{64} +now .*\n${testKey.id} +until `))
})
