/**
 * The model as the search sees it: a start, the states that one atomic step of any actor leads to, and what must never
 * be. The order of steps is fixed, so every run is repeatable and a trace is a list of choices.
 */
import { plain, type Bounds } from './bounds.ts'
import { cleanerSteps, placerSteps, removerSteps } from './snapshots.ts'
import { Codec } from './codec.ts'
import { collectorSteps } from './collector.ts'
import { facts, violation } from './invariants.ts'
import { readBase } from './knowledge.ts'
import type { Mutant } from './mutants.ts'
import { prunerSteps, retirerSteps } from './retire.ts'
import { initialState, State } from './state.ts'
import { writerSteps } from './writer.ts'

/** A step: who, under which rule, in words; `packs` is the set of packs it speaks of, or negative. */
export type Visit = (who: string, rule: string, says: string, packs: number) => void

export class Machine {
  readonly bounds: Bounds
  readonly codec: Codec
  /** The state whose steps are being listed; `next` is the successor being made. */
  readonly current = new State()
  readonly next = new State()
  /** How often the mutated rule was left out. A mutant that is never exercised tests nothing. */
  exercised = 0
  private readonly start: State
  private readonly mutant: Mutant | undefined
  private visit: Visit = () => {}

  constructor(bounds: Partial<Bounds>, mutant?: Mutant) {
    this.bounds = { ...plain, ...bounds }
    this.mutant = mutant
    this.start = initialState(this.bounds)
    this.codec = new Codec(this.bounds, this.start)
    this.restart()
  }

  restart(): void {
    this.current.copy(this.start)
  }

  /** Whether the rule that this mutant removes is left out here. Ask only where the rule would decide. */
  breaks(rule: Mutant): boolean {
    if (this.mutant !== rule) return false
    this.exercised++
    return true
  }

  /** A fresh copy of the current state, to be changed and then emitted. */
  begin(): State {
    this.next.copy(this.current)
    return this.next
  }

  emit(who: string, rule: string, says: string, packs = -1): void {
    this.visit(who, rule, says, packs)
  }

  /** Calls `visit` once for each step that is possible in `current`, with the state after it in `next`. */
  expand(visit: Visit): void {
    this.visit = visit
    const base = readBase(this.current)
    prunerSteps(this)
    retirerSteps(this, base)
    for (let i = 0; i < this.bounds.writers; i++) writerSteps(this, i, base)
    for (let g = 0; g < this.bounds.collectors; g++) collectorSteps(this, g, base)
    if (this.bounds.holds) placerSteps(this)
    if (this.bounds.removal) removerSteps(this)
    if (this.bounds.cleaner) cleanerSteps(this)
  }

  /** What is broken in `current`, in words, or undefined. */
  violation(): string | undefined {
    return violation(this.current)
  }

  facts(): number {
    return facts(this.current)
  }
}
