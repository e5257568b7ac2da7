import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Vm } from '#lib/api/types.ts'
import { inState, matches, queryHref, readQuery, sorted } from './filter.ts'

const vm = (name: string, more: Partial<Vm> = {}): Vm =>
  ({
    name,
    tags: [],
    site: 'lyon',
    hypervisorName: 'xcp',
    platform: 'xcpng',
    category: 'standard',
    plans: [],
    running: null,
    lastProof: null,
    sizeBytes: 1,
    changedPerDay: null,
    posture: { state: 'protected', sentence: '', ageMs: 1000, rpoMs: 10_000 },
    ...more,
  }) as Vm
const posture = (state: Vm['posture']['state'], ageMs: number | null, rpoMs: number | null = 10_000) => ({
  posture: { state, sentence: '', ageMs, rpoMs },
})

describe('the list of VMs', () => {
  it('keeps what the reader chose in its address', () => {
    const query = fc.record({
      state: fc.constantFrom(null, 'outside-rpo', 'running', 'protected', 'unprotected', 'excluded'),
      q: fc.string().filter((s) => s.trim() === s && !/\0/.test(s)),
      sort: fc.constantFrom('state', 'name', 'age', 'proof', 'size', 'changed'),
      descending: fc.boolean(),
    })
    fc.assert(
      fc.property(query, (q) => {
        const href = queryHref(readQuery(new URLSearchParams()), q)
        expect(readQuery(new URL(href, 'http://x').searchParams)).toEqual(q)
      }),
    )
  })

  it('shows first what is outside its promise, and the most urgent of it first', () => {
    const names = sorted(
      [
        vm('fine'),
        vm('excluded', posture('excluded', null, null)),
        vm('late', posture('late', 11_000)),
        vm('overdue-much', posture('overdue', 50_000)),
        vm('overdue', posture('overdue', 20_000)),
        vm('never', posture('unprotected', null)),
        vm('failed', posture('failed', 99_000)),
      ],
      'state',
      false,
    ).map((v) => v.name)
    expect(names).toEqual(['failed', 'never', 'overdue-much', 'overdue', 'late', 'fine', 'excluded'])
  })

  it('sorts two VMs without any point without losing its mind', () => {
    const pair = [vm('b', posture('unprotected', null)), vm('a', posture('unprotected', null))]
    expect(sorted(pair, 'age', false).map((v) => v.name)).toEqual(['a', 'b'])
    expect(sorted(pair, 'state', true).map((v) => v.name)).toEqual(['a', 'b'])
  })

  it('understands words, tags and sites together', () => {
    const erp = vm('erp-db-01', { tags: ['erp', 'PostgreSQL'] })
    expect(matches(erp, 'db tag:postgres site:lyon')).toBe(true)
    expect(matches(erp, 'db site:paris')).toBe(false)
    expect(matches(erp, '  ')).toBe(true)
    expect(matches({ ...erp, plans: ['nightly-lyon'] }, 'plan:nightly')).toBe(false)
    expect(matches({ ...erp, plans: ['nightly-lyon'] }, 'plan:nightly-lyon')).toBe(true)
    expect([matches(erp, 'plan:none'), matches({ ...erp, plans: ['nightly-lyon'] }, 'plan:none')]).toEqual([
      true,
      false,
    ])
  })

  it('counts as outside its RPO whatever is not inside it, save what is left out on purpose', () => {
    const states = ['protected', 'late', 'overdue', 'failed', 'unprotected', 'excluded'] as const
    expect(states.filter((s) => inState(vm('x', posture(s, 1)), 'outside-rpo'))).toEqual([
      'late',
      'overdue',
      'failed',
      'unprotected',
    ])
  })
})
