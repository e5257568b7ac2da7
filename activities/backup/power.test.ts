import { expect, test } from 'vitest'
import { HoldfastError } from '../../base/index.ts'
import type { PowerState } from '../../drivers/index.ts'
import { sampleEndpoint, sampleVm } from '../testing/samples.ts'
import type { Operation } from '../shared/operation.ts'
import { shutDown, startAgain } from './power.ts'

const round = { endpoint: sampleEndpoint, vm: sampleVm, pointId: 'b'.repeat(32) as never }

/** A VM that is in these states, one after the other, each time that something is asked of it. */
function vmThat(answers: readonly ({ before: PowerState; after: PowerState } | HoldfastError)[]) {
  const asked: string[] = []
  const power = async (_ctx: unknown, _vm: unknown, want: string) => {
    const answer = answers[Math.min(asked.length, answers.length - 1)]
    asked.push(want)
    if (answer === undefined) throw new Error('nothing to answer')
    if (answer instanceof HoldfastError) throw answer
    return answer
  }
  const operation = { driver: { power }, ctx: { signal: new AbortController().signal } } as unknown as Operation
  return { asked, operation }
}

const goesDown = { before: 'running', after: 'stopped' } as const
const isStarted = { before: 'stopped', after: 'running' } as const
const runs = { before: 'running', after: 'running' } as const

test('a guest is asked to shut down, and its plug is never pulled', async () => {
  const good = vmThat([goesDown])
  expect(await shutDown(good.operation, { ...round, limitMs: 1000 })).toEqual({ after: 'stopped' })
  const deaf = vmThat([new HoldfastError('GuestRefused', 'no')])
  await expect(shutDown(deaf.operation, { ...round, limitMs: 300_000 })).rejects.toMatchObject({
    code: 'GuestRefused',
    message: 'erp-db-01 did not shut down for its backup within 5 min',
    hint: expect.stringContaining('not switched off by force') as string,
  })
  expect([...good.asked, ...deaf.asked]).toEqual(['stopped', 'stopped'])
})

test('what else goes wrong is said as it is', async () => {
  const away = vmThat([new HoldfastError('NetworkFailure', 'no route')])
  await expect(shutDown(away.operation, { ...round, limitMs: 1000 })).rejects.toMatchObject({ code: 'NetworkFailure' })
})

test('a VM is started once, and one that runs is left alone', async () => {
  const down = vmThat([isStarted])
  expect(await startAgain(down.operation, { ...round, watchMs: 0 })).toEqual(isStarted)
  const up = vmThat([runs])
  expect(await startAgain(up.operation, { ...round, watchMs: 0 })).toEqual(runs)
  expect([...down.asked, ...up.asked]).toEqual(['running', 'running'])
})

test('a guest that goes down later than anybody waited for is started all the same', async () => {
  const late = vmThat([runs, isStarted])
  expect(await startAgain(late.operation, { ...round, watchMs: 60_000 })).toEqual(isStarted)
  expect(late.asked).toHaveLength(2)
})

test('a guest that never goes down is watched for as long as it was said', async () => {
  const vm = vmThat([runs])
  expect(await startAgain(vm.operation, { ...round, watchMs: 900 })).toEqual(runs)
  expect(vm.asked).toHaveLength(2)
})

test('a VM that does not come to run is an alarm', async () => {
  const stuck = vmThat([{ before: 'stopped', after: 'io-error' }])
  await expect(startAgain(stuck.operation, { ...round, watchMs: 0 })).rejects.toMatchObject({ code: 'GuestStuck' })
})
