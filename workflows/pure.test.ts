import * as fc from 'fast-check'
import { ActivityCancellationType } from '@temporalio/workflow'
import type { ActivityOptions } from '@temporalio/workflow'
import { describe, expect, it } from 'vitest'
import { GiB, HoldfastError } from '../base/index.ts'
import type { SerializedError } from '../base/index.ts'
import { planParts, rangeOf } from './backup/parts.ts'
import { firstRound, nextRound } from './backup/rounds.ts'
import type { RoundHistory } from './backup/rounds.ts'
import { untried, verdictOf } from './drill/verdict.ts'
import type { DrillInput } from './drill/contract.ts'
import { parseMoveDetails, type MoveDetails } from './shared/heartbeat.ts'
import { attemptsPerStart } from './shared/attempts.ts'
import { profiles } from './shared/options.ts'
import { cut, StepIds } from './shared/steps.ts'

const error = (code: ConstructorParameters<typeof HoldfastError>[0], data?: Record<string, unknown>): SerializedError =>
  new HoldfastError(code, 'm', data === undefined ? {} : { data }).toJSON()

describe('parts', () => {
  it('cover every byte of every disk once, in pieces of at most 256 GiB', () => {
    const disks = fc.array(fc.integer({ min: 1, max: 2 ** 31 }), { minLength: 1, maxLength: 8 })
    fc.assert(
      fc.property(disks, (sizes) => {
        const all = sizes.map((sectors, index) => ({ key: `d${index}` as never, size: sectors * 512 }))
        const parts = planParts(all)
        expect(parts.map(({ part }) => part)).toEqual(parts.map((_, index) => index + 1))
        for (const { key, size } of all) {
          let at = 0
          for (const part of parts.filter(({ disk }) => disk === key)) {
            const { start, end } = rangeOf(part, size)
            expect(start).toBe(at)
            expect(end - start).toBeLessThanOrEqual(256 * GiB)
            at = end
          }
          expect(at).toBe(size)
        }
      }),
    )
  })
})

describe('rounds', () => {
  it('always come to an end, whatever goes wrong in them', () => {
    const trouble = fc.constantFrom(
      error('PointBroken'),
      error('ChangeRefInvalid', { disk: 'a' }),
      error('ChangeRefInvalid', { disk: 'b' }),
      error('ChangeRefInvalid'),
    )
    fc.assert(
      fc.property(fc.array(trouble, { minLength: 12, maxLength: 12 }), (troubles) => {
        let history: RoundHistory | null = firstRound
        let rounds = 0
        for (const it of troubles) {
          if (history === null) break
          history = nextRound(history, it)
          rounds += 1
        }
        expect(history).toBeNull()
        expect(rounds).toBeLessThanOrEqual(6)
      }),
    )
  })
  it('do not follow an error that says nothing about the point', () => {
    expect(nextRound(firstRound, error('StoreFull'))).toBeNull()
    expect(nextRound(firstRound, error('Unsupported'))).toBeNull()
  })
  it('force exactly the disk that is distrusted, with its reason', () => {
    const next = nextRound(firstRound, error('ChangeRefInvalid', { disk: 'a', why: 'epoch-changed' }))
    expect([...(next?.forcedFull ?? [])]).toEqual([['a', 'epoch-changed']])
  })
})

describe('a verdict', () => {
  const asked = (count: number): DrillInput =>
    ({ checks: Array.from({ length: count }, () => ({})), bootTimeoutMs: 1000 }) as unknown as DrillInput
  const said = (passed: boolean) => ({ title: 't', passed, exit: 0, out: '', err: '', count: null, detail: 'd' })
  const anyChecks = fc.array(fc.boolean().map(said), { maxLength: 3 })
  const evidence = fc.record({
    error: fc.option(
      fc.constantFrom('NetworkFailure' as const, 'ChunkLost' as const).map((code) => error(code)),
      {
        nil: null,
      },
    ),
    guest: fc.constantFrom('up' as const, 'silent' as const, 'absent' as const, 'untried' as const),
    checks: anyChecks,
    screenshot: fc.option(fc.constant('e'.repeat(64)), { nil: null }),
  })
  const verdictFor = (wanted: number, seen: Partial<typeof untried>) =>
    verdictOf(asked(wanted), { ...untried, rtoSeconds: 1, ...seen })

  it('is failed wherever a check has failed, whatever else was seen', () => {
    fc.assert(
      fc.property(evidence, anyChecks, fc.nat(4), (seen, more, wanted) => {
        const checks = [...seen.checks, said(false), ...more]
        expect(verdictFor(wanted, { ...seen, checks })).toMatchObject({ verdict: 'failed', checks, rtoSeconds: null })
      }),
    )
  })

  it('is never passed where nothing was checked, or less than was asked for', () => {
    fc.assert(
      fc.property(evidence, fc.nat(3), (seen, missing) => {
        expect(verdictFor(missing, { ...seen, checks: [] }).verdict).not.toBe('passed')
        expect(verdictFor(seen.checks.length + 1 + missing, seen).verdict).not.toBe('passed')
      }),
    )
  })

  it('is never passed after an error or with a guest that was not up', () => {
    fc.assert(
      fc.property(evidence, (seen) => {
        fc.pre(seen.error !== null || seen.guest !== 'up')
        expect(verdictFor(seen.checks.length, seen)).toMatchObject({
          verdict: expect.stringMatching(/^(failed|inconclusive)$/) as string,
          rtoSeconds: null,
        })
      }),
    )
  })

  it('does not get better by seeing less: without one of its checks a drill that has not passed does not pass', () => {
    fc.assert(
      fc.property(evidence, fc.nat(), (seen, at) => {
        fc.pre(seen.checks.length > 0 && verdictFor(seen.checks.length, seen).verdict !== 'passed')
        const checks = seen.checks.filter((_, index) => index !== at % seen.checks.length)
        expect(verdictFor(seen.checks.length, { ...seen, checks }).verdict).not.toBe('passed')
      }),
    )
  })

  it('is passed, with the time it took, when the guest was up and every check asked for has passed', () => {
    for (const count of [1, 2, 3]) {
      const checks = Array.from({ length: count }, () => said(true))
      expect(verdictFor(count, { guest: 'up', checks })).toMatchObject({ verdict: 'passed', rtoSeconds: 1 })
    }
  })

  it('says that nothing was checked, and what broke after a check had failed', () => {
    expect(verdictFor(0, { guest: 'up' }).why).toMatch(/no check looked at what is on its disks/)
    expect(verdictFor(2, { guest: 'up', checks: [said(false)], error: error('NetworkFailure') }).why).toBe(
      't: d; m (NetworkFailure)',
    )
  })
})

describe('the options of steps', () => {
  // Attempts of one start must stay below the first of the next one, or it would supersede its own successor.
  it.each(['mover', 'commit'] as const)('a %s has fewer attempts than a start counts for', (profile) => {
    expect(profiles[profile].retry.maximumAttempts).toBeLessThan(attemptsPerStart)
  })
  it('name how they are cancelled, and when they end', () => {
    const all: { readonly [name: string]: ActivityOptions } = profiles
    for (const [name, profile] of Object.entries(all)) {
      expect(profile.cancellationType, name).toBe(ActivityCancellationType.WAIT_CANCELLATION_COMPLETED)
      const hasEnd = profile.scheduleToCloseTimeout !== undefined || profile.retry?.maximumAttempts !== undefined
      expect(hasEnd, name).toBe(true)
    }
  })
})

it('a verdict fits into a result, however much its checks have said, and says of each whether it passed', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 2_000 })
  const check = fc.record({ title: text, out: text, err: text, detail: text, passed: fc.boolean() })
  const checks = fc.array(check, { maxLength: 32 }).map((all) => all.map((it) => ({ ...it, exit: 0, count: null })))
  fc.assert(
    fc.property(checks, (said) => {
      const input = { checks: said, bootTimeoutMs: 1000 } as unknown as DrillInput
      const result = verdictOf(input, { ...untried, guest: 'up', checks: said })
      expect(new TextEncoder().encode(JSON.stringify(result)).length).toBeLessThan(7_200)
      expect(result.checks.map(({ passed }) => passed)).toEqual(said.map(({ passed }) => passed))
      expect(JSON.stringify(result).isWellFormed()).toBe(true)
    }),
    { numRuns: 30 },
  )
  const short = [{ title: 't', passed: true, exit: 0, out: 'x'.repeat(1_500), err: '', count: null, detail: 'd' }]
  const input = { checks: short, bootTimeoutMs: 1000 } as unknown as DrillInput
  expect(verdictOf(input, { ...untried, guest: 'up', checks: short }).checks).toEqual(short)
})

it('summaries stay within what Temporal takes, and no character is cut in half', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 400 }), (text) => {
      const short = cut(text, 200)
      expect(new TextEncoder().encode(short).length).toBeLessThanOrEqual(200)
      expect(short.isWellFormed()).toBe(true)
    }),
  )
})

it('step ids are unique within a run, and an undoing names its step', () => {
  const ids = new StepIds()
  expect([ids.next('copy'), ids.next('copy'), ids.undo('open-point', 'abort', '').activityId]).toEqual([
    'copy',
    'copy~2',
    'undo:open-point:abort',
  ])
})

it('a heartbeat of another kind is no heartbeat of a mover', () => {
  fc.assert(fc.property(fc.anything(), (value) => parseMoveDetails(value) === null))
  const moving: MoveDetails = {
    ...{ v: 1, disk: 'virtio0', start: 0, end: 9, stage: 'moving', offset: 3, durableOffset: 1, bytesRead: 2 },
    ...{
      bytesStored: 2,
      chunksNew: 1,
      bytesResumed: 1,
      bytesReadAgain: null,
      bottleneck: null,
      rate: null,
      quietMs: 0,
    },
  }
  expect(parseMoveDetails(moving)).toEqual(moving)
  expect(parseMoveDetails({ ...moving, bytesReadAgain: -1 })).toBeNull()
  expect(parseMoveDetails({ ...moving, bytesReadAgain: undefined })).toBeNull()
})
