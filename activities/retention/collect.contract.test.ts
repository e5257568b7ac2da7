import { mkdtempSync, readdirSync, rmSync, utimesSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MockActivityEnvironment } from '@temporalio/testing'
import { DefaultLogger } from '@temporalio/worker'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createRepository, openRepository } from '../../repository/index.ts'
import type { RepositoryRef } from '../../workflows/shared/contract.ts'
import { testSite } from '../testing/site.ts'
import { createRetentionActivities } from './index.ts'

const day = 86_400
const passphrase = 'correct horse battery staple'
let folder: string
let repository: RepositoryRef
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-collect-'))
  const location = { kind: 'posix', path: join(folder, 'repository') } as const
  await createRepository({ location, passphrase, argon2: { m: 19_456, t: 2, p: 1 } })
  repository = { id: 'main', name: 'main', site: 'test', location, credentialRef: 'file:/secret' }
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

it('a collection whose store was last tested more than a week ago tests it in full, and goes on', async () => {
  const place = join(folder, 'repository')
  const old = Date.now() / 1000 - 8 * day
  const probes = readdirSync(join(place, 'probe'))
  for (const name of ['fmt', ...probes.map((probe) => join('probe', probe))]) utimesSync(join(place, name), old, old)
  const location = { kind: 'posix', path: place } as const
  await using opened = await openRepository({
    location,
    secret: { kind: 'passphrase', passphrase },
    cacheDir: join(folder, 'other'),
    threads: 1,
  })
  const byHand = { signal: AbortSignal.timeout(60_000), onProgress: () => undefined }
  await expect(opened.collect(byHand)).rejects.toMatchObject({ code: 'ProbeOutdated' })

  await using at = testSite({ folder, secret: async () => passphrase })
  const env = new MockActivityEnvironment({ heartbeatTimeoutMs: 4_000 }, { logger: new DefaultLogger('ERROR') })
  const { collectGarbage } = createRetentionActivities(at.site)
  const input = { repository, known: null, waits: 'none' } as const
  const summary = await env.run((one: typeof input) => collectGarbage(one), input)
  expect(summary).toMatchObject({ outcome: 'nothing' })
  expect(readdirSync(join(place, 'probe'))).toHaveLength(probes.length + 1)
})
