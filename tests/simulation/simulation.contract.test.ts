import { describe, expect, it } from 'vitest'
import { mutants } from './mutants.ts'
import { playMany, findMutant } from './play.ts'

const MINUTES = 60_000

describe('schedules of the real code', () => {
  it('break no promise', async () => {
    const said: string[] = []
    const isSound = await playMany({ seed: 1, count: 24, ms: 4 * MINUTES }, (text) => said.push(text))
    expect(isSound, said.join('\n')).toBe(true)
  })

  it.each(mutants)('catch what is left out: $rule', async (mutant) => {
    // Where it was caught when this was written; after a change of the code it may be elsewhere.
    const caught = await findMutant(mutant, { seed: mutant.seed, count: 120, ms: 4 * MINUTES })
    expect(caught?.message).toMatch(/does not restore|is gone/)
  })
})
