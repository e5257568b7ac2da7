import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { millis } from '../../base/index.ts'
import { connectTo } from './location.ts'
import { parseLocation } from './location-url.ts'
import type { ObjectStore } from './store.ts'

/*
 * What goes over the wire for version-level immutability, against the reference of the REST interface (Put Blob, Set Blob
 * Immutability Policy, Set Blob Legal Hold, version 2020-06-12 and later). No server of Azure has answered: Azurite knows none
 * of it, so that this proves what is asked and how the documented answers are understood, and nothing about a store.
 */
interface Asked {
  readonly method: string
  readonly comp: string | null
  readonly version: string | null
  readonly headers: IncomingHttpHeaders
}
interface Answer {
  readonly status: number
  readonly headers?: { readonly [name: string]: string }
}

let folder: string
let server: Server
let asked: Asked[]
let answers: (request: Asked) => Answer
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hf-azure-'))
  writeFileSync(join(folder, 'key'), `${Buffer.alloc(32, 7).toString('base64')}\n`, { mode: 0o600 })
  asked = []
  answers = () => ({ status: 201 })
  server = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://here')
    const { headers, method = '' } = request
    const one = { method, comp: url.searchParams.get('comp'), version: url.searchParams.get('versionid'), headers }
    request.resume().on('end', () => {
      asked.push(one)
      const { status, headers: more } = answers(one)
      response.writeHead(status, { 'x-ms-version': '2021-08-06', date: new Date().toUTCString(), ...more }).end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})
afterEach(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
  rmSync(folder, { recursive: true })
})

function store(mode: 'locked' | 'unlocked' = 'locked'): ObjectStore {
  const { port } = server.address() as AddressInfo
  const endpoint = `http://127.0.0.1:${port}/account`
  const url = `azure://account/vault/vms/?endpoint=${endpoint}&credentials=file:${join(folder, 'key')}&immutability=${mode}`
  return connectTo(parseLocation(url))()
}
const { signal } = new AbortController()
/** Of an object that is there and not locked. */
const there = { 'content-length': '6', 'last-modified': new Date(0).toUTCString(), 'x-ms-version-id': 'v1' }
const body = Buffer.from('a pack')
const until = millis(Date.UTC(2026, 11, 24, 12, 0, 0, 1))
const put = (to: ObjectStore) =>
  to.putIfAbsent('fmt', body, { sha256: createHash('sha256').update(body).digest(), retainUntil: until, signal })

test.each(['locked', 'unlocked'] as const)(
  'an object is %s in the request that makes it, to the second above',
  async (mode) => {
    expect(await put(store(mode))).toBe('created')
    const [made] = asked.filter(({ method }) => method === 'PUT')
    expect(made?.headers).toMatchObject({
      'x-ms-immutability-policy-until-date': 'Thu, 24 Dec 2026 12:00:01 GMT',
      'if-none-match': '*',
      'content-md5': createHash('md5').update(body).digest('base64'),
    })
    expect(made?.headers['x-ms-immutability-policy-mode']?.toString().toLowerCase()).toBe(mode)
  },
)

test('retention is extended and a legal hold is set and ended by requests of their own', async () => {
  answers = ({ method }) => (method === 'PUT' ? { status: 200 } : { status: 200, headers: there })
  await store().extendRetention?.('fmt', until)
  await store().setLegalHold?.('fmt', true)
  await store().setLegalHold?.('fmt', false)
  const puts = asked.filter(({ method }) => method === 'PUT')
  expect(puts.map(({ comp, headers }) => [comp, headers['x-ms-legal-hold']])).toEqual([
    ['immutabilityPolicies', undefined],
    ['legalhold', 'true'],
    ['legalhold', 'false'],
  ])
  expect(puts[0]?.headers).toMatchObject({ 'x-ms-immutability-policy-until-date': 'Thu, 24 Dec 2026 12:00:01 GMT' })
})

test('what keeps an object is read from its properties', async () => {
  answers = () => ({
    status: 200,
    headers: {
      ...there,
      'x-ms-immutability-policy-until-date': 'Thu, 24 Dec 2026 12:00:01 GMT',
      'x-ms-legal-hold': 'true',
    },
  })
  const found = await store().head('fmt')
  expect(found).toMatchObject({ version: 'v1', retainUntil: Date.UTC(2026, 11, 24, 12, 0, 1) })
})

test.each(['BlobImmutableDueToPolicy', 'BlobImmutableDueToLegalHold'])(
  '%s is a lock, and is not tried again',
  async (code) => {
    answers = () => ({ status: 409, headers: { 'x-ms-error-code': code } })
    await expect(store().delete('fmt')).rejects.toMatchObject({ code: 'StoreLocked' })
    expect(asked).toHaveLength(1)
  },
)

test('a right that lacks is named', async () => {
  const refused = { status: 403, headers: { 'x-ms-error-code': 'AuthorizationPermissionMismatch' } }
  answers = ({ method }) => (method === 'PUT' ? refused : { status: 200, headers: there })
  const denied = { code: 'StoreDenied', hint: expect.stringContaining('immutability policy (i)') as string }
  await expect(store().extendRetention?.('fmt', until)).rejects.toMatchObject(denied)
})
