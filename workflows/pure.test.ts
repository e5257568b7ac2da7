import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { GiB, HoldfastError } from '../base/index.ts'
import type { SerializedError } from '../base/index.ts'
import { planParts, rangeOf } from './backup/parts.ts'
import { firstRound, nextRound } from './backup/rounds.ts'
import type { RoundHistory } from './backup/rounds.ts'
import { untried, verdictOf } from './drill/verdict.ts'
import type { DrillInput } from './drill/contract.ts'
import { parseMoveDetails } from './shared/heartbeat.ts'
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
  const input = { checks: [], bootTimeoutMs: 1000 } as unknown as DrillInput
  it('is never passed unless the guest came up and nothing was left out', () => {
    const evidence = fc.record({
      error: fc.option(fc.constant(error('NetworkFailure')), { nil: null }),
      firmware: fc.constantFrom('bios', 'direct-kernel'),
      guest: fc.constantFrom('up' as const, 'silent' as const, 'absent' as const, 'untried' as const),
      checks: fc.array(
        fc
          .record({ passed: fc.boolean() })
          .map(({ passed }) => ({ title: 't', passed, exit: 0, out: '', err: '', count: null, detail: 'd' })),
        { maxLength: 3 },
      ),
      wanted: fc.nat(3),
    })
    fc.assert(
      fc.property(evidence, ({ wanted, ...seen }) => {
        const asked = { ...input, checks: Array.from({ length: wanted }, () => ({})) } as unknown as DrillInput
        const { verdict, rtoSeconds } = verdictOf(asked, { ...untried, ...seen, rtoSeconds: 1 })
        const proven =
          seen.error === null &&
          seen.guest === 'up' &&
          seen.checks.every(({ passed }) => passed) &&
          seen.checks.length >= wanted &&
          (seen.checks.length > 0 || seen.firmware !== 'direct-kernel')
        expect(verdict === 'passed').toBe(proven)
        expect(rtoSeconds === null).toBe(verdict !== 'passed')
      }),
    )
  })
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
})
