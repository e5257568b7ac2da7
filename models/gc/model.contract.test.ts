import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'
import { isExhaustive, seed } from '../../tests/support/sampling.ts'
import { tables } from './index.ts'

/** In a process of its own: what a test runner makes of the code takes twice as long, and this is minutes of pure arithmetic. */
describe('the model of the repository protocol', () => {
  let said: string
  let code: number
  beforeAll(async () => {
    const main = fileURLToPath(new URL('main.ts', import.meta.url))
    const args = [main, '--quiet', ...(isExhaustive ? [] : [`--seed=${seed}`])]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    const [output, [status]] = await Promise.all([text(child.stdout), once(child, 'exit') as Promise<[number]>])
    said = output
    code = status
  })

  it('is safe in every configuration and in every random walk, and catches every mutant', () => {
    expect(said.split('\n').filter((line) => line.startsWith('FAIL'))).toEqual([])
    expect(said).toContain('model holds')
    expect(code).toBe(0)
  })

  it('has run all that there is', () => {
    const { searches, walks, mutantRuns } = tables(false)
    const rows = said.split('\n').filter((line) => line.startsWith('ok  '))
    expect(rows).toHaveLength(searches.length + walks.length + mutantRuns.length)
    expect(said).toContain(`${mutantRuns.length} mutant runs caught, 0 not`)
  })
})
