import { expect, it } from 'vitest'
import { newDraft } from './draft.ts'
import {
  endWords,
  farewellEffects,
  localParts,
  memberWords,
  missedSince,
  placeBetween,
  planLook,
  pointWords,
  removalWords,
} from './words.ts'

const plan = { paused: false, vms: 3, outsideRpo: 0, last: null, missed: [] }
const last = {
  runId: 'r',
  workflowId: 'plan/nightly/at',
  state: 'completed',
  trigger: 'schedule',
  startedMs: 100,
  endedMs: 200,
  summary: null,
  vms: { done: 3, failed: 0, total: 3 },
  standsUntil: null,
} as const

it('a plan that takes no VM is no good sign, and a paused one is neither good nor bad', () => {
  expect(planLook({ ...plan, vms: 0 })).toMatchObject({ tone: 'warn', word: 'No VM matches' })
  expect(planLook({ ...plan, paused: true, vms: 0 })).toMatchObject({ tone: 'idle' })
  expect(planLook({ ...plan, outsideRpo: 1 })).toMatchObject({ tone: 'warn', word: '1 outside RPO' })
  expect(planLook(plan)).toMatchObject({ tone: 'ok' })
})

it('a start that did not come is told until the plan has run again', () => {
  const missed = [
    { dueMs: 150, kind: 'missed' as const },
    { dueMs: 50, kind: 'skipped' as const },
  ]
  expect(missedSince({ last, missed })).toEqual([missed[0]])
  expect(planLook({ ...plan, last, missed })).toMatchObject({ tone: 'warn', word: 'Did not start' })
  expect(planLook({ ...plan, last: { ...last, startedMs: 160 }, missed })).toMatchObject({ tone: 'ok' })
})

it('a time on the clocks of the plan is shown as it stands there, whatever the zone of the reader', () => {
  expect(localParts('2026-11-22T02:30:00+01:00')).toEqual({ day: 'Sun 22 Nov', time: '02:30' })
  expect(localParts('2027-01-01T23:59:00-11:00')).toEqual({ day: 'Fri 1 Jan', time: '23:59' })
})

it('a place on the year never leaves it', () => {
  expect([placeBetween(5, 0, 10), placeBetween(-5, 0, 10), placeBetween(50, 0, 10), placeBetween(1, 2, 2)]).toEqual([
    50, 0, 100, 100,
  ])
})

it('a count that changes is said with its repository, other members as the policy file says them', () => {
  const targets = [{ repository: 'main', copy: 'backup', keep: null } as const]
  expect(memberWords('targets.0.keep.monthly', targets)).toBe('monthly on main')
  expect(memberWords('targets.1.keep.monthly', targets)).toBe('targets.1.keep.monthly')
  expect(memberWords('schedule.at', targets)).toBe('start')
  expect(memberWords('retries', targets)).toBe('retries')
})

it('what saving does to points is said with its numbers, and when not all VMs were looked at', () => {
  const removal = { repository: 'main', points: 3, vms: 1, examples: [], lookedAt: 2, ofVms: 2 }
  expect(removalWords([])).toBe('Removes no point.')
  expect(removalWords([{ ...removal, points: 0, vms: 0 }])).toBe('Removes no point.')
  expect(removalWords([removal])).toBe('The next sweep would let 3 points of 1 VM on main go.')
  expect(removalWords([{ ...removal, ofVms: 9 }])).toContain('Of 9 VMs the first 2 were looked at.')
})

it('what the points of a plan are, and what becomes of one that misses it', () => {
  const words = (over: object) => pointWords({ ...newDraft, consistency: 'application', ...over })
  expect(words({ quiesce: 'required' })).toMatch(/application consistent.*a hook .*fails, the backup fails/)
  expect(words({ quiesce: 'preferred' })).toMatch(/a lesser point is made/)
  expect(words({ quiesce: null })).toMatch(/category of the VM requires/)
  expect(words({ quiesce: 'required', consistency: 'filesystem' })).toMatch(/file-system consistent.*Where the freeze/)
  expect(words({ quiesce: 'none' })).toMatch(/^Crash consistent/)
  expect(words({ stopBefore: true })).toMatch(/is off/)
})

it('removing a plan says first what keeps it from being removed, and that its points stay', () => {
  const of = (over: object) =>
    farewellEffects({ unplanned: { total: 0, vms: [] }, followers: [], run: null, ...over }).map(({ text }) => text)
  expect(of({})).toHaveLength(2)
  expect(of({})[0]).toContain('its points stay')
  const vms = [1, 2, 3, 4, 5, 6].map((n) => ({ id: `${n}`, name: `vm-${n}` }))
  expect(of({ unplanned: { total: 9, vms }, followers: ['a', 'b'] }).slice(0, 2)).toEqual([
    'a, b start after it: give them another schedule first',
    'no other plan takes vm-1, vm-2, vm-3, vm-4, vm-5 and 4 more: nobody backs them up',
  ])
})

it('when it would end is said on the clocks of the plan, with the end of its window', () => {
  const next = { atMs: 0, local: '2026-11-22T23:30:00+01:00', utc: '', note: null }
  expect(endWords(3_600_000, next, { end: '06:00' })).toBe(', would end about 00:30; window closes 06:00')
  expect(endWords(3_600_000, next, null)).toBe(', would end about 00:30')
  expect(endWords(3_600_000, undefined, null)).toBe('')
})
