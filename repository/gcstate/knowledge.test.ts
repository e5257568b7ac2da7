import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bestVerdict, isDead, judge, lift, type GcState } from './index.ts'

const P = 'p'
const state = (floor: number, records: readonly [epoch: number, ...packs: string[]][]): GcState => ({
  base: Math.max(floor - 1, ...records.map(([epoch]) => epoch)),
  floor,
  records: records.map(([epoch, ...packs], index) => ({
    epoch,
    nonce: String(index),
    final: false,
    set: new Set(packs),
  })),
})

describe('a dated fact about a pack', () => {
  it('is usable if no later record can be gone and none names the pack', () => {
    expect(judge(state(1, []), P, 0)).toBe('usable')
    expect(judge(state(1, [[1, 'q']]), P, 0)).toBe('usable')
    expect(judge(state(5, [[9, 'q']]), P, 4)).toBe('usable')
  })

  it('is condemned by a later record that names the pack, not by an earlier one', () => {
    expect(judge(state(1, [[1, P]]), P, 0)).toBe('condemned')
    expect(judge(state(1, [[1, P]]), P, 1)).toBe('usable')
    expect(
      judge(
        state(1, [
          [1, P],
          [2, 'q'],
        ]),
        P,
        1,
      ),
    ).toBe('usable')
  })

  it('is stale once records after it may have been retired', () => {
    expect(judge(state(2, []), P, 1)).toBe('usable')
    expect(judge(state(3, []), P, 1)).toBe('stale')
    expect(judge(state(2, []), P, 0)).toBe('stale')
  })

  it('is not proved by HEAD while any present record names the pack', () => {
    expect(isDead(state(9, [[3, P]]), P)).toBe(true)
    expect(isDead(state(9, [[3, 'q']]), P)).toBe(false)
  })
})

const packs = fc.subarray(['p', 'q', 'r'])
const states = fc
  .record({
    floor: fc.integer({ min: 1, max: 8 }),
    records: fc.array(fc.tuple(fc.integer({ min: 1, max: 9 }), packs), { maxLength: 4 }),
  })
  .map(({ floor, records }) =>
    state(
      floor,
      records.map(([epoch, names]) => [epoch, ...names] as [number, ...string[]]),
    ),
  )
const stamp = fc.integer({ min: 0, max: 9 })

describe('the knowledge rule', () => {
  it('agrees with its definition, record by record', () => {
    fc.assert(
      fc.property(states, stamp, (at, e) => {
        const naive = at.floor <= e + 1 && at.records.every((record) => record.epoch <= e || !record.set.has(P))
        expect(judge(at, P, e) === 'usable').toBe(naive)
      }),
    )
  })

  it('with several stamps is usable if and only if one of them is', () => {
    fc.assert(
      fc.property(states, fc.array(stamp, { maxLength: 5 }), (at, stamps) => {
        const any = stamps.some((e) => judge(at, P, e) === 'usable')
        expect(bestVerdict(at, P, stamps) === 'usable').toBe(any)
      }),
    )
  })

  it('never makes an older stamp better than a newer one', () => {
    fc.assert(
      fc.property(states, stamp, stamp, (at, a, b) => {
        if (a <= b && judge(at, P, a) === 'usable') expect(judge(at, P, b)).toBe('usable')
      }),
    )
  })

  it('lifts a usable fact to the reading, under which it stays usable, and nothing else', () => {
    fc.assert(
      fc.property(states, stamp, (at, e) => {
        const lifted = lift(at, P, e)
        if (lifted === undefined) expect(judge(at, P, e)).not.toBe('usable')
        else {
          expect(lifted).toBeGreaterThanOrEqual(at.base)
          expect(judge(at, P, lifted)).toBe('usable')
        }
      }),
    )
  })
})

type Step =
  | { readonly kind: 'condemn' | 'finish' | 'stop' | 'delete' | 'retire'; readonly at: number }
  | { readonly kind: 'upload' | 'learn'; readonly at: number }
const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom('condemn', 'finish', 'stop', 'delete', 'retire', 'upload', 'learn'),
  at: fc.nat(7),
})

describe('in any history of one collector after another', () => {
  it('a usable fact is never about a pack that was deleted', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (history) => {
        const world = new World()
        for (const one of history) {
          world.take(one)
          world.expectSound()
        }
      }),
      { numRuns: 500 },
    )
  })
})

/** One collector at a time, as a single run of §9.1 after the other: what the rule has to survive. */
class World {
  floor = 1
  records: { epoch: number; condemned: Set<string>; final: Set<string> | undefined }[] = []
  packs = new Set<string>()
  deleted = new Set<string>()
  facts: { pack: string; stamp: number }[] = []
  next = 0

  get state(): GcState {
    const records = this.records.map(({ epoch, condemned, final }) => {
      return { epoch, nonce: '', final: final !== undefined, set: final ?? condemned }
    })
    return { base: Math.max(this.floor - 1, ...records.map(({ epoch }) => epoch)), floor: this.floor, records }
  }

  take({ kind, at }: Step): void {
    const record = this.records[at % Math.max(1, this.records.length)]
    const live = [...this.packs].filter((pack) => !isDead(this.state, pack))
    if (kind === 'upload') {
      const pack = `pack${this.next++}`
      this.packs.add(pack)
      this.facts.push({ pack, stamp: this.state.base })
    } else if (kind === 'learn') {
      const pack = live[at % Math.max(1, live.length)]
      if (pack !== undefined) this.facts.push({ pack, stamp: this.state.base })
    } else if (kind === 'condemn') {
      const chosen = new Set(live.filter((_, index) => (index + at) % 2 === 0))
      if (chosen.size > 0) this.records.push({ epoch: this.state.base + 1, condemned: chosen, final: undefined })
    } else if (record === undefined) return
    else if (kind === 'finish')
      record.final ??= new Set([...record.condemned].filter((_, index) => (index + at) % 3 !== 0))
    else if (kind === 'stop') record.final ??= new Set()
    else if (kind === 'delete') {
      for (const pack of record.final ?? []) {
        this.packs.delete(pack)
        this.deleted.add(pack)
      }
    } else this.retire(record.epoch)
  }

  /** §9.6: only once everything that the records name is gone. */
  retire(n: number): void {
    const old = this.records.filter(({ epoch }) => epoch <= n)
    if (old.some(({ condemned, final }) => [...(final ?? condemned)].some((pack) => this.packs.has(pack)))) return
    this.floor = Math.max(this.floor, n + 1)
    this.records = this.records.filter(({ epoch }) => epoch > n)
  }

  expectSound(): void {
    for (const { pack, stamp: e } of this.facts) {
      if (this.deleted.has(pack)) expect(judge(this.state, pack, e)).not.toBe('usable')
    }
  }
}
