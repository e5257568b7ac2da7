import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { serve } from '@hono/node-server'
import { expect, it } from 'vitest'
import { bench, workerToken } from '../api/testing/bench.ts'
import { homeOf } from './config.ts'
import { serverDoor } from './door.ts'
import { workerTokenPath } from './secrets.ts'
import { verifyLedgers } from './verify-ledger.ts'

it('what one worker has read another one gets from the server, in order; a server that is away is told as that', async () => {
  using here = bench()
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-ledger-'))
  const home = homeOf({ HOLDFAST_HOME: folder })
  mkdirSync(dirname(workerTokenPath(home)), { recursive: true, mode: 0o700 })
  writeFileSync(workerTokenPath(home), workerToken, { mode: 0o600 })
  const server = serve({ fetch: here.app.fetch, port: 0, hostname: '127.0.0.1' })
  await new Promise<void>((resolve) => server.once('listening', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const { signal } = new AbortController()
  const packOf = (n: number): string => (n * 0x9e3779b1).toString(16).padStart(16, '0').repeat(4)
  try {
    const [one, other] = [
      verifyLedgers(serverDoor(home, { HOLDFAST_URL: url }))('main'),
      verifyLedgers(serverDoor(home, { HOLDFAST_URL: url }))('main'),
    ]
    // More than one piece of an answer, and names of every prefix.
    const packs = Array.from({ length: 3_000 }, (_, n) => packOf(n))
    for (let at = 0; at < packs.length; at += 1_000)
      await one.record(packs.slice(at, at + 1_000).map((pack) => ({ pack, level: 'L3', atMs: 5_000 })))
    await one.record([{ pack: packOf(7), level: 'L4', atMs: 9_999 }])
    const got = await Array.fromAsync(other.passes(signal))
    expect(got.map(({ pack }) => pack)).toEqual(packs.toSorted())
    expect(got.find(({ pack }) => pack === packOf(7))).toEqual({ pack: packOf(7), l3Ms: 5_000, l4Ms: 9_000 })
    await expect(verifyLedgers(serverDoor(home, { HOLDFAST_URL: url }))('none').record([])).rejects.toMatchObject({
      code: 'ServerUnreachable',
    })
  } finally {
    await new Promise((resolve) => server.close(resolve))
  }
  const away = verifyLedgers(serverDoor(home, { HOLDFAST_URL: url }))('main')
  await expect(Array.fromAsync(away.passes(signal))).rejects.toMatchObject({ code: 'ServerUnreachable' })
  rmSync(folder, { recursive: true, force: true })
})
