import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import * as fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { PassThrough } from 'node:stream'
import { adminToken, bench, type Bench } from '../../api/testing/bench.ts'
import { furnish, testCatalog } from '../../catalog/testing.ts'
import { planDefaults } from '../../policy/index.ts'
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

/** A secret that stands outside of the home, and its reference. */
function outside(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return `file:${path}`
}
/** Every reference of these tests is one that can be read. */
function readable(here: Bench): void {
  here.catalog.repositories.move('main', { credentialRef: outside('main-keys', 'nothing-of-note\n') })
}

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
  readable(here)
  const pve = outside('pve', 'root@pam:pve-canary-88')
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
    credentialRef: pve,
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
  expect(text).toContain(pve)
  expect(text).toContain('"kept"')
  expect(parsed.logs['server.log']?.match(/it said/g)).toHaveLength(lines.length)
})

const record = { level: 50, time: 1_800_000_000_000, error: 'the key was AKEY:from-elsewhere-55', msg: 'it failed' }

test('secrets that hypervisors, repositories and channels name are known wherever they stand', async () => {
  using here = bench()
  here.catalog.repositories.move('main', {
    credentialRef: outside('s3', '[default]\naws_access_key_id = KEYID\naws_secret_access_key = from-elsewhere-55\n'),
  })
  here.catalog.endpoints.add({
    ...{ name: 'second', platform: 'proxmox', address: 'https://pve.example.org', site: 'local', options: {} },
    credentialRef: outside('pve', 'root@pam:pve-canary-88'),
  })
  const route = { severity: 'warning', tags: [], quiet: null, digestAt: null, timeZone: 'UTC' } as const
  const hook = {
    kind: 'webhook',
    url: 'https://hook.example/x',
    credentialRef: outside('hook', 'hook-canary-66'),
    route,
  }
  expect((await here.call('PUT', '/api/v1/channels/team', hook)).status).toBeLessThan(300)
  const lines = [JSON.stringify(record), 'with pve-canary-88 and hook-canary-66']
  writeFileSync(join(folder, 'logs', 'server.log'), `${lines.join('\n')}\n`)
  const { text } = await bundle(async (input, init) => here.app.request(input, init))
  for (const secret of ['from-elsewhere-55', 'pve-canary-88', 'hook-canary-66'])
    expect(text.includes(secret), secret).toBe(false)
  const { logs, unknownSecrets } = JSON.parse(text) as { logs: { [file: string]: string }; unknownSecrets: string[] }
  expect(unknownSecrets).toEqual([])
  expect(logs['server.log']).toContain('the key was AKEY:[secret]')
})

test('a secret that cannot be read is named, and logs in which it may stand keep the words of the program only', async () => {
  using here = bench()
  writeFileSync(join(folder, 'logs', 'server.log'), `${JSON.stringify(record)}\nfrom-elsewhere-55 stands here\n`)
  const { text } = await bundle(async (input, init) => here.app.request(input, init))
  expect(text).not.toContain('from-elsewhere-55')
  const { logs, unknownSecrets } = JSON.parse(text) as { logs: { [file: string]: string }; unknownSecrets: string[] }
  expect(unknownSecrets).toEqual([expect.stringContaining('file:/srv/secrets/main')])
  const { time, level, msg } = record
  expect(logs['server.log']).toBe(`${JSON.stringify({ time, level, msg })}\n[line left out]\n`)
})

const away = async (): Promise<never> => {
  throw new TypeError('fetch failed')
}

test('while the server is away the catalog of the home says which secrets there are', async () => {
  const { catalog } = testCatalog(join(folder, 'catalog.db'))
  furnish(catalog)
  catalog.repositories.move('main', { credentialRef: outside('keys', 'ID:from-elsewhere-55') })
  catalog.close()
  writeFileSync(join(folder, 'logs', 'server.log'), 'the server has ended by from-elsewhere-55\n')
  const { text } = await bundle(away)
  expect(JSON.parse(text)).toMatchObject({
    logs: { 'server.log': 'the server has ended by [secret]\n' },
    server: { doctor: { notRead: { code: 'ServerUnreachable' } } },
    unknownSecrets: [],
  })
})

test('where nobody says which secrets there are, the logs keep the words of the program only', async () => {
  writeFileSync(join(folder, 'logs', 'server.log'), 'the server has ended by from-elsewhere-55\n')
  const { text, code } = await bundle(away)
  expect(code).toBe(0)
  expect(JSON.parse(text)).toMatchObject({
    logs: { 'server.log': '[line left out]\n' },
    unknownSecrets: [expect.stringContaining('outside this home')],
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

test('says what is planned and what works, and nothing that a hook is called with', async () => {
  using here = bench()
  readable(here)
  const hook = {
    when: 'before-freeze',
    path: '/usr/local/bin/rest',
    args: ['--key', 'argument-canary-91'],
    timeoutMs: 60_000,
    onFailure: 'fail',
  } as const
  const targets = [{ repository: 'main', copy: 'backup' as const, keep: null }]
  here.catalog.plans.put({ ...planDefaults, name: 'nightly', targets, hooks: [hook] }, 0)
  const { text } = await bundle(async (input, init) => here.app.request(input, init))
  const { server } = JSON.parse(text) as { server: { [part: string]: { readonly notRead?: object } } }
  expect(server['plans']).toMatchObject({ items: [{ name: 'nightly' }] })
  expect(text.includes('/usr/local/bin/rest')).toBe(true)
  expect(text.includes('argument-canary-91')).toBe(false)
  for (const part of ['categories', 'slots', 'links', 'mirrors', 'replications', 'sweeps', 'incidents'])
    expect([part, server[part]?.notRead]).toEqual([part, undefined])
})
