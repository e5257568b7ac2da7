import { createHash, randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { MiB } from '../../base/index.ts'
import { AzuriteLab } from '../../lab/stores/index.ts'
import { storeContract } from './contract.ts'
import { connectTo, foreignEntries } from './location.ts'
import { parseLocation } from './location-url.ts'
import { FULL_PROBE, probeStore } from './probe.ts'
import { listAll, type Connect } from './store.ts'

/** Azurite's word for what it saved; what comes later is lost with it (lab/stores/azurite.ts). */
const SAVED_MS = 6_000

let lab: AzuriteLab
beforeAll(async () => {
  lab = await AzuriteLab.start()
})
afterAll(async () => {
  await lab[Symbol.asyncDispose]()
})

const place = async (prefix = '', page?: number): Promise<Connect> =>
  connectTo(parseLocation((await lab.container(prefix)).url), {}, page)
const { signal } = new AbortController()
const put = (connect: Connect, name: string, body: Uint8Array) =>
  connect().putIfAbsent(name, body, { sha256: createHash('sha256').update(body).digest(), signal })

/** The probe lists more than a page of the size that is used; what else is about pages needs no thousands of objects. */
const page = 100
storeContract('Azurite', async () => ({ connect: await place('', page), page }))

describe('Azurite as an Azure store', () => {
  it('passes the litmus probe', async () => {
    const connect = await place('vms/')
    // Azurite is slow: as many objects as make two pages, and a pack of the usual size.
    const size = { ...FULL_PROBE, objects: 10, rounds: 10, listed: 1_010, largest: 32 * MiB }
    const report = await probeStore([connect(), connect()], size)
    expect(report.checks.filter(({ passed }) => !passed)).toEqual([])
    expect(await listAll(connect(), '')).toEqual([])
  })

  it('continues a listing at any name, also on a connection that has not begun it', async () => {
    const connect = await place('', page)
    const names = Array.from({ length: 110 }, (_, index) => `sess/${String(index).padStart(5, '0')}`)
    for (let at = 0; at < names.length; at += 50) {
      await Promise.all(names.slice(at, at + 50).map((name) => put(connect, name, Buffer.from('x'))))
    }
    for (const cursor of ['sess/00000', 'sess/00098', 'sess/00099', 'sess/00105', 'sess/00109']) {
      const { objects } = await connect().list('sess/', cursor)
      expect(objects.map(({ name }) => name)).toEqual(names.filter((name) => name > cursor).slice(0, objects.length))
      expect(objects.length > 0).toBe(cursor !== 'sess/00109')
    }
  })

  it('says which container is missing', async () => {
    const { container, url } = await lab.container()
    const location = parseLocation(url.replace(container, 'hf-nowhere'))
    const missing = { code: 'RepositoryMissing', hint: expect.stringContaining('hf-nowhere') as string }
    await expect(connectTo(location)().head('fmt')).rejects.toMatchObject(missing)
    await expect(foreignEntries(location)).rejects.toMatchObject(missing)
  })

  it('says that the key is wrong without showing it', async () => {
    const { url } = await lab.container()
    process.env['HOLDFAST_TEST_KEY'] = Buffer.alloc(64, 7).toString('base64')
    const connect = connectTo(parseLocation(url.replace(/credentials=[^&]*/, 'credentials=env:HOLDFAST_TEST_KEY')))
    const error: unknown = await connect()
      .list('')
      .then(
        () => undefined,
        (thrown: unknown) => thrown,
      )
    expect(error).toMatchObject({ code: 'StoreDenied' })
    expect(JSON.stringify(error)).not.toContain(process.env['HOLDFAST_TEST_KEY'])
  })

  it('has what it had saved after kill -9', async () => {
    const connect = await place()
    const bodies = Array.from({ length: 8 }, () => randomBytes(300_000))
    for (const [index, body] of bodies.entries()) await put(connect, `pack/00/${index}`, body)
    await sleep(SAVED_MS)
    await lab.process.kill()
    await lab.process.start()
    expect(await listAll(connect(), 'pack/')).toHaveLength(bodies.length)
    for (const [index, body] of bodies.entries()) {
      expect(body.equals(await connect().get(`pack/00/${index}`, 300_000, signal))).toBe(true)
    }
  })
})
