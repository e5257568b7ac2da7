import { collector, holder, mirrorer, pruner, reader, scrubber, writer } from './actors.ts'
import type { Mutant, Scene } from './mutants.ts'
import { Random, seedRandomness } from './random.ts'
import { fair, type Weather } from './sim-store.ts'
import { noSignal } from '../../repository/testing/index.ts'
import { Violation, World, type Past, type SimulationBase } from './world.ts'

export interface ScheduleResult {
  readonly seed: number
  /** Store calls. */
  readonly steps: number
  readonly checks: number
  /** Packs that were collected while backups went on. */
  readonly deletedPacks: number
  readonly points: number
}

const weathers: readonly Weather[] = [
  fair,
  fair,
  { ...fair, defer: false },
  { ...fair, unavailable: 0.01, lostAnswer: 0.01 },
  { ...fair, defer: false, unavailable: 0.005, lostAnswer: 0.01, late: 0.01, duplicate: 0.02 },
  { ...fair, ghosts: 0.5, page: 3 },
  { ...fair, defer: false, lostAnswer: 0.005, late: 0.01, ghosts: 0.3, page: 2 },
  { ...fair, flip: 0.005 },
]
const DAY = 24 * 3_600_000

/** Different pasts; contents that their disks are made of: few are met again often, many leave garbage. */
const PASTS = [6, 6, 10, 10, 16, 16]

/** Points of three VMs, half of them removed, nothing collected yet. */
async function pastOf(base: SimulationBase, number: number): Promise<Past> {
  const known = base.pasts.get(number)
  if (known !== undefined) return known
  using _random = seedRandomness(number)
  const world = new World(base, new Random(number), { weather: fair, contents: PASTS[number] ?? 1 })
  world.isCalm = true
  world.scheduler.start(async () => {
    for (const name of ['writer0', 'writer1', 'writer2']) await writer(world, name, 3)
    await pruner(world, 'pruner', 2)
  })
  await world.run()
  const past = world.past()
  base.pasts.set(number, past)
  return past
}

/** Plays one schedule. Throws Violation, or what an actor met and must not meet; the seed says it all. */
export async function playSchedule(base: SimulationBase, seed: number, mutant?: Mutant): Promise<ScheduleResult> {
  const random = new Random(seed)
  const weather = mutant === undefined ? random.pick(weathers) : fair
  const number = random.below(PASTS.length)
  const past = await pastOf(base, number)
  // The ids of a past were drawn from its number: a schedule of that number must not draw them again.
  using _random = seedRandomness(seed < PASTS.length && mutant === undefined ? 2_000_000_000 + seed : seed)
  const world = new World(base, random, { weather, mutant, contents: PASTS[number] ?? 1, past })
  const { scheduler } = world
  if (mutant?.scene === undefined) startAll(world, mutant)
  else startScene(world, mutant.scene)
  let deletedPacks: number
  let points: number
  try {
    await world.run()
    deletedPacks = world.deletedPacks
    points = world.points
    await world.check()
    await settle(world)
  } catch (error) {
    // An actor met what it must not meet; if the oracle finds data lost, that is the news.
    if (!(error instanceof Violation)) await world.check()
    throw error
  }
  return { seed, steps: scheduler.step, checks: world.checks, deletedPacks, points }
}

/** Everybody, in the order that chance will have. A mutant is found among those whose rules it breaks. */
function startAll(world: World, mutant: Mutant | undefined): void {
  const { scheduler, random } = world
  for (let no = 0; no < 1 + random.below(3); no++)
    scheduler.start(() => writer(world, `writer${no}`, 1 + random.below(3)))
  for (let no = 0; no < 1 + random.below(2); no++) {
    scheduler.start(() => collector(world, `collector${no}`, 1 + random.below(3)))
  }
  scheduler.start(() => pruner(world, 'pruner', random.below(3)))
  scheduler.start(() => holder(world, 'holder', random.below(3)))
  scheduler.start(() => reader(world, 'reader', random.below(2)))
  if (mutant !== undefined) return
  scheduler.start(() => mirrorer(world, 'writer by mirror', random.below(3)))
  scheduler.start(() => scrubber(world, 'scrubber', random.below(2)))
}

/** One falls asleep before it publishes; what must not be lost by it is collected, or written, until it wakes. */
function startScene(world: World, { sleeper, meanwhile }: Scene): void {
  const { scheduler } = world
  const work = sleeper === 'writer0' ? writer(world, sleeper, 1) : collector(world, sleeper, 1, { compactBelow: 1 })
  scheduler.start(() => work.finally(world.asleep.resolve))
  scheduler.start(async () => {
    await world.asleep.promise
    if (meanwhile.includes('back up')) await writer(world, 'writer1', 1)
    if (meanwhile.includes('supersede')) await writer(world, 'writer1', 1, 'writer0')
    if (meanwhile.includes('prune')) await pruner(world, 'pruner', 1, 0.8)
    if (meanwhile.includes('collect')) await collector(world, 'collector1', 2, { compactBelow: 0 })
  })
}

/** With nobody else there, every garbage pack goes within a few runs, and what is promised stays. */
async function settle(world: World): Promise<void> {
  world.isCalm = true
  world.ghosts.clear()
  world.weather = { ...fair, defer: world.weather.defer }
  const { scheduler } = world
  let packs = Infinity
  let live = 0
  for (let run = 0; run < 4 && packs !== live; run++) {
    scheduler.nowMs += 10 * DAY
    scheduler.start(async () => {
      await world.inProcess('last', async (repository) => {
        const prune = { remove: [], reason: 'operator', actor: 'last', abandonAfterMs: 0, signal: noSignal } as const
        await repository.prune(prune)
        const report = await repository.collect({ waits: 'none', signal: noSignal, onProgress: () => undefined })
        live = report.live.packs - report.reprieved.packs
      })
    })
    await world.run()
    packs = world.bucket.names('pack/').length
    // What was copied out in the last run is live in the next.
    if (packs < live) live = packs
  }
  if (packs !== live) throw new Violation(`${packs - live} packs of garbage stay for ever`)
  await world.check()
}
