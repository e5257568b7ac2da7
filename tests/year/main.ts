/**
 * A year of an installation in minutes: plans, outages, failures, retention and alerts by the real code on a simulated
 * clock, judged by a simple reckoning of its own.
 *
 *   npm run year -- [--vms 200] [--seed S] [--days 365] [--pace-minutes 60]
 *
 * Prints figures, and what was not as promised; then it ends with 1. The same seed plays the same year.
 */
import { parseArgs } from 'node:util'
import { formatBytes } from '../../base/index.ts'
import { playYear } from './play.ts'

const { values } = parseArgs({
  options: {
    vms: { type: 'string', default: '200' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000_000) },
    'pace-minutes': { type: 'string', default: '60' },
    days: { type: 'string', default: '365' },
  },
})
const of = {
  seed: Number(values.seed),
  vms: Number(values.vms),
  paceMs: Number(values['pace-minutes']) * 60_000,
  days: Number(values.days),
}
console.log(`a year of ${of.vms} VMs, seed ${of.seed}`)
const began = performance.now()
/** A long one says how far it is. */
const onDay = (day: number): void => {
  if (day % 10 === 0) console.error(`day ${day} of ${of.days}: ${(performance.now() - began).toFixed(0)} ms`)
}
const { problems, figures } = await playYear({ ...of, onDay })
const seconds = (performance.now() - began) / 1000
for (const [name, figure] of Object.entries(figures)) console.log(`${name.padEnd(14)} ${figure}`)
console.log(`took ${seconds.toFixed(1)} s, ${formatBytes(process.resourceUsage().maxRSS * 1024)} of memory at most`)
for (const problem of problems.slice(0, 50)) console.log(`✗ ${problem}`)
console.log(problems.length === 0 ? 'everything as promised' : `${problems.length} things were not as promised`)
process.exitCode = problems.length === 0 ? 0 : 1
