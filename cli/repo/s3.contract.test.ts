import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { S3Lab } from '../../lab/stores/index.ts'
import { runOffline, type Ran } from './testing.ts'

let folder: string
let lab: S3Lab
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-repo-s3-'))
  lab = await S3Lab.start('seaweedfs')
})
afterAll(async () => {
  await lab[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})

const holdfast = (...argv: string[]): Promise<Ran> => runOffline(folder, argv, () => 1_800_000_000_000)

test('a repository in a bucket is made, filled, listed, verified, exported and probed, all offline', async () => {
  const { bucket, url } = await lab.bucket({ prefix: 'vms' })
  const [pass, image, back] = ['pass', 'disk.raw', 'back.raw'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ]
  writeFileSync(pass, 'correct horse battery staple\n', { mode: 0o600 })
  writeFileSync(image, randomBytes(5 * 2 ** 20))
  const made = await holdfast('repo', 'init', url, '--passphrase-file', pass)
  // The recovery key opens without the work that a passphrase costs.
  const recovery = join(folder, 'recovery')
  writeFileSync(recovery, /HFR1-[A-Z2-7-]+/.exec(made.out + made.err)?.[0] ?? '')
  const open = ['--repo', url, '--recovery-key-file', recovery]

  expect(made).toMatchObject({ code: 0, out: expect.stringContaining(`s3://${bucket}/vms`) as string })
  const imported = await holdfast('repo', 'import', image, ...open, '--json')
  const { snap } = JSON.parse(imported.out) as { snap: string }
  expect((await holdfast('repo', 'ls', ...open)).out).toContain(snap.slice(0, 12))
  expect(await holdfast('repo', 'verify', '--level', 'full', ...open)).toMatchObject({
    code: 0,
    out: expect.stringContaining('No damage found') as string,
  })
  expect(await holdfast('repo', 'export', snap.slice(0, 12), 'disk0', back, ...open)).toMatchObject({ code: 0 })
  expect(readFileSync(back).equals(readFileSync(image))).toBe(true)
  expect((await holdfast('repo', 'info', ...open)).out).toContain('unknown')
  const probed = await holdfast('repo', 'probe', url)
  expect(probed).toMatchObject({ code: 0, out: expect.stringContaining('passed: put if absent') as string })

  // By reference only: the secret itself is in no output.
  const secret = readFileSync(new URL(lab.credentials), 'utf8').split(':')[1]?.trim() ?? ''
  expect(secret.length).toBeGreaterThan(10)
  for (const { out, err } of [made, imported, probed]) expect(out + err).not.toContain(secret)
})

test('what is wrong with a bucket is said in a line, with what to do', async () => {
  const { bucket, url } = await lab.bucket()
  const missing = await holdfast(
    'repo',
    'init',
    url.replace(bucket, 'hf-nowhere'),
    '--passphrase-file',
    join(folder, 'pass'),
  )
  expect(missing.code).not.toBe(0)
  expect(missing.err).toContain('Create the bucket hf-nowhere')
  writeFileSync(join(folder, 'wrong'), 'holdfasttest:notthesecret\n', { mode: 0o600 })
  const denied = await holdfast(
    ...['repo', 'probe', url.replace(/credentials=[^&]*/, `credentials=file:${join(folder, 'wrong')}`)],
  )
  expect(denied.code).not.toBe(0)
  expect(denied.err).toContain('secret key is wrong')
  expect(denied.err).not.toContain('notthesecret')
  const secretInUrl = await holdfast('repo', 'ls', 's3://id:hunter2@bucket', '--passphrase-file', join(folder, 'pass'))
  expect(secretInUrl.err).toContain('?credentials=file:/path')
  expect(secretInUrl.err).not.toContain('hunter2')
})
