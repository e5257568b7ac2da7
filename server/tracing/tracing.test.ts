import { readFileSync, readdirSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { HoldfastError } from '../../base/index.ts'
import { aRun, furnish, testCatalog, testNow, type TestCatalog } from '../../catalog/testing.ts'
import { toRunbook, type Runbook, type RunFacts, type RunHistory } from '../../runbook/index.ts'
import { traceKeeper, tracingConfig } from './index.ts'
import { traceOf, type TraceRequest } from './spans.ts'

const { signal } = new AbortController()
const folder = fileURLToPath(new URL('../../tests/histories/', import.meta.url))
const facts: RunFacts = {
  ...{ vmName: 'erp-db-01', repositoryName: 'main', platform: 'qemu', driverEvidence: 'verified' },
  ...{ pollers: {}, nowMs: testNow },
}
const books = readdirSync(folder)
  .filter((name) => name.endsWith('.json'))
  .map((name): [string, Runbook] => {
    const { history } = JSON.parse(readFileSync(folder + name, 'utf8')) as { history: RunHistory }
    return [name, toRunbook(history, [], facts)]
  })
const some = { vmId: 'web-01', repositoryId: 'main', bytesRead: 2 ** 40, bytesStored: null }
const by = { resource: { 'service.name': 'holdfast' }, version: '0.1.0' }
const spansOf = (request: TraceRequest) => request.resourceSpans[0]?.scopeSpans[0]?.spans ?? []

describe('where traces go', () => {
  test('is nowhere unless it is said, and as the variables of OpenTelemetry say it', () => {
    expect(tracingConfig({})).toBeNull()
    const base = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318/' }
    expect(tracingConfig({ ...base, OTEL_SDK_DISABLED: 'true' })).toBeNull()
    expect(tracingConfig(base)).toEqual({
      url: 'http://127.0.0.1:4318/v1/traces',
      ...{ headers: {}, resource: { 'service.name': 'holdfast' } },
    })
    expect(
      tracingConfig({
        ...base,
        OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://traces.example.org/in',
        OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20abc, x-tenant=lyon',
        OTEL_RESOURCE_ATTRIBUTES: 'service.name=backup,deployment.environment=lab',
      }),
    ).toEqual({
      url: 'https://traces.example.org/in',
      headers: { authorization: 'Bearer abc', 'x-tenant': 'lyon' },
      resource: { 'service.name': 'backup', 'deployment.environment': 'lab' },
    })
  })

  test('is refused where it cannot be done', () => {
    const endpoint = 'http://127.0.0.1:4317'
    const grpc = { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }
    expect(() => tracingConfig(grpc)).toThrow('cannot be sent by grpc')
    expect(() => tracingConfig({ OTEL_EXPORTER_OTLP_ENDPOINT: '127.0.0.1:4318' })).toThrow(HoldfastError)
  })
})

test.each(books)('the trace of %s is a tree whose times hold, and the same whenever it is made', (_, book) => {
  const spans = spansOf(traceOf(book, some, by))
  const ids = new Set(spans.map(({ spanId }) => spanId))
  expect(ids.size).toBe(spans.length)
  expect(spans.filter(({ parentSpanId }) => parentSpanId === undefined)).toHaveLength(1)
  expect(spans.every(({ parentSpanId }) => parentSpanId === undefined || ids.has(parentSpanId))).toBe(true)
  expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1)
  for (const { traceId, spanId, startTimeUnixNano, endTimeUnixNano } of spans) {
    expect([traceId, spanId].join('/')).toMatch(/^[0-9a-f]{32}\/[0-9a-f]{16}$/)
    expect(BigInt(endTimeUnixNano)).toBeGreaterThanOrEqual(BigInt(startTimeUnixNano))
  }
  expect(traceOf(book, some, by)).toEqual(traceOf(book, some, by))
})

test('a failed run says so with its reason, and its failed attempts are events', () => {
  const failed = books.find(([, { state }]) => state === 'failed')?.[1]
  if (failed === undefined) throw new Error('no history of a failed run')
  const [root] = spansOf(traceOf(failed, some, by))
  expect(root?.status).toEqual({ code: 2, message: failed.error?.message })
  expect(root?.attributes).toContainEqual({ key: 'holdfast.bytes_read', value: { intValue: String(2 ** 40) } })
  const events = books.flatMap(([, book]) => spansOf(traceOf(book, some, by)).flatMap((span) => span.events ?? []))
  expect(events.length).toBeGreaterThan(0)
  expect(events.every(({ name }) => name === 'exception')).toBe(true)
})

describe('a collector', () => {
  let here: TestCatalog
  let server: Server
  let url: string
  let status: number
  let got: { readonly headers: IncomingHttpHeaders; readonly body: TraceRequest }[]
  let words: string[]
  const book = books[0]?.[1] as Runbook
  beforeEach(async () => {
    here = testCatalog()
    furnish(here.catalog)
    status = 200
    got = []
    words = []
    server = createServer((request, response) => {
      let text = ''
      request.on('data', (piece) => (text += String(piece)))
      request.on('end', () => {
        if (status === 200) got.push({ headers: request.headers, body: JSON.parse(text) as TraceRequest })
        response.writeHead(status).end('{}')
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces`
  })
  afterEach(async () => {
    here[Symbol.dispose]()
    await new Promise<void>((resolve) => void server.close(() => resolve()))
  })

  const keeper = (runbook: (runId: string) => Runbook = (runId) => ({ ...book, runId, endedMs: testNow })) =>
    traceKeeper(
      { url, headers: { authorization: 'Bearer abc' }, resource: { 'service.name': 'holdfast' } },
      {
        ...{ catalog: here.catalog, version: '0.1.0', now: () => here.clock.ms },
        live: { runbook: async ({ runId }) => runbook(runId) },
        log: { info: (_, text) => void words.push(text), warn: (_, text) => void words.push(text) },
      },
    )
  const end = (n: number): void => {
    here.catalog.runs.started(aRun(n))
    here.catalog.runs.observe(`run-${n}`, { state: 'completed', endedMs: here.clock.ms })
  }

  test('is told each ended run once, with the headers that were said', async () => {
    const traces = keeper()
    here.catalog.runs.started(aRun(1))
    expect(await traces.tick(signal)).toBe(true)
    expect(got).toEqual([])
    end(2)
    await traces.tick(signal)
    here.catalog.events.publish('run', 'run-2')
    await traces.tick(signal)
    expect(got).toHaveLength(1)
    expect(got[0]?.headers).toMatchObject({ authorization: 'Bearer abc', 'content-type': 'application/json' })
    expect(spansOf(got[0]?.body ?? { resourceSpans: [] }).length).toBeGreaterThan(3)
  })

  test('that is away gets them when it is back, and is told of once', async () => {
    const traces = keeper()
    status = 503
    end(1)
    end(2)
    for (let n = 0; n < 3; n += 1) expect(await traces.tick(signal)).toBe(false)
    status = 200
    expect(await traces.tick(signal)).toBe(true)
    expect(got).toHaveLength(2)
    expect(words).toEqual(['traces are not taken; they wait', 'traces are taken again'])
  })

  test('that refuses one is not asked again, and a run without a history holds up no other', async () => {
    const traces = keeper((runId) => {
      if (runId === 'run-2') throw new HoldfastError('NotFound', 'its history is gone')
      return { ...book, runId, endedMs: testNow }
    })
    status = 400
    end(1)
    await traces.tick(signal)
    status = 200
    end(2)
    end(3)
    expect(await traces.tick(signal)).toBe(true)
    expect(got).toHaveLength(1)
    expect(words).toEqual(['the collector refuses the trace of a run'])
  })

  test('is told a run only when its history has its end', async () => {
    let endedMs: number | null = null
    const traces = keeper((runId) => ({ ...book, runId, endedMs }))
    end(1)
    await traces.tick(signal)
    expect(got).toEqual([])
    endedMs = testNow
    await traces.tick(signal)
    expect(got).toHaveLength(1)
  })
})
