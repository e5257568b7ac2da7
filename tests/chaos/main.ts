/**
 * `npm run chaos -- --minutes N [--seed S]`: one whole Holdfast and one writing guest; runs are disturbed as the seed
 * draws it, one after the other. Each has to end well, whatever was done to it, the point must be QEMU's own image of
 * that instant, byte for byte, and nothing may be left. Ends at the first one that does not, with 1 and its seed.
 * Without --minutes: the suites of the `chaos` project, as `npm test` runs them.
 */
import { spawnSync } from 'node:child_process'
import { parseArgs } from 'node:util'
import { describeError } from '../../base/index.ts'
import { Random } from '../simulation/random.ts'
import { makeWorld } from '../support/world.ts'
import { Player } from './player.ts'
import { drawScenario, tellScenario } from './scenario.ts'

const args = process.argv.slice(2)
if (!args.some((arg) => arg.startsWith('--minutes') || arg.startsWith('--seed'))) {
  const { status } = spawnSync('vitest', ['run', '--project', 'chaos*', ...args], { stdio: 'inherit' })
  process.exit(status ?? 1)
}
const { values } = parseArgs({
  args,
  options: { minutes: { type: 'string', default: '10' }, seed: { type: 'string', default: String(Date.now() % 1e9) } },
})
const [minutes, seed] = [Number(values.minutes), Number(values.seed)]
if (!(minutes > 0) || !Number.isInteger(seed)) throw new RangeError('--minutes and --seed are numbers')

const random = new Random(seed)
const until = Date.now() + minutes * 60_000
console.log(`seed ${seed}, for ${minutes} min`)
const world = await makeWorld()
const counts = new Map<string, number>()
try {
  const player = await Player.start(world, random)
  for (let round = 1; Date.now() < until; round += 1) {
    const scenario = drawScenario(random)
    const started = Date.now()
    const told = `${round}. ${tellScenario(scenario)}`
    try {
      const outcome = await player.play(scenario)
      console.log(`${told} → ${outcome}, ${((Date.now() - started) / 1000).toFixed(1)} s`)
    } catch (error) {
      throw new Error(`${told} → ${describeError(error)}\nagain with: npm run chaos -- --seed ${seed}`, {
        cause: error,
      })
    }
    counts.set(scenario.workflow, (counts.get(scenario.workflow) ?? 0) + 1)
  }
  await player.end()
  const told = [...counts].map(([workflow, count]) => `${workflow} ${count}`).join(', ')
  console.log(`✓ ${told}: all ended well, every point identical, nothing left`)
} catch (error) {
  console.error(`✗ ${describeError(error)}`)
  process.exitCode = 1
} finally {
  await world.end()
}
