import { expect, test } from 'vitest'
import { MiB } from '../../base/index.ts'
import { summaryOf, summaryText } from './summary.ts'
import { isProven, nothingMeasured, unproven, type DemoFacts, type PointFacts } from './proven.ts'

const full: PointFacts = {
  id: '1',
  mode: 'full',
  validated: true,
  consistency: 'filesystem',
  logicalBytes: 2560 * MiB,
  readBytes: 300 * MiB,
  newBytes: 200 * MiB,
  freezeDurationMs: 40,
}
const second: PointFacts = { ...full, id: '2', mode: 'incremental' }
const good: DemoFacts = {
  durations: { full: 1000 },
  points: [full, second],
  resume: { killedPid: 7, journalSourceBytes: 32 * MiB, bytesResumed: 160 * MiB, bytesReadAgain: 40 * MiB },
  frozenMs: 40,
  verify: { level: 'full', points: 2, chunks: 400, damages: 0, quarantined: 0, notes: [] },
  restore: { identical: true, logicalBytes: 2560 * MiB, writtenBytes: 600 * MiB, writeMs: 3000, durationMs: 5000 },
  drill: { verdict: 'passed', rtoSeconds: 20, screenshot: '/api/v1/evidence/1', genuine: true },
  ratios: { dedup: 1.2, compression: 1.3 },
  throughput: { fullBytesPerSecond: 1, incrementalBytesPerSecond: 1, restoreBytesPerSecond: 1 },
}

test('a demo in which all was seen is proven', () => {
  expect(unproven(good)).toEqual([])
  expect(isProven(good)).toBe(true)
})

test('a demo that measured nothing bears out no claim', () => {
  expect(isProven(nothingMeasured)).toBe(false)
  expect(unproven(nothingMeasured)).toHaveLength(11)
})

test('a freeze that took too long is told with its bar and its figure', () => {
  const told = 'the undisturbed full backup froze the guest for at most 300 ms: it was 412 ms'
  expect(unproven({ ...good, frozenMs: 412 })).toEqual([told])
  expect(unproven({ ...good, frozenMs: 300 })).toEqual([])
})

test('what was read again and could not be measured is unknown, not nothing', () => {
  const blind = { ...good, resume: { ...good.resume, bytesReadAgain: null } }
  expect(summaryText(summaryOf(blind))).toContain(
    '160 MiB of the disks stayed done, how much was read again is unknown',
  )
  expect(summaryText(summaryOf(good))).toContain('40.0 MiB read again')
})

const { resume, verify, restore, drill, ratios, throughput } = good
const flips: readonly (readonly [what: string, facts: Partial<DemoFacts>])[] = [
  ['no point', { points: [] }],
  ['one point only', { points: [full] }],
  ['a second point that is full', { points: [full, { ...second, mode: 'full' }] }],
  ['a first point that is incremental', { points: [second, second] }],
  ['a full point that is not validated', { points: [{ ...full, validated: false }, second] }],
  ['a second point that is not validated', { points: [full, { ...second, validated: false }] }],
  ['a full point that is only crash-consistent', { points: [{ ...full, consistency: 'crash' }, second] }],
  ['a second point that is only crash-consistent', { points: [full, { ...second, consistency: 'crash' }] }],
  ['a full point without a freeze', { points: [{ ...full, freezeDurationMs: null }, second] }],
  ['a second point without a freeze', { points: [full, { ...second, freezeDurationMs: null }] }],
  ['no freeze measured', { frozenMs: null }],
  ['a freeze that took too long', { frozenMs: 301 }],
  ['nobody killed', { resume: { ...resume, killedPid: null } }],
  ['nothing resumed', { resume: { ...resume, bytesResumed: 0 } }],
  ['resumption not measured', { resume: { ...resume, bytesResumed: null } }],
  ['too much read again', { resume: { ...resume, bytesReadAgain: 64 * MiB + 1 } }],
  ['reading again not measured', { resume: { ...resume, bytesReadAgain: null } }],
  ['a quick verify', { verify: { ...verify, level: 'quick' } }],
  ['a verify that saw one point', { verify: { ...verify, points: 1 } }],
  ['a verify that saw no chunk', { verify: { ...verify, chunks: 0 } }],
  ['a damage', { verify: { ...verify, damages: 1 } }],
  ['a quarantined pack', { verify: { ...verify, quarantined: 1 } }],
  ['a note of verify', { verify: { ...verify, notes: ['pack/0/1 was wrong once'] } }],
  ['a verify that did not end', { verify: { ...verify, damages: null } }],
  ['a restored disk that differs', { restore: { ...restore, identical: false } }],
  ['no comparison', { restore: { ...restore, identical: null } }],
  ['a failed drill', { drill: { ...drill, verdict: 'failed' } }],
  ['no recovery time', { drill: { ...drill, rtoSeconds: null } }],
  ['no screenshot', { drill: { ...drill, screenshot: null } }],
  ['a proof that was changed', { drill: { ...drill, genuine: false } }],
  ['no deduplication ratio', { ratios: { ...ratios, dedup: null } }],
  ['no compression ratio', { ratios: { ...ratios, compression: null } }],
  ['no rate of the full backup', { throughput: { ...throughput, fullBytesPerSecond: null } }],
  ['no rate of the incremental backup', { throughput: { ...throughput, incrementalBytesPerSecond: 0 } }],
  ['no rate of the restore', { throughput: { ...throughput, restoreBytesPerSecond: 0 } }],
]

test.each(flips)('%s proves nothing', (_, flipped) => {
  expect(isProven({ ...good, ...flipped })).toBe(false)
})
