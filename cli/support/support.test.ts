import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import * as fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { PassThrough } from 'node:stream'
import { adminToken, bench } from '../../api/testing/bench.ts'
import { runCli } from '../program.ts'
import { redact, redactText } from './redact.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-support-'))
  mkdirSync(join(folder, 'secrets'))
  mkdirSync(join(folder, 'logs'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const canary = 'canary/3b9d"0f6a+71ce'
const forms = [
  canary,
  JSON.stringify(canary).slice(1, -1),
  encodeURIComponent(canary),
  Buffer.from(canary).toString('hex'),
  Buffer.from(canary).toString('base64').replace(/=+$/, ''),
]

async function bundle(fetch: typeof globalThis.fetch | undefined): Promise<{ text: string; code: number }> {
  const out = join(folder, 'bundle.json.gz')
  const code = await runCli(
    ['support-bundle', '--out', out, '--quiet'],
    {
      stdout: { write: () => true },
      stderr: { write: () => true },
      stdin: new PassThrough(),
      env: { HOLDFAST_HOME: folder, HOLDFAST_SERVER: 'http://holdfast.test', HOLDFAST_TOKEN: adminToken },
      ...(fetch && { fetch }),
      now: () => 1_800_000_000_000,
      sleep: async () => undefined,
      signal: new AbortController().signal,
    },
    '0.1.0',
  )
  expect(statSync(out).mode & 0o777).toBe(0o600)
  return { text: gunzipSync(readFileSync(out)).toString('utf8'), code }
}

test('no secret leaves with the bundle, in whatever form it stands in logs and configuration', async () => {
  using here = bench()
  writeFileSync(join(folder, 'secrets', 'repository-main'), `${canary}\n`)
  writeFileSync(join(folder, 'secrets', 's3'), 'KEYID1234:another-canary-77\n')
  const lines = [...forms, 'another-canary-77', `{"authorization":"Bearer ${adminToken}"}`, 'HFR1-ABCD-EFGH']
  writeFileSync(join(folder, 'logs', 'server.log'), lines.map((line) => `it said ${line}\n`).join(''))
  const options = { scope: 'kept', apiToken: 'plain-and-not-in-a-file', note: `x ${canary}` }
  here.catalog.endpoints.add({
    name: 'second',
    platform: 'proxmox',
    address: 'https://root:hunter2pass@pve.example.org',
    site: 'local',
    credentialRef: 'file:/srv/secrets/pve',
    options,
  })
  const { text, code } = await bundle(async (input, init) => here.app.request(input, init))
  expect(code).toBe(0)
  for (const secret of [
    ...forms,
    'another-canary-77',
    adminToken,
    'HFR1-ABCD',
    'plain-and-not-in-a-file',
    'hunter2pass',
  ])
    expect(text.includes(secret), secret).toBe(false)
  const parsed = JSON.parse(text) as { server: { [part: string]: unknown }; logs: { [file: string]: string } }
  // What is left is of use.
  expect(parsed.server['doctor']).toMatchObject({ checks: expect.any(Array) as unknown })
  expect(text).toContain('file:/srv/secrets/pve')
  expect(text).toContain('"kept"')
  expect(parsed.logs['server.log']?.match(/it said/g)).toHaveLength(lines.length)
})

test('a server that is away leaves the logs, and is said', async () => {
  writeFileSync(join(folder, 'logs', 'server.log'), 'the server has ended\n')
  const { text, code } = await bundle(async () => {
    throw new TypeError('fetch failed')
  })
  expect(code).toBe(0)
  expect(JSON.parse(text)).toMatchObject({
    logs: { 'server.log': 'the server has ended\n' },
    server: { doctor: { notRead: { code: 'ServerUnreachable' } } },
  })
})

test('a file that is there is not written over', async () => {
  writeFileSync(join(folder, 'bundle.json.gz'), 'mine')
  await expect(bundle(undefined)).rejects.toThrow()
  expect(readFileSync(join(folder, 'bundle.json.gz'), 'utf8')).toBe('mine')
})

test('whatever stands around it, a known secret is taken out', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 6 }), fc.string(), fc.string(), (secret, before, after) => {
      fc.pre(secret.trim() === secret && !'[secret]'.includes(secret) && !`${before}${after}`.includes(secret))
      expect(redactText(`${before}|${secret}|${after}`, [secret]).split('|').includes(secret)).toBe(false)
    }),
  )
})

test('a member that holds a secret by its name is taken out, one that says where it is stays', () => {
  const value = {
    password: 'x',
    credentialRef: 'file:/a',
    tokenPath: '/b',
    nested: [{ apiKey: 'y', size: 3 }],
    secret: null,
  }
  expect(redact(value, [])).toEqual({
    password: '[secret]',
    credentialRef: 'file:/a',
    tokenPath: '/b',
    nested: [{ apiKey: '[secret]', size: 3 }],
    secret: null,
  })
})
