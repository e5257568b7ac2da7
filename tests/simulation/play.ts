import { mutants, type Mutant } from './mutants.ts'
import { playSchedule } from './schedule.ts'
import { Violation, type SimulationBase } from './world.ts'

export interface Limits {
  /** Of the first schedule; the next has the next number. */
  readonly seed: number
  readonly count: number
  /** Real milliseconds. */
  readonly ms: number
}

/** Whether no schedule broke anything. */
export async function playMany(base: SimulationBase, limits: Limits, say: (text: string) => void): Promise<boolean> {
  const began = performance.now()
  let schedules = 0
  let steps = 0
  let checks = 0
  let collected = 0
  for (let seed = limits.seed; schedules < limits.count && performance.now() - began < limits.ms; seed++) {
    try {
      const result = await playSchedule(base, seed)
      schedules += 1
      steps += result.steps
      checks += result.checks
      collected += result.deletedPacks
    } catch (error) {
      say(`seed ${seed}: ${describe(error)}`)
      say(`again: npm run simulate -- --seed ${seed} --count 1`)
      return false
    }
  }
  const seconds = Math.round((performance.now() - began) / 1000)
  say(
    `${schedules} schedules from seed ${limits.seed}: ${steps} store calls, ${checks} checks, ${collected} packs collected beside backups, 0 violations, ${seconds} s`,
  )
  return true
}

/** Whether every mutant, or the one of that name, was caught by the oracle within the limits, which count for each. */
export async function findMutants(
  base: SimulationBase,
  limits: Limits,
  say: (text: string) => void,
  only = '',
): Promise<boolean> {
  let all = true
  for (const mutant of mutants.filter(({ name }) => only === '' || name === only)) {
    const caught = await findMutant(base, mutant, limits)
    if (caught === undefined) all = false
    say(caught === undefined ? `${mutant.name}: NOT caught` : `${mutant.name}: seed ${caught.seed}: ${caught.message}`)
  }
  return all
}

/** The first schedule that loses something because of the mutant; undefined within the limits. */
export async function findMutant(
  base: SimulationBase,
  mutant: Mutant,
  limits: Limits,
): Promise<{ readonly seed: number; readonly message: string } | undefined> {
  const began = performance.now()
  for (let seed = limits.seed; seed < limits.seed + limits.count && performance.now() - began < limits.ms; seed++) {
    try {
      await playSchedule(base, seed, mutant)
    } catch (error) {
      // An alarm of the code itself is no loss.
      if (error instanceof Violation) return { seed, message: error.message }
    }
  }
  return undefined
}

function describe(error: unknown): string {
  if (error instanceof Violation) return `VIOLATION: ${error.message}`
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
