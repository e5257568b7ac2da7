import { afterEach, beforeEach, expect, test } from 'vitest'
import { aDrill, aPoint, aRun } from '../../catalog/testing.ts'
import { bench, type Bench } from '../testing/bench.ts'

let here: Bench
beforeEach(() => void (here = bench()))
afterEach(() => here[Symbol.dispose]())

const day = 86_400_000

function history(): void {
  const { catalog, clock } = here
  for (const [n, days] of [0, 2, 6, 12, 29].entries())
    catalog.points.record(aPoint(n + 1, { createdMs: clock.ms - days * day, validatedMs: clock.ms - days * day }))
  for (const [n, days] of [1, 9].entries()) {
    const run = aRun(n + 1, { startedMs: clock.ms - days * day - 1000 })
    catalog.runs.started(run)
    catalog.runs.observe(run.runId, { state: 'failed', endedMs: clock.ms - days * day })
  }
  catalog.drills.record(
    aDrill('20261115t080000', { endedMs: clock.ms - 3 * day, startedMs: clock.ms - 3 * day - 1000 }),
  )
}

interface Report {
  readonly title: string
  readonly lead: string
  readonly points: number
  readonly failedBackups: number
  readonly drillsPassed: number
  readonly proven: number
}
const report = (period: string): Promise<Report> => here.get(`/api/v1/reports/protection?period=${period}`)

test('a week and a month count what happened in them', async () => {
  history()
  expect(await report('week')).toMatchObject({
    title: '1 of 1 VMs inside their RPO',
    ...{ points: 3, failedBackups: 1, drillsPassed: 1, proven: 1 },
  })
  expect(await report('month')).toMatchObject({ points: 5, failedBackups: 2 })
  expect((await report('week')).lead).toMatch(/^3 points in seven days, .* new; 1 backup failed; 1 of 1 drills passed;/)
  expect((await here.call('GET', '/api/v1/reports/protection?period=year')).status).toBe(400)
})

test('the page stands by itself, and a name is never markup', async () => {
  history()
  here.catalog.repositories.add({
    ...{ name: '<img src=x onerror=alert(1)>', site: 'local', credentialRef: 'file:/s' },
    location: { kind: 'posix', path: '/srv/second' },
  })
  const response = await here.call('GET', '/api/v1/reports/protection?format=html')
  expect(response.headers.get('content-type')).toMatch(/^text\/html/)
  expect(response.headers.get('content-security-policy')).toContain("default-src 'none'")
  const page = await response.text()
  expect(page.startsWith('<!doctype html>')).toBe(true)
  expect(page).toContain('Weekly protection report of')
  expect(page).toContain('&lt;img src=x onerror=alert(1)&gt;')
  expect(page).not.toMatch(/<(script|img|link|iframe)/)
})
