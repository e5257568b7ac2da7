import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import type { AddressInfo, Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AzuriteLab, behindTls, forward, S3Lab, type BehindTls } from '../../lab/stores/index.ts'
import { connectTo } from './location.ts'
import { parseLocation } from './location-url.ts'
import { listAll } from './store.ts'

const { signal } = new AbortController()
let folder: string
let s3: S3Lab
let azure: AzuriteLab
const servers: Server[] = []
const fronts: BehindTls[] = []

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-agents-'))
  s3 = await S3Lab.start('seaweedfs')
  azure = await AzuriteLab.start()
})
afterAll(async () => {
  for (const server of servers) server.close()
  for (const one of fronts) await one[Symbol.asyncDispose]()
  await s3[Symbol.asyncDispose]()
  await azure[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})

async function listen(server: Server): Promise<number> {
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

async function front(origin: string): Promise<BehindTls> {
  const made = await behindTls(origin, folder)
  fronts.push(made)
  return made
}

/** Counts what goes through it. */
async function proxy(): Promise<{ readonly url: string; readonly seen: string[] }> {
  const seen: string[] = []
  const port = await listen(
    createHttpServer((incoming, answer) => {
      seen.push(incoming.url ?? '')
      forward(new URL(incoming.url ?? ''), incoming, answer)
    }),
  )
  return { url: `http://127.0.0.1:${port}`, seen }
}

const kinds = {
  s3: async () => ({ origin: s3.endpoint, url: (await s3.bucket()).url }),
  azure: async () => ({ origin: azure.endpoint, url: (await azure.container()).url }),
}

describe.each(['s3', 'azure'] as const)('%s', (kind) => {
  const roundTrip = async (url: string) => {
    const store = connectTo(parseLocation(url))()
    const body = randomBytes(300_000)
    const sha256 = createHash('sha256').update(body).digest()
    expect(await store.putIfAbsent('pack/aa/x', body, { sha256, signal })).toBe('created')
    expect(body.equals(await store.get('pack/aa/x', 300_000, signal))).toBe(true)
    expect(await listAll(store, 'pack/')).toHaveLength(1)
  }

  it('is reached over TLS with an authority of its own, and with no other', async () => {
    const { origin, url } = await kinds[kind]()
    const { endpoint, ca } = await front(new URL(origin).origin)
    const secure = url.replace(new URL(origin).origin, endpoint)
    await roundTrip(`${secure}&ca=${ca}`)
    await expect(connectTo(parseLocation(secure))().list('')).rejects.toMatchObject({
      code: 'StoreUnavailable',
      hint: expect.stringContaining('?ca=') as string,
    })
    await expect(connectTo(parseLocation(`${secure}&ca=/nowhere.pem`))().list('')).rejects.toMatchObject({
      code: 'ConfigInvalid',
    })
  })

  it('is reached through the proxy that its URL names', async () => {
    const { url } = await kinds[kind]()
    const between = await proxy()
    await roundTrip(`${url}&proxy=${between.url}`)
    expect(between.seen.length).toBeGreaterThanOrEqual(3)
  })
})
