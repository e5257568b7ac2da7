import { expect, it } from 'vitest'
import { HoldfastError } from '../../base/index.ts'
import type { Repository } from '../../repository/index.ts'
import type { TestSiteInput } from '../../workflows/inventory/contract.ts'
import { sampleEndpoint, sampleRepository } from '../testing/samples.ts'
import { testSite } from '../testing/site.ts'
import { reachEach } from './reach.ts'

const { signal } = new AbortController()
const repository = { ...sampleRepository, credentialRef: '' }
const input: TestSiteInput = {
  v: 1,
  site: 'lyon',
  hypervisors: [{ name: 'Lab', endpoint: sampleEndpoint }],
  repositories: [repository, { ...repository, id: 'other', name: 'other', credentialRef: 'file:/nowhere' }],
}
const opened = { id: 'c'.repeat(32), [Symbol.asyncDispose]: async () => undefined } as unknown as Repository

it('each thing is reached for itself: one that is wrong, or hangs, hides no other', async () => {
  await using at = testSite({
    reachServer: async () => {
      throw new HoldfastError('ServerUnreachable', 'nobody listens')
    },
    pingLocation: async () => 3.21,
    openRepository: async () => opened,
  })
  const checks = await reachEach(at.site, input, signal)
  expect(checks.map(({ kind, id, error }) => [kind, id, error?.code ?? null])).toEqual([
    ['server', null, 'ServerUnreachable'],
    ['hypervisor', sampleEndpoint.id, null],
    ['repository', repository.id, null],
    ['repository', 'other', 'SecretMissing'],
  ])
  expect(checks[1]?.latencyMs).toBeGreaterThanOrEqual(0)
  expect(checks[2]).toMatchObject({ latencyMs: 3.2, detail: 'its secret opens it; it is cccccccc…' })
  expect(checks[3]).toMatchObject({ latencyMs: null, error: { hint: expect.stringContaining('secret') as string } })
})

it('who does not answer in time is not reached', async () => {
  await using at = testSite({ pingLocation: () => new Promise(() => undefined), openRepository: async () => opened })
  const checks = await reachEach(at.site, { ...input, repositories: [repository] }, signal, 30)
  expect(checks[0]).toMatchObject({ kind: 'server', place: 'http://holdfast.test', error: null })
  expect(checks[2]?.error).toMatchObject({
    code: 'StoreUnavailable',
    message: expect.stringContaining('within 0.03 s') as string,
  })
})

it('a cancelled test says nothing', async () => {
  await using at = testSite({ pingLocation: () => new Promise(() => undefined) })
  const stop = new AbortController()
  const looking = reachEach(at.site, input, stop.signal)
  stop.abort(new Error('told to'))
  await expect(looking).rejects.toThrow()
})
