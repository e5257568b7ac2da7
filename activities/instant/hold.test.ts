import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { HoldfastError } from '../../base/index.ts'
import type { Site } from '../shared/deps.ts'
import { sampleEndpoint, sampleRepository } from '../testing/samples.ts'
import { holdServed, releaseServed } from './hold.ts'
import type { ServedPoint } from './types.ts'

const { signal } = new AbortController()
const served: ServedPoint = {
  endpoint: sampleEndpoint,
  operation: 'a'.repeat(32),
  repository: sampleRepository,
  stem: 'snap/1',
}

let dir: string
let holds: { readonly name: string; readonly actor: string }[]
let fails: HoldfastError | null
let site: Site
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'hf-held-'))
  holds = [{ name: 'hold/ann', actor: 'ann' }]
  fails = null
  const repository = {
    hold: async ({ actor }: { readonly actor: string }) => {
      if (fails !== null) throw fails
      const name = `hold/${holds.length}`
      holds.push({ name, actor })
      return name
    },
    listHolds: async () => [...holds],
    release: async (name: string) => {
      holds = holds.filter((one) => one.name !== name)
    },
  }
  site = {
    options: { servedDir: dir },
    log: { warn: () => undefined },
    repository: async (_ref: unknown, work: (opened: unknown) => Promise<unknown>) => work(repository),
  } as unknown as Site
})
afterEach(async () => rm(dir, { recursive: true, force: true }))

it('holds the point once, however often it is asked, and releases its own hold alone', async () => {
  await holdServed(site, served, signal)
  await holdServed(site, served, signal)
  expect(holds.map(({ actor }) => actor)).toEqual(['ann', `instant:${served.operation}`])
  await releaseServed(site, served.operation, signal)
  await releaseServed(site, served.operation, signal)
  expect(holds).toEqual([{ name: 'hold/ann', actor: 'ann' }])
  expect(await readdir(dir)).toEqual([])
})

it('a hold whose answer was lost is found when serving ends', async () => {
  const { log, options } = site
  const dies = {
    ...{ log, options },
    repository: async (...args: Parameters<Site['repository']>) => {
      await site.repository(...args)
      throw new HoldfastError('StoreUnavailable', 'killed')
    },
  } as unknown as Site
  await expect(holdServed(dies, served, signal)).rejects.toThrow('killed')
  expect(holds).toHaveLength(2)
  await releaseServed(site, served.operation, signal)
  expect(holds).toHaveLength(1)
})

it('a point that is going is refused; read-only access is enough to serve', async () => {
  fails = new HoldfastError('HoldRefused', 'it has a tombstone')
  await expect(holdServed(site, served, signal)).rejects.toMatchObject({ code: 'HoldRefused' })
  fails = new HoldfastError('StoreDenied', 'read-only')
  await holdServed(site, served, signal)
  await releaseServed(site, served.operation, signal)
  expect(holds).toHaveLength(1)
})
