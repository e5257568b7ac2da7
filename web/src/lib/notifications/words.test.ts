import { expect, it } from 'vitest'
import { breakable, channelLook, incidentLook, sentenceOf, toldOf } from './words.ts'

const channel = (failing: { sinceMs: number; error: null } | null = null, enabled = true) =>
  ({ kind: 'slack', enabled, failing }) as const

it('the head says whether anybody would hear of it', () => {
  expect(sentenceOf(0, [channel()])).toBe('Nothing wants attention. The channel takes messages.')
  expect(sentenceOf(1, [])).toBe('1 thing wants attention. Nobody is told of it: there is no channel that is on.')
  expect(sentenceOf(2, [channel({ sinceMs: 1, error: null })])).toBe(
    '2 things want attention. No message gets through.',
  )
  expect(sentenceOf(2, [channel({ sinceMs: 1, error: null }), channel()])).toContain('1 of 2 channels takes nothing')
  // One that is off, or only pinged, tells nobody.
  expect(sentenceOf(0, [channel(null, false), { ...channel(), kind: 'dead-man' }])).toContain('Nobody is told')
})

it('a channel that is switched off is not shown as failing', () => {
  expect(channelLook(channel({ sinceMs: 1, error: null })).tone).toBe('fail')
  expect(channelLook(channel({ sinceMs: 1, error: null }, false)).tone).toBe('idle')
})

it('what is over is shown as over, and what a newer server tells by its severity', () => {
  const kind = { kind: 'of tomorrow', severity: 'critical' } as const
  expect(incidentLook({ ...kind, recoveredMs: null, endedBy: null })).toMatchObject({ tone: 'fail', word: 'Critical' })
  expect(incidentLook({ ...kind, recoveredMs: 5, endedBy: null })).toMatchObject({ tone: 'ok', word: 'Recovered' })
  expect(incidentLook({ ...kind, recoveredMs: 5, endedBy: 'x' })).toMatchObject({ tone: 'idle', word: 'Ended' })
  expect(incidentLook({ kind: 'overdue', severity: 'critical', recoveredMs: null, endedBy: null }).word).toBe('Overdue')
})

it('a route is said in words, with its zone only where a time is in it', () => {
  const route = { severity: 'warning', tags: ['erp'], quiet: null, digestAt: null, timeZone: 'UTC' } as const
  expect(toldOf({ kind: 'mail', route: { ...route, tags: [...route.tags] } })).toBe('everything of erp')
  const night = { ...route, tags: [], quiet: { start: '22:00', end: '07:00' }, digestAt: '08:00' }
  expect(toldOf({ kind: 'mail', route: night })).toBe(
    'everything; only what is critical from 22:00 to 07:00; a summary of the day at 08:00 (UTC)',
  )
})

it('breaks a place where its parts end, never in a word', () => {
  expect(breakable('file:/root/.holdfast/secrets/ping')).toEqual(['file:/', 'root/', '.holdfast/', 'secrets/', 'ping'])
  expect(breakable('https://wall.example.org/hook?a=b')).toEqual(['https://', 'wall.example.org/', 'hook?', 'a=', 'b'])
  expect(breakable('a@b.example, c@d.example').join('')).toBe('a@b.example, c@d.example')
})
