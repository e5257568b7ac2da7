import { afterEach, beforeEach, expect, test } from 'vitest'
import { bench, type Bench } from '../api/testing/bench.ts'
import { aPoint } from '../catalog/testing.ts'
import { ran } from './testing.ts'

let here: Bench
let out = ''
let err = ''
beforeEach(() => void (here = bench()))
afterEach(() => here[Symbol.dispose]())

async function holdfast(line: string, away = false): Promise<number> {
  const failing = { fetch: () => Promise.reject(new TypeError('fetch failed')) }
  const it = await ran(here, line.split(' '), away ? failing : {})
  ;({ out, err } = it)
  return it.code
}

test('a channel is made, listed, tested and removed', async () => {
  const set =
    'channels set on-call --kind ntfy --url https://ntfy.example/topic --quiet-hours 22:00-07:00 --tag erp --severity critical'
  expect([await holdfast(set), err]).toEqual([0, ''])
  expect(here.catalog.alerts.channel('on-call')).toMatchObject({
    kind: 'ntfy',
    route: { severity: 'critical', tags: ['erp'], quiet: { start: '22:00', end: '07:00' } },
  })
  await holdfast('channels')
  expect(out).toContain('critical, of erp, quiet 22:00-07:00')
  expect(await holdfast('channels test on-call')).toBe(0)
  expect(here.sent).toHaveLength(1)
  expect(await holdfast('channels rm on-call')).toBe(0)
  expect(await holdfast('channels rm on-call')).toBe(4)
})

test('hours that are none are refused before anything is asked', async () => {
  expect(await holdfast('channels set x --kind webhook --url https://hook.example --quiet-hours late')).toBe(2)
  expect(err).toContain('22:00-07:00')
})

test('what wants attention is listed, and what has recovered on request', async () => {
  await holdfast('alerts')
  expect(out).toContain('Nothing wants attention')
  const incident = {
    kind: 'overdue',
    severity: 'critical',
    detail: '',
    command: null,
    subject: null,
    part: null,
    tags: [],
  } as const
  here.catalog.alerts.observe([{ ...incident, key: 'a', title: 'web-01 is overdue' }], () => null)
  await holdfast('alerts')
  expect(out).toContain('web-01 is overdue')
  here.catalog.alerts.observe([], () => ({ endedBy: 'it was put up with' }))
  await holdfast('alerts')
  expect(out).not.toContain('web-01 is overdue')
  await holdfast('alerts --all')
  expect(out).toMatch(/ended .*web-01 is overdue.*it was put up with/)
})

test('a check is one line with figures, and the exit code of a plugin', async () => {
  // It was found just now: its plan may come to it still.
  expect(await holdfast('check')).toBe(1)
  expect(out).toMatch(/^HOLDFAST WARNING - 1 VM needs you\. web-01 has no recovery point \| vms=1 protected=0 .*\n$/)
  const point = aPoint(1, { createdMs: here.clock.ms })
  here.catalog.points.record(point)
  expect(await holdfast('check')).toBe(0)
  expect(out).toMatch(/^HOLDFAST OK - The one VM is inside its RPO\. \| vms=1 protected=1 /)
  // One that lost its points is no new one.
  here.catalog.points.recordGone(point.id, here.clock.ms)
  expect(await holdfast('check')).toBe(2)
  expect(out).toMatch(/^HOLDFAST CRITICAL - 1 VM needs you\. web-01 has no recovery point \| /)
  here.catalog.points.recordFound(point.id, here.clock.ms)
  here.engine.away = true
  expect(await holdfast('check')).toBe(3)
})

test('a server that is away is unknown, on the same line', async () => {
  expect(await holdfast('check', true)).toBe(3)
  expect(out).toMatch(/^HOLDFAST UNKNOWN - .*\n$/)
})
