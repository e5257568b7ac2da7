import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { isHoldfastError } from '../../base/index.ts'
import { BAD_DAY, FaultClock, FaultyStore, seededFaults, type FaultPlan } from '../store/index.ts'
import { expectOnePoint, ModelBackup, RepositoryLab, smallDisk } from '../testing/index.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

let lab: RepositoryLab
beforeAll(async () => {
  lab = await RepositoryLab.create()
})
afterAll(async () => {
  await lab[Symbol.asyncDispose]()
})

/** A workflow tries again; a store that never works would be another test. */
const MOST_ATTEMPTS = 60

/** So many calls went wrong on all days together. */
let faults = 0
afterAll(() => expect(faults, 'no day was bad').toBeGreaterThan(10))

const days = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday']
it.each(days)('a backup through a store on a bad day (seed %s) is one point and whole', async (seed) => {
  const own = lab.over(lab.bucket.clone())
  const model = smallDisk(3)
  const clock = new FaultClock()
  const drawn = seededFaults(seed, BAD_DAY)
  const plan: FaultPlan = (call) => {
    const fault = drawn(call)
    faults += fault === undefined ? 0 : 1
    return fault
  }
  let armed = false
  const connect = () =>
    new FaultyStore(
      own.bucket.connect(),
      (call) => (armed ? plan(call) : undefined),
      clock,
      async () => undefined,
    )
  await using repository = await own.open({ connect })
  armed = true
  const backup = new ModelBackup(repository, model)
  let attempts = 0
  const insist = async <T>(work: (attempt: number) => Promise<T>): Promise<T> => {
    for (let first = attempts; ;) {
      attempts += 1
      try {
        return await work(attempts)
      } catch (error) {
        if (!isHoldfastError(error) || attempts - first > MOST_ATTEMPTS) throw error
      }
    }
  }
  await insist(() => backup.open(repository))
  let copied = 0
  await insist(async (attempt) => {
    await backup.copy(repository, attempt)
    copied = attempt
  })
  await insist((attempt) => backup.commit(repository, attempt, copied))
  await insist(() => repository.endSession(backup.spec.session, 'committed'))
  await clock.catchUp(true)
  await expectOnePoint(own, own.bucket, model)
})
