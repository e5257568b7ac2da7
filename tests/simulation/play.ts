import { mutants } from './mutants.ts'
import { playSchedule } from './schedule.ts'
import { SimulationBase, Violation } from './world.ts'

export interface Limits {
  /** Of the first schedule; the next has the next number. */
  readonly seed: number
  readonly count: number
  /** Real milliseconds. */
  readonly ms: number
}

/** Whether no schedule broke anything. */
export async function playMany(limits: Limits, say: (text: string) => void): Promise<boolean> {
  await using base = await SimulationBase.create()
  const began = performance.now()
  let schedules = 0
  let steps = 0
  let checks = 0
  for (let seed = limits.seed; schedules < limits.count && performance.now() - began < limits.ms; seed++) {
    try {
      const result = await playSchedule(base, seed)
      schedules += 1
      steps += result.steps
      checks += result.checks
    } catch (error) {
      say(`seed ${seed}: ${describe(error)}`)
      say(`again: npm run simulate -- --seed ${seed} --count 1`)
      return false
    }
  }
  const seconds = Math.round((performance.now() - began) / 1000)
  say(`${schedules} schedules from seed ${limits.seed}: ${steps} store calls, ${checks} checks, 0 violations, ${seconds} s`)
  return true
}

/** Whether every mutant was caught by the oracle within the limits, each of which counts for one mutant. */
export async function findMutants(limits: Limits, say: (text: string) => void): Promise<boolean> {
  await using base = await SimulationBase.create()
  let all = true
  for (const mutant of mutants) {
    const began = performance.now()
    let caught: string | undefined
    let seed = limits.seed
    for (; caught === undefined && seed < limits.seed + limits.count; seed++) {
      if (performance.now() - began > limits.ms) break
      try {
        await playSchedule(base, seed, mutant)
      } catch (error) {
        if (error instanceof Violation) caught = error.message
      }
    }
    if (caught === undefined) all = false
    const tries = seed - limits.seed
    say(`${mutant.name}: ${caught === undefined ? `NOT caught in ${tries} schedules` : `caught in schedule ${tries}: ${caught}`}`)
  }
  return all
}

function describe(error: unknown): string {
  if (error instanceof Violation) return `VIOLATION: ${error.message}`
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
