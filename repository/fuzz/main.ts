/**
 * `npm run fuzz -- --minutes N --seed S`: hostile bytes against every decoder until the time is over. Prints what was tried;
 * the first violation ends it with its seed and path, which `fc.assert` replays.
 */
import { parseArgs } from 'node:util'
import fc from 'fast-check'
import { jsonSamples, jsonTargets, layouts, propertiesOf, sealed, texts, unlockProperty, withChanges } from './index.ts'
import { attempt } from './target.ts'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
  },
})
const [minutes, seed] = [Number(values.minutes), Number(values.seed)]
if (!(minutes > 0) || !Number.isInteger(seed)) throw new Error('usage: npm run fuzz -- --minutes N --seed S')
const end = Date.now() + minutes * 60_000

const works = [
  ...[...layouts, ...texts, ...sealed, ...jsonTargets].flatMap((target) =>
    propertiesOf(target).map(({ what, runs, property }) => ({ name: `${target.name} ${what}`, runs, property })),
  ),
  ...jsonSamples.map(({ name, covers, sample, decode }) => ({
    name: `${name} survives members that are replaced, removed and added`,
    runs: 500,
    property: fc.property(withChanges(sample), (bytes) => {
      attempt({ name, covers, decode, samples: fc.constant(bytes) }, bytes)
    }),
  })),
]
const unlocking = await unlockProperty()
console.log(`fuzz: ${works.length} properties, ${minutes} minutes, seed ${seed}`)
let [inputs, most] = [0, 0]
let round = 0
for (; Date.now() < end; round++) {
  for (const { name, runs, property } of works) {
    if (Date.now() >= end) break
    try {
      fc.assert(property, { seed: seed + round, numRuns: runs })
    } catch (error) {
      throw new Error(`${name}, seed ${seed + round}`, { cause: error })
    }
    inputs += runs
    most = Math.max(most, process.memoryUsage().rss)
  }
  await fc.assert(unlocking, { seed: seed + round, numRuns: 100 })
  inputs += 100
}
console.log(`fuzz: ${round} rounds, ${inputs} inputs, no violation, peak memory ${Math.ceil(most / 2 ** 20)} MiB`)
