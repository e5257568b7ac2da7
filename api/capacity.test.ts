import { afterEach, beforeEach, expect, test } from 'vitest'
import type { UsageRecord } from '../catalog/index.ts'
import { aPoint, aRun, aVm, pointIdOf } from '../catalog/testing.ts'
import { bench, type Bench } from './testing/bench.ts'

let here: Bench
beforeEach(() => void (here = bench()))
afterEach(() => here[Symbol.dispose]())

const day = 86_400_000
const GiB = 2 ** 30

function measure(over: Partial<UsageRecord> = {}): void {
  here.catalog.repositories.recordUsage('main', {
    measuredMs: here.clock.ms,
    points: 9,
    series: 2,
    packs: 12,
    storedBytes: 100 * GiB,
    uniqueBytes: 200 * GiB,
    logicalBytes: 400 * GiB,
    capacityBytes: 300 * GiB,
    freeBytes: 200 * GiB,
    ...over,
  })
}

/** Each day a GiB more. */
function measureDaily(days: number): void {
  for (let n = 0; n < days; n += 1) {
    measure({ storedBytes: (100 + n) * GiB, freeBytes: (200 - n) * GiB })
    if (n < days - 1) here.clock.ms += day
  }
}

interface Forecast {
  readonly state: string
  readonly perDay: number | null
  readonly fullMs: number | null
  readonly samples: number
}

test('whatever measures a repository leaves a sample, and the samples a forecast', async () => {
  measure()
  const [first] = (await here.get<{ items: { forecast: Forecast }[] }>('/api/v1/capacity')).items
  expect(first?.forecast).toMatchObject({ state: 'too-few', fullMs: null, samples: 1 })

  measureDaily(30)
  const one = await here.get<{ forecast: Forecast; storedShare: number; samples: object[] }>('/api/v1/capacity/main')
  expect(one).toMatchObject({ storedShare: 129 / 400, forecast: { state: 'growing', perDay: GiB, samples: 30 } })
  expect(one.samples).toHaveLength(30)
  const today = Math.floor(here.clock.ms / day) * day
  expect(one.forecast.fullMs).toBe(today + 171 * day)
})

test('a repository that is full within two months wants attention, and its metric says when', async () => {
  measureDaily(20)
  const titles = async (): Promise<string[]> =>
    (await here.get<{ needsYou: { kind: string; title: string }[] }>('/api/v1/overview')).needsYou
      .filter(({ kind }) => kind === 'filling')
      .map(({ title }) => title)
  expect(await titles()).toEqual([])
  measure({ storedBytes: 119 * GiB, freeBytes: 30 * GiB })
  expect(await titles()).toEqual([expect.stringMatching(/^main is full by 20\d\d-\d\d-\d\d$/)])
})

test('a repository with less than a twentieth of its room left is critical whatever it grows by, and full is called full', async () => {
  const found = async () =>
    (
      await here.get<{ needsYou: { kind: string; severity: string; title: string; action: { command: string } }[] }>(
        '/api/v1/overview',
      )
    ).needsYou.filter(({ kind }) => kind === 'filling')
  // Registered yesterday: nobody knows how it grows.
  measure({ storedBytes: 285 * GiB, freeBytes: 15 * GiB })
  expect(await found()).toEqual([])
  measure({ storedBytes: 286 * GiB, freeBytes: 14 * GiB })
  const [almost] = await found()
  expect(almost).toMatchObject({
    severity: 'failed',
    title: expect.stringMatching(/^main is almost full: 14.* GiB of 300.* GiB left$/) as string,
  })
  measure({ storedBytes: 300 * GiB, freeBytes: 0 })
  expect(await found()).toMatchObject([{ severity: 'failed', title: 'main is full' }])
})

test('what more VMs would need is told month by month, and when there is no room for them', async () => {
  measureDaily(30)
  const ask = async (body: object) =>
    (await here.call('POST', '/api/v1/capacity/main/what-if', body)).json() as Promise<{
      fullMs: number | null
      storedShare: number
      keep: string
      marks: { expectedBytes: number; addedBytes: number; neededBytes: number }[]
    }>
  const little = await ask({ vms: 1, bytesPerVm: GiB, headroom: 0 })
  expect(little).toMatchObject({ storedShare: 0.5, changeShare: 0.08, measuredVms: 0 })
  expect(little.marks).toHaveLength(14)
  expect(little.marks[0]).toMatchObject({ expectedBytes: 129 * GiB, addedBytes: GiB / 2 })
  expect(little.fullMs).toBeGreaterThan(here.clock.ms + 150 * day)
  const much = await ask({ vms: 10, bytesPerVm: 100 * GiB })
  expect(much.fullMs).toBe(here.clock.ms)
  expect((await here.call('POST', '/api/v1/capacity/main/what-if', { vms: 0, bytesPerVm: 1 })).status).toBe(400)
})

test('what nobody said is what the VMs here were measured to do, as soon as there are three', async () => {
  measureDaily(30)
  const vms = ['a', 'b', 'c'].map((name) => aVm(name, { disks: [{ ...aVm(name).disks[0], size: 100 * GiB }] as never }))
  here.catalog.vms.recordDiscovered('lab', 'listing-9', vms)
  const ids = ['a', 'b', 'c']
  for (const [n, vmId] of ids.entries())
    here.catalog.points.record(
      aPoint(n + 50, {
        ...{ vmId, createdMs: here.clock.ms - day },
        disks: aPoint(1).disks.map((disk, at) => ({
          ...{ ...disk, mode: 'incremental' as const },
          ...(at === 0 ? { readBytes: 2 * GiB, newBytes: GiB / 2 } : { readBytes: 0, newBytes: 0 }),
        })),
      }),
    )
  const found = (await (
    await here.call('POST', '/api/v1/capacity/main/what-if', { vms: 1, bytesPerVm: 100 * GiB, headroom: 0 })
  ).json()) as object
  expect(found).toMatchObject({ changeShare: 0.02, storedShare: 0.25, measuredVms: 3 })
  const said = { vms: 1, bytesPerVm: GiB, changeShare: 0.1, storedShare: 0.9 }
  expect(await (await here.call('POST', '/api/v1/capacity/main/what-if', said)).json()).toMatchObject({
    ...{ changeShare: 0.1, storedShare: 0.9 },
  })
})

/** RFC 4180, read by its own rules and not by those of the writer. */
function readCsv(text: string): { readonly [column: string]: string }[] {
  const rows: string[][] = []
  let row: string[] = []
  let cell = ''
  let quoted = false
  for (let at = 0; at < text.length; at += 1) {
    const c = text[at] ?? ''
    if (quoted) {
      if (c !== '"') cell += c
      else if (text[at + 1] === '"') {
        cell += '"'
        at += 1
      } else quoted = false
    } else if (c === '"' && cell === '') quoted = true
    else if (c === ',') {
      row.push(cell)
      cell = ''
    } else if (c === '\r' && text[at + 1] === '\n') {
      rows.push([...row, cell])
      row = []
      cell = ''
      at += 1
    } else if (c === '\n' || c === '"') throw new Error(`a bare ${JSON.stringify(c)} at ${at}`)
    else cell += c
  }
  if (cell !== '' || row.length > 0) throw new Error('the last line has no end')
  const [head = [], ...rest] = rows
  return rest.map((values) => {
    if (values.length !== head.length) throw new Error(`${values.length} cells under ${head.length} heads`)
    return Object.fromEntries(head.map((name, index) => [name, values[index] ?? '']))
  })
}

async function csv(path: string): Promise<{ readonly [column: string]: string }[]> {
  const response = await here.call('GET', `/api/v1/exports/${path}`)
  expect(response.status).toBe(200)
  expect(response.headers.get('content-type')).toBe('text/csv; charset=utf-8')
  expect(response.headers.get('content-disposition')).toMatch(
    /^attachment; filename="holdfast-[a-z-]+-20\d\d-\d\d-\d\d\.csv"$/,
  )
  return readCsv(await response.text())
}

test('lists are files that open: quotes, line ends and what looks like a formula included', async () => {
  const { catalog, clock } = here
  for (let n = 1; n <= 450; n += 1) {
    catalog.points.record(aPoint(n, { createdMs: clock.ms - n * 3_600_000 }))
    catalog.runs.started(aRun(n, { requestedUser: n === 1 ? '=SUM(A1)' : 'ann', startedMs: clock.ms - n * 60_000 }))
    const summary = n === 2 ? 'a "word", and\r\nanother line' : 'fine'
    catalog.runs.observe(`run-${n}`, { state: 'completed', endedMs: clock.ms, summary, bytesRead: n })
  }
  measureDaily(3)
  const runs = await csv('runs')
  expect(runs).toHaveLength(450)
  expect(new Set(runs.map(({ run }) => run)).size).toBe(450)
  const by = (run: string) => runs.find((row) => row['run'] === run)
  expect(by('run-1')).toMatchObject({ requested_by: "'=SUM(A1)", bytes_read: '1', kind: 'backup', vm: 'web-01' })
  expect(by('run-2')).toMatchObject({ summary: 'a "word", and\r\nanother line', error: '' })

  const points = await csv('points')
  expect(points).toHaveLength(450)
  expect(points[0]).toMatchObject({ point: pointIdOf(1), logical_bytes: String(2 ** 31 + 2 ** 30), change: '' })
  const since = clock.ms - 2 * day - 10 * 3_600_000
  expect(await csv(`points?sinceMs=${since}`)).toHaveLength(10)

  expect(await csv('protection')).toMatchObject([{ vm: 'web-01', state: expect.any(String) as string }])
  expect(await csv('usage')).toMatchObject([{ repository: 'main', vm: 'web-01', points: '450' }])
  expect((await csv('capacity')).map(({ stored_bytes: bytes }) => Number(bytes) / GiB)).toEqual([100, 101, 102])

  const { items } = await here.get<{ items: { vm: string }[] }>('/api/v1/exports/usage?format=json')
  expect(items).toMatchObject([{ vm: 'web-01', points: 450 }])
})

test('what each VM has is looked at once a day and told by month, with its mean and its most', async () => {
  const { catalog, clock } = here
  const atNoon = (day: string) => (clock.ms = Date.parse(`${day}T12:00:00Z`))
  const first = aPoint(1, { createdMs: Date.parse('2026-11-28T02:00:00Z') })
  catalog.points.record(first)
  atNoon('2026-11-29')
  expect(catalog.workloadUsage.look('main')).toBe(true)
  clock.ms += 3_600_000
  expect(catalog.workloadUsage.look('main')).toBe(false)
  catalog.points.record(aPoint(2, { createdMs: first.createdMs + 1 }))
  atNoon('2026-11-30')
  expect(catalog.workloadUsage.look('main')).toBe(true)
  // Set back: no day counts twice.
  atNoon('2026-11-29')
  expect(catalog.workloadUsage.look('main')).toBe(false)
  atNoon('2026-12-01')
  expect(catalog.workloadUsage.look('main')).toBe(true)
  const rows = await csv('usage-months')
  const { newBytes: one, logicalBytes } = catalog.points.get(first.id)
  expect(rows).toMatchObject([
    {
      ...{ month: '2026-11', days: '2', points: '2', logical_bytes: String(logicalBytes) },
      ...{ stored_bytes: String(2 * one), mean_stored_bytes: String(1.5 * one), most_stored_bytes: String(2 * one) },
    },
    { month: '2026-12', vm: 'web-01', days: '1', points: '2', stored_bytes: String(2 * one) },
  ])
  const all = { sinceMs: 0, untilMs: Infinity }
  const half = catalog.workloadUsage.list('main', { limit: 1 }, all)
  const rest = catalog.workloadUsage.list('main', { limit: 1, cursor: half.nextCursor ?? undefined }, all)
  expect([half, rest].map(({ items, total }) => [items[0]?.month, total])).toEqual([
    ['2026-11', 2],
    ['2026-12', 2],
  ])
  expect(rest.nextCursor).toBeNull()
  expect(await csv(`usage-months?untilMs=${Date.parse('2026-12-01')}`)).toMatchObject([{ month: '2026-11' }])
  expect(await csv(`usage-months?sinceMs=${Date.parse('2026-12-01')}`)).toMatchObject([{ month: '2026-12' }])
})
