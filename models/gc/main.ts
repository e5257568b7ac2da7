/**
 * `npm run model [-- --full] [--quiet] [--seed N]`: states explored, invariants, mutants caught. Exit code 1 on any fault.
 * With a seed the random walks of the protocol go other ways, and only a quarter of them, as in `npm test`.
 */
import { parseArgs } from 'node:util'
import { runModel, tables, type Row, type Tables } from './index.ts'

const { values } = parseArgs({
  options: { full: { type: 'boolean' }, quiet: { type: 'boolean' }, seed: { type: 'string' } },
})
const started = Date.now()
const titles = {
  search: 'Exhaustive: writers × collectors',
  walks: 'Random walks',
  mutant: 'Mutants: each must be caught',
}
let kind: Row['kind'] | undefined
const faults: Row[] = []
const totals = { search: 0, walks: 0, mutant: 0 }
let explored = 0
for (const row of runModel(elsewhere(tables(values.full === true), values.seed))) {
  if (row.kind !== kind) console.log(`\n── ${titles[row.kind]} ──`)
  kind = row.kind
  console.log(`${row.fault === undefined ? 'ok  ' : 'FAIL'}  ${row.name}: ${row.line}`)
  if (row.fault !== undefined) {
    faults.push(row)
    console.log(`      ${row.fault}`)
  } else totals[row.kind]++
  if (row.kind === 'search') explored += row.states
  if (row.fault !== undefined || values.quiet !== true) for (const step of row.trace) console.log(`        ${step}`)
}

console.log(`
invariants: a recovery point has a pack for each chunk it needs; a reported success is a recovery point;
            what is held, confirmed, is there
${totals.search} configurations safe, ${explored.toLocaleString('en')} states explored; ${totals.walks} sets of random walks safe
${totals.mutant} mutant runs caught, ${faults.filter((row) => row.kind === 'mutant').length} not
${faults.length === 0 ? 'model holds' : `model FAILS: ${faults.map((row) => row.name).join(', ')}`}, ${((Date.now() - started) / 1000).toFixed(0)} s`)
process.exitCode = faults.length === 0 ? 0 : 1

function elsewhere(which: Tables, seed: string | undefined): Tables {
  if (seed === undefined) return which
  return {
    ...which,
    walks: which.walks.map((w) => ({ ...w, walks: Math.ceil(w.walks / 4), seed: w.seed + Number(seed) })),
  }
}
