/**
 * The model of the repository protocol (docs/repository-format.md §7–§11): an explicit-state checker that asks of every
 * reachable state whether each recovery point still has its chunks. It shares no code with `repository/`: a mistake
 * there must not be repeated here. `npm run model` runs it; README.md says how to read it.
 */
export { runModel, tables, type Row, type Tables } from './run.ts'
