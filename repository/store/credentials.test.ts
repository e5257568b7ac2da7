import { chmodSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { parseAzureSecret, parseS3Keys, readReference } from './credentials.ts'

const folder = mkdtempSync(join(tmpdir(), 'holdfast-credentials-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

it('reads a file that only its owner can read, or the environment', async () => {
  const file = join(folder, 'key')
  writeFileSync(file, 'id:secret\n', { mode: 0o600 })
  expect(await readReference(`file:${file}`)).toBe('id:secret')
  process.env['HOLDFAST_TEST_SECRET'] = 'id:other'
  expect(await readReference('env:HOLDFAST_TEST_SECRET')).toBe('id:other')
  delete process.env['HOLDFAST_TEST_SECRET']
  await expect(readReference('env:HOLDFAST_TEST_SECRET')).rejects.toMatchObject({ code: 'SecretMissing' })
  chmodSync(file, 0o640)
  await expect(readReference(`file:${file}`)).rejects.toMatchObject({ hint: `chmod 600 ${file}` })
  chmodSync(file, 0o600)
  symlinkSync(file, join(folder, 'link'))
  await expect(readReference(`file:${join(folder, 'link')}`)).rejects.toMatchObject({ code: 'SecretMissing' })
  await expect(readReference('file:relative')).rejects.toMatchObject({ code: 'ConfigInvalid' })
  await expect(readReference(`file:${join(folder, 'none')}`)).rejects.toMatchObject({ code: 'SecretMissing' })
})

it('takes S3 keys as a pair or as one AWS profile, and never shows them', () => {
  const keys = { accessKeyId: 'AKIA1', secretAccessKey: 'se/cr+et=' }
  expect(parseS3Keys('AKIA1:se/cr+et=', 'file:/k')).toEqual(keys)
  const profile = '[default]\n# mine\naws_access_key_id = AKIA1\naws_secret_access_key=se/cr+et=\n'
  expect(parseS3Keys(profile, 'file:/k')).toEqual(keys)
  expect(parseS3Keys(`${profile}aws_session_token = to:ken\n`, 'file:/k')).toEqual({ ...keys, sessionToken: 'to:ken' })
  expect(() => parseS3Keys(`${profile}[other]\n`, 'file:/k')).toThrow(/several profiles/)
  for (const text of ['', 'hunter2', 'aws_secret_access_key = hunter2']) {
    expect(() => parseS3Keys(text, 'file:/k')).toThrow(/^file:\/k holds no S3 credentials$/)
  }
})

it('takes the key of an Azure account or a shared access signature', () => {
  const key = Buffer.alloc(64, 1).toString('base64')
  expect(parseAzureSecret(`${key}\n`, 'file:/k')).toEqual({ kind: 'key', key })
  expect(parseAzureSecret('?sv=2025&sp=rcwdl&sig=abc%3D', 'file:/k')).toEqual({
    kind: 'sas',
    sas: 'sv=2025&sp=rcwdl&sig=abc%3D',
  })
  expect(() => parseAzureSecret('hunter2', 'file:/k')).toThrow(/^file:\/k holds neither/)
})
