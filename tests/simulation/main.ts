/**
 * Plays schedules of the real repository code over a simulated store, one seed after the other.
 *
 *   npm run simulate -- [--minutes N] [--seed S] [--count N] [--mutants [--only NAME]]
 *
 * Prints the seed of a violation and ends with 1; the same seed plays the same schedule. With --mutants, each deliberate
 * mutation must be caught.
 */
import { parseArgs } from 'node:util'
import { findMutants, playMany } from './play.ts'
import { SimulationBase } from './world.ts'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000_000) },
    count: { type: 'string', default: '1000000000' },
    mutants: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
  },
})
const limits = { seed: Number(values.seed), count: Number(values.count), ms: Number(values.minutes) * 60_000 }
const say = (text: string) => console.log(text)
await using base = await SimulationBase.create()
const isSound = values.mutants ? await findMutants(base, limits, say, values.only) : await playMany(base, limits, say)
process.exitCode = isSound ? 0 : 1
