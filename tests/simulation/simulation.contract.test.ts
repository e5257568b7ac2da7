import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { howToRepeat, isExhaustive, seed } from '../support/sampling.ts'
import { mutants, scenes } from './mutants.ts'
import { findMutant, playMany } from './play.ts'
import { SimulationBase } from './world.ts'

const MINUTES = 60_000

let base: SimulationBase
beforeAll(async () => {
  base = await SimulationBase.create()
})
afterAll(() => base[Symbol.asyncDispose]())

describe('schedules of the real code', () => {
  it('break no promise', async () => {
    const said: string[] = []
    // Others in each run: all runs together are a long one.
    const from = { seed: seed * 100, count: isExhaustive ? 24 : 6 }
    const isSound = await playMany(base, { ...from, ms: 8 * MINUTES }, (text) => said.push(text))
    console.info(said.join('\n'))
    expect(isSound, [howToRepeat, ...said].join('\n')).toBe(true)
  })

  it.each(scenes)('lose nothing while $name', async (scene) => {
    expect(await findMutant(base, scene, { seed: 1, count: 3, ms: 8 * MINUTES })).toBeUndefined()
  })

  it.each(mutants)('catch what is left out: $rule', async (mutant) => {
    // Where it was caught when this was written; after a change of the code it may be elsewhere.
    const caught = await findMutant(base, mutant, { seed: mutant.seed, count: 60, ms: 8 * MINUTES })
    expect(caught?.message).toMatch(/does not restore|is gone/)
  })
})
