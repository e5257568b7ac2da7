import { describe, expect, it } from 'vitest'
import type { Bounds } from './bounds.ts'
import { Machine } from './machine.ts'
import { mutantNames, type Mutant } from './mutants.ts'
import { runModel, tables, type Tables } from './run.ts'
import { explore, walk } from './search.ts'
import { State } from './state.ts'
import { trace } from './trace.ts'
import { VisitedSet } from './visited.ts'

const nothing: Tables = { searches: [], walks: [], mutantRuns: [], mutants: [] }

function counterexample(bounds: Partial<Bounds>, mutant: Mutant): string[] {
  const machine = new Machine(bounds, mutant)
  const { choices, violation } = explore(machine, 1_000_000)
  return trace(machine, choices ?? [], violation ?? 'none')
}

describe('the checker', () => {
  it('explores the same states as the model that it was ported from', () => {
    const outcome = explore(new Machine({ reestablish: true }), 1_000_000)
    expect(outcome).toMatchObject({ result: 'safe', states: 29_746, depth: 29, validated: 6_094 })
  })

  it('encodes and decodes every state without loss', () => {
    const machine = new Machine({ collectors: 3, writers: 2, condemn: 2, holds: true, removal: true, cleaner: true })
    const { codec } = machine
    const words = new Uint32Array(codec.words)
    const decoded = new State()
    let seed = 7
    for (let step = 0; step < 300; step++) {
      const states: State[] = []
      machine.expand(() => {
        codec.pack(machine.next, words, 0)
        codec.unpack(words, 0, decoded)
        expect(decoded).toEqual(machine.next)
        const kept = new State()
        kept.copy(decoded)
        states.push(kept)
      })
      seed = (seed * 48_271) % 2_147_483_647
      const chosen = states[seed % states.length]
      if (chosen === undefined) break
      machine.current.copy(chosen)
    }
  })

  it('says that it proved nothing when it comes to its bound', () => {
    expect(explore(new Machine({}), 1_000).result).toBe('limit')
  })

  it('walks the same way from the same seed', () => {
    const bounds = { collectors: 3, writers: 2 }
    expect(walk(new Machine(bounds), 20, 5)).toEqual(walk(new Machine(bounds), 20, 5))
    expect(walk(new Machine(bounds), 20, 5).depth).not.toBe(walk(new Machine(bounds), 20, 6).depth)
  })

  it('counts a state once, however often and after how much growth it is met', () => {
    const set = new VisitedSet(8)
    const state = new Uint32Array(2)
    for (let round = 0; round < 2; round++) {
      for (let n = 0; n < 1_000; n++) {
        state.set([n, n * 7])
        expect(set.add(state, 0, 2)).toBe(round === 0)
      }
    }
    expect(set.size).toBe(1_000)
  })

  it('prints a counterexample that names actor, rule, step and what changed in the store', () => {
    expect(counterexample({ holds: true, removal: true }, 'hold_looks_only_for_t')).toMatchInlineSnapshot(`
      [
        "start: P holds a, Q holds b; the parent (.m .ok) needs a; floor 1; no record",
        "  1  placer       §11.2      sees no tombstone on the parent",
        "  2  pruner       §11.1      puts a tombstone (.t) on the parent   [snap/ the parent: .m .ok .t]",
        "  3  remover      §11.3      sees the tombstone of the parent",
        "  4  remover      §11.3      sees no hold",
        "  5  placer       §11.2      puts a hold on the parent   [hold/ + parent]",
        "  6  remover      §11.3      deletes .ok of the parent   [snap/ the parent: .m .t]",
        "  7  remover      §11.3      deletes .m of the parent   [snap/ the parent: .t]",
        "  8  remover      §11.3      deletes .a .t of the parent   [snap/ the parent: nothing]",
        "  9  placer       §11.2      sees no .t and confirms the hold",
        "  => the hold on the parent was confirmed, and its .m or .ok is gone",
      ]
    `)
  })
})

describe('the run', () => {
  it('fails when a mutant passes', () => {
    const run = { mutant: 'records_before_floor', bounds: { writers: 0 }, states: 156 } as const
    const [row] = runModel({ ...nothing, mutantRuns: [run] })
    expect(row?.fault).toContain('passes')
  })

  it('fails when a mutant is listed and never exercised', () => {
    const run = { mutant: 'cleaner_no_check', bounds: {}, states: 13_730 } as const
    const [exercised, listed] = runModel({ ...nothing, mutantRuns: [run], mutants: ['no_w2'] })
    expect(exercised?.fault).toContain('not exercised')
    expect(listed?.fault).toContain('no configuration runs it')
  })

  it('fails when the number of states is not that of the table', () => {
    const [row] = runModel({ ...nothing, searches: [{ name: 'changed', bounds: {}, states: 13_729 }] })
    expect(row?.fault).toContain('the model has changed')
  })

  it('fails when nothing that was to be met was met', () => {
    const search = { name: 'vacuous', bounds: {}, states: 13_730, meets: ['a late writer reports failure'] } as const
    const [row] = runModel({ ...nothing, searches: [search] })
    expect(row?.fault).toContain('never met: a late writer reports failure')
  })

  it('runs every mutant of the table in the set that always runs', () => {
    const always = new Set(tables(false).mutantRuns.map((run) => run.mutant))
    expect(mutantNames.filter((mutant) => !always.has(mutant))).toEqual([])
  })
})
