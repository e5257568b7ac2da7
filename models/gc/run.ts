/** Runs the tables of `configurations.ts` and says of each line whether it is as it must be. */
import { mutantRuns, searches, walks, type MutantRun, type Search, type Walks } from './configurations.ts'
import { Machine } from './machine.ts'
import { mutantNames, mutants, type Mutant } from './mutants.ts'
import { explore, walk, type Outcome } from './search.ts'
import { trace } from './trace.ts'

export interface Row {
  readonly kind: 'search' | 'walks' | 'mutant'
  readonly name: string
  readonly states: number
  /** What is wrong with it, or undefined. */
  readonly fault?: string
  readonly line: string
  /** The counterexample: of a mutant what was to be found, of anything else a broken protocol. */
  readonly trace: readonly string[]
}

export interface Tables {
  readonly searches: readonly Search[]
  readonly walks: readonly Walks[]
  readonly mutantRuns: readonly MutantRun[]
  /** Every mutant listed must be run. */
  readonly mutants: readonly Mutant[]
}

/** What always runs, or with `full` the larger bounds as well. */
export function tables(full: boolean): Tables {
  const wanted = (row: { readonly full?: true }): boolean => full || row.full !== true
  return {
    searches: searches.filter(wanted),
    walks: walks.map((w) => (full ? { ...w, walks: w.walks * 50 } : w)),
    mutantRuns: mutantRuns.filter(wanted),
    mutants: mutantNames,
  }
}

/** One row after the other, so that a person sees progress. */
export function* runModel(which: Tables): Generator<Row> {
  for (const search of which.searches) yield runSearch(search)
  for (const w of which.walks) yield runWalks(w)
  for (const run of which.mutantRuns) yield runMutant(run)
  for (const mutant of which.mutants) {
    if (which.mutantRuns.some((run) => run.mutant === mutant)) continue
    const fault = 'listed, but no configuration runs it'
    yield { kind: 'mutant', name: mutant, states: 0, fault, line: '', trace: [] }
  }
}

function runSearch(search: Search): Row {
  const machine = new Machine(search.bounds)
  // Room for a model that has grown, and an end for one that has grown without bound.
  const outcome = explore(machine, search.states * 2 + 100_000)
  const unmet = (search.meets ?? []).filter((fact) => !outcome.facts.includes(fact))
  const vacuous = machine.bounds.writers > 0 && outcome.validated === 0
  const fault =
    safety(outcome) ??
    (vacuous ? 'no backup was ever validated' : undefined) ??
    (unmet.length > 0 ? `never met: ${unmet.join('; ')}` : undefined) ??
    changed(outcome, search.states)
  const line = `${count(outcome.states)} states, depth ${outcome.depth}, validated in ${count(outcome.validated)}`
  return row('search', search.name, machine, outcome, line, fault)
}

function runWalks(w: Walks): Row {
  const machine = new Machine(w.bounds)
  const outcome = walk(machine, w.walks, w.seed)
  const fault = safety(outcome) ?? (outcome.validated === 0 ? 'no backup was ever validated' : undefined)
  const line = `${count(w.walks)} walks from seed ${w.seed}, ${count(outcome.depth)} steps, validated in ${count(outcome.validated)}`
  return row('walks', w.name, machine, outcome, line, fault)
}

export function runMutant(run: MutantRun): Row {
  const machine = new Machine(run.bounds, run.mutant)
  const random = run.seed !== undefined
  const outcome = random ? walk(machine, run.states, run.seed) : explore(machine, run.states * 2 + 100_000)
  const fault =
    (machine.exercised === 0 ? 'the rule was never left out: the mutant is not exercised' : undefined) ??
    (outcome.result === 'violation' ? undefined : 'passes: the checker did not see that the rule is missing') ??
    changed(outcome, run.states)
  const line =
    outcome.result === 'violation'
      ? `caught in ${outcome.choices?.length ?? 0} steps, ${count(outcome.states)} ${random ? 'walks at most' : 'states'}; without: ${mutants[run.mutant].removes} (${mutants[run.mutant].section})`
      : `${count(outcome.states)} states`
  return row('mutant', run.mutant, machine, outcome, line, fault)
}

function safety(outcome: Outcome): string | undefined {
  if (outcome.result === 'violation') return outcome.violation
  return outcome.result === 'limit' ? 'the search ended at its bound and proves nothing' : undefined
}

function changed(outcome: Outcome, states: number): string | undefined {
  if (outcome.states === states) return undefined
  return `${count(outcome.states)} states where the table says ${count(states)}: the model has changed`
}

function row(kind: Row['kind'], name: string, machine: Machine, outcome: Outcome, line: string, fault?: string): Row {
  const { choices, violation } = outcome
  const steps = choices === undefined || violation === undefined ? [] : trace(machine, choices, violation)
  return { kind, name, states: outcome.states, line, trace: steps, ...(fault === undefined ? {} : { fault }) }
}

function count(n: number): string {
  return n.toLocaleString('en')
}
