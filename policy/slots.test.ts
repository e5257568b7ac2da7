import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { grantable, slotKindOf } from './index.ts'
import type { SlotClaim } from './index.ts'

const claim = (runId: string, over: Partial<SlotClaim> = {}): SlotClaim => ({
  runId,
  priority: 3,
  requestedMs: Number(runId.replaceAll(/\D/g, '')) || 0,
  grantedMs: null,
  parked: false,
  needs: ['host/a', 'repository/main'],
  ...over,
})
const two = () => 2

describe('slots', () => {
  it('go to the most urgent first, then to the oldest', () => {
    expect(grantable([claim('r3'), claim('r1'), claim('r2')], two, 9)).toEqual(['r1', 'r2'])
    expect(grantable([claim('r1'), claim('r2'), claim('r3', { priority: 2 })], two, 9)).toEqual(['r3', 'r1'])
    expect(grantable([claim('r1', { priority: 4 }), claim('r2', { grantedMs: 1 }), claim('r3')], two, 9)).toEqual([
      'r3',
    ])
  })

  it('never make a restore wait for a backup, only for other restores', () => {
    const busy = [1, 2, 3, 4].map((n) => claim(`b${n}`, { grantedMs: n }))
    const restores = [5, 6, 7].map((n) => claim(`r${n}`, { priority: 1 }))
    expect(grantable([...busy, ...restores], two, 9)).toEqual(['r5', 'r6'])
  })

  it('make a backup wait for restores too', () => {
    const restores = [1, 2].map((n) => claim(`r${n}`, { priority: 1, grantedMs: n }))
    expect(grantable([...restores, claim('b3')], two, 9)).toEqual([])
  })

  it('are given to mirrors and verifies where there is room, and never keep anything else waiting', () => {
    const background = (n: number, over: Partial<SlotClaim> = {}) => claim(`m${n}`, { priority: 6, ...over })
    const backups = [1, 2].map((n) => claim(`b${n}`, { grantedMs: n }))
    expect(grantable([...backups, background(3)], two, 9)).toEqual([])
    expect(grantable([claim('b1', { grantedMs: 1 }), background(3), background(4)], two, 9)).toEqual(['m3'])
    const mirrors = [1, 2].map((n) => background(n, { grantedMs: n }))
    const others = [claim('b3'), claim('b4'), claim('b5'), claim('r6', { priority: 1 }), background(7)]
    expect(grantable([...mirrors, ...others], two, 9)).toEqual(['r6', 'b3'])
  })

  it('of one host are not held up by a queue for another', () => {
    const held = [1, 2].map((n) => claim(`b${n}`, { grantedMs: n, needs: ['host/a'] }))
    const all = [...held, claim('b3', { needs: ['host/a'] }), claim('b4', { needs: ['host/b'] })]
    expect(grantable(all, two, 9)).toEqual(['b4'])
  })

  it('of what stands still outside its window are free for others', () => {
    const parked = [1, 2].map((n) => claim(`b${n}`, { grantedMs: n, parked: true }))
    expect(grantable([...parked, claim('b3')], two, 9)).toEqual(['b3'])
    // What waits there gets no grant: when the window opens there would be room for none of them.
    const waits = [3, 4, 5].map((n) => claim(`b${n}`, { requestedMs: n, parked: true }))
    expect(grantable([...parked, ...waits], two, 9)).toEqual([])
    const open = waits.map((it) => ({ ...it, parked: false }))
    expect(grantable([...parked, ...open], two, 9)).toEqual(['b3', 'b4'])
    expect(grantable([...parked.map((it) => ({ ...it, parked: false })), ...open], two, 9)).toEqual([])
  })

  it('are never given beyond the limit, and nobody waits whom they would suffice for', () => {
    const resources = ['host/a', 'host/b', 'repository/main', 'link/x']
    const anyClaim = fc.record({
      priority: fc.integer({ min: 1, max: 5 }),
      requestedMs: fc.nat(100),
      grantedMs: fc.constant(null),
      parked: fc.constant(false),
      needs: fc.subarray(resources, { minLength: 1 }),
    })
    const claims = fc.array(anyClaim, { maxLength: 30 }).map((all) => all.map((it, n) => ({ ...it, runId: `r${n}` })))
    fc.assert(
      fc.property(claims, fc.integer({ min: 1, max: 4 }), (all, limit) => {
        const granted = new Set(grantable(all, () => limit, 1))
        const holders = all.filter(({ runId }) => granted.has(runId))
        const counted = (resource: string, urgent: boolean) =>
          holders.filter(({ needs, priority }) => needs.includes(resource) && (!urgent || priority === 1)).length
        for (const resource of resources) {
          expect(counted(resource, true)).toBeLessThanOrEqual(limit)
          expect(counted(resource, false) - counted(resource, true)).toBeLessThanOrEqual(limit)
        }
        for (const it of all.filter(({ runId }) => !granted.has(runId)))
          expect(it.needs.some((need) => counted(need, it.priority === 1) >= limit)).toBe(true)
      }),
    )
  })

  it('belong to resources of a known kind', () => {
    expect(slotKindOf('host/lab')).toBe('host')
    expect(slotKindOf('moon/base')).toBeUndefined()
  })
})
