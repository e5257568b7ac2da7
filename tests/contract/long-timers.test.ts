import { describe, expect, it } from 'vitest'
import { restoredMember } from '../../activities/testing/recovery.ts'
import { Scripted, copied, untilCancelled } from '../../activities/testing/scripted.ts'
import { sampleBackup, sampleRepository, sampleRequester } from '../../activities/testing/samples.ts'
import { HoldfastError } from '../../base/index.ts'
import { planFailure, planResult, planWorld, runPlan } from '../../server/testing/plans.ts'
import { WorkflowBench, eventually } from '../../server/testing/workflows.ts'
import { backupWorkflow, type BackupResult } from '../../workflows/backup/contract.ts'
import { recoveryWorkflow, type RecoveryInput, type RecoveryResult } from '../../workflows/recovery-plan/contract.ts'
import { approveStepUpdate } from '../../workflows/recovery-plan/contract.ts'
import { sweepWorkflow, type SweepInput, type SweepResult } from '../../workflows/retention/contract.ts'
import { controlQueue } from '../../workflows/shared/queues.ts'

// Hours, nights and years in seconds, on Temporal's time-skipping server: the real timers of the real workflows. A server
// for each test, because after a result its clock stands anywhere.

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs

describe('the window of a plan', () => {
  /** Saturday noon in Paris; in the night that follows the clocks go from 02:00 to 03:00. */
  const noon = Date.parse('2027-03-27T11:00:00Z')
  const night = { start: '22:00', end: '06:00', atEnd: 'pause' } as const
  const failure = () => {
    throw new HoldfastError('NotFound', 'the disk is not there')
  }

  /** A plan whose catalog, which its steps read, has the clock of the server. It begins at `atMs`. */
  async function planAt(atMs: number, over: Parameters<typeof planWorld>[1]) {
    const bench = await WorkflowBench.startSkipping()
    await bench.pass(atMs - (await bench.now()))
    const world = planWorld(['db-01'], { window: night, timeZone: 'Europe/Paris', ...over })
    world.clock.ms = await bench.now()
    const follow = setInterval(() => void bench.now().then((ms) => (world.clock.ms = ms)), 20)
    return {
      bench,
      world,
      async [Symbol.asyncDispose]() {
        clearInterval(follow)
        world[Symbol.dispose]()
        await bench[Symbol.asyncDispose]()
      },
    }
  }

  /** Begun on that noon; what each look of a backup at its VM comes to, and when it was. */
  async function nights(
    preflight: (call: number) => void,
    over: Parameters<typeof planWorld>[1],
    drive: typeof planResult | typeof planFailure,
  ) {
    await using at = await planAt(noon, over)
    const { bench, world } = at
    const good = new Scripted().activities.preflight
    const tries: string[] = []
    const { value, rows } = await runPlan(
      bench,
      world,
      {
        preflight: async (of) => {
          world.clock.ms = await bench.now()
          tries.push(new Date(world.clock.ms).toISOString().slice(0, 16))
          preflight(tries.length)
          return good(of)
        },
      },
      drive,
    )
    return { value, tries, rows }
  }

  it('is waited for by who begins at noon', async () => {
    const { tries, rows } = await nights(() => undefined, {}, planResult)
    expect(tries).toEqual(['2027-03-27T21:00'])
    expect(rows).toMatchObject([{ state: 'completed', attempts: 1 }])
  })

  it('is an hour shorter in the night in which the clocks go forward: the try that is due after its end comes when it opens again', async () => {
    const { tries, rows } = await nights(
      (call) => {
        if (call < 6) failure()
      },
      { retries: 9, retryAfterMs: 90 * minuteMs },
      planResult,
    )
    // The next is due at 04:30 UTC: 06:30 since the clocks went forward, 05:30 and in time had they not.
    expect(tries.map((at) => at.slice(8))).toEqual([
      '27T21:00',
      '27T22:30',
      '28T00:00',
      '28T01:30',
      '28T03:00',
      // 22:00, now in summer time.
      '28T20:00',
    ])
    expect(rows).toMatchObject([{ state: 'completed', attempts: 6 }])
  })

  it('that ends in the middle of a disk stops the copy then, and the next night goes on in the same point', async () => {
    const end = Date.parse('2027-03-28T04:00:00Z')
    // While a step is under way this clock goes as any other.
    await using at = await planAt(end - 15_000, {})
    const { bench, world } = at
    const begun: number[] = []
    const stopped: number[] = []
    const { value, steps, rows } = await runPlan(
      bench,
      world,
      {
        copyDisk: async (of) => {
          begun.push(await bench.now())
          if (of.attemptBase > 0) return copied(of)
          try {
            return await untilCancelled()
          } finally {
            stopped.push(await bench.now())
          }
        },
      },
      planResult,
    )
    expect(value.counts).toMatchObject({ completed: 1, failed: 0 })
    for (const ms of stopped) {
      expect(ms).toBeGreaterThanOrEqual(end)
      expect(ms).toBeLessThan(end + minuteMs)
    }
    expect(begun.map((ms) => new Date(ms).toISOString().slice(8, 16))).toEqual([
      ...['28T03:59', '28T03:59'],
      ...['28T20:00', '28T20:00'],
    ])
    expect(steps.inputs('openPoint')).toHaveLength(1)
    expect(steps.inputs('abortPoint')).toEqual([])
    expect(rows).toMatchObject([{ state: 'completed', attempts: 1 }])
  })

  it('that fails at its end leaves what waits for its next try', async () => {
    const { value, tries, rows } = await nights(
      failure,
      { window: { ...night, atEnd: 'fail' }, retries: 9, retryAfterMs: 5 * hourMs },
      planFailure,
    )
    expect(tries).toEqual(['2027-03-27T21:00', '2027-03-28T02:00'])
    expect(value).toMatchObject({ type: 'PlanIncomplete' })
    expect(rows).toMatchObject([{ attempts: 2 }])
  })
})

describe('a sweep', () => {
  const input: SweepInput = {
    v: 1,
    repository: sampleRepository,
    mode: 'sweep',
    approval: 'grace',
    graceMs: dayMs,
    approveWithinMs: 3 * dayMs,
    maxShare: 0.5,
    collect: 'auto',
    waits: 'usual',
    requestedBy: sampleRequester,
    tuning: {},
  }
  /** With when, by the clock of the server, its plan was made and its first tombstone put; null: none was. */
  async function sweep(over: Partial<SweepInput>) {
    await using bench = await WorkflowBench.startSkipping()
    let plannedMs = 0
    let sweptMs: number | null = null
    const good = new Scripted().activities
    const steps = new Scripted({
      planSweep: async (of) => {
        plannedMs = await bench.now()
        return good.planSweep(of)
      },
      tombstonePoints: async (of) => {
        sweptMs ??= await bench.now()
        return good.tombstonePoints(of)
      },
    })
    const { value } = await bench.run(sweepWorkflow, { ...input, ...over }, steps.activities, (handle) => {
      return handle.result() as Promise<SweepResult>
    })
    return { value, steps, waitedMs: sweptMs === null ? null : sweptMs - plannedMs }
  }

  it('removes nothing before its grace time is over, and does not wait for longer', async () => {
    const { value, waitedMs, steps } = await sweep({})
    expect(value).toMatchObject({ ended: 'completed', removed: 3 })
    expect(waitedMs).toBeGreaterThanOrEqual(dayMs)
    expect(waitedMs).toBeLessThan(dayMs + minuteMs)
    // What was held meanwhile is seen: it looks again after the wait.
    expect(steps.inputs('surveyRetention')).toHaveLength(2)
  })

  it('that needs a person waits for three days, and then removes nothing', async () => {
    const { value, waitedMs, steps } = await sweep({ approval: 'required' })
    expect(value).toMatchObject({ ended: 'declined', removed: 0 })
    expect(waitedMs).toBeNull()
    const states = steps.inputs('recordSweepState')
    const [waiting, declined] = [states.at(0), states.at(-1)]
    expect(waiting).toMatchObject({ state: 'waiting', waits: { for: 'approval' } })
    expect(declined?.endedMs).toBeGreaterThanOrEqual(waiting?.waits?.untilMs ?? Number.POSITIVE_INFINITY)
  })
})

describe('a backup', () => {
  const resultOf = (bench: WorkflowBench, steps: Scripted) =>
    bench.run(backupWorkflow, sampleBackup(), steps.activities, (handle) => handle.result() as Promise<BackupResult>)

  it('into a full repository looks again every minute, then every five, and goes on after a night of waiting', async () => {
    await using bench = await WorkflowBench.startSkipping()
    const good = new Scripted().activities.openSession
    const looks: number[] = []
    const madeRoomAfterMs = 9 * hourMs
    const steps = new Scripted({
      openSession: async (of) => {
        looks.push(await bench.now())
        if ((looks.at(-1) ?? 0) - (looks[0] ?? 0) < madeRoomAfterMs)
          throw new HoldfastError('StoreFull', 'the repository is full')
        return good(of)
      },
    })
    const { value } = await resultOf(bench, steps)
    expect(value).toMatchObject({ outcome: 'completed' })
    const pauses = looks.slice(1).map((at, index) => Math.round((at - (looks[index] ?? 0)) / minuteMs))
    expect(new Set(pauses)).toEqual(new Set([1, 5]))
    expect(pauses).toEqual(pauses.toSorted((a, b) => a - b))
    // Nothing was given back meanwhile, and the point in time is the one of the evening.
    expect(steps.inputs('openPoint')).toHaveLength(1)
  })

  it('asks for its slot again where no word of the governor comes through', async () => {
    await using bench = await WorkflowBench.startSkipping()
    const good = new Scripted().activities.claimSlots
    const asked: number[] = []
    const steps = new Scripted({
      claimSlots: async (of) => {
        asked.push(await bench.now())
        return asked.length < 30 ? { granted: false, waitsFor: ['host/lab'] } : good(of)
      },
    })
    expect((await resultOf(bench, steps)).value).toMatchObject({ outcome: 'completed' })
    const waitedMs = (asked.at(-1) ?? 0) - (asked[0] ?? 0)
    expect(Math.round(waitedMs / minuteMs)).toBe(29 * 5)
  })
})

it('a recovery plan that is run for real waits for its person for more than a year, and goes on at the word', async () => {
  await using bench = await WorkflowBench.startSkipping()
  const input: RecoveryInput = {
    ...{ v: 1, planId: 'the-shop', planName: 'The shop', mode: 'run', untilMs: null, withoutPeople: false },
    ...{ patienceMs: dayMs, requestedBy: sampleRequester },
  }
  const steps = new Scripted({ planMember: async ({ vmId, attempt }) => restoredMember(vmId, attempt) })
  const value = await bench.during(steps.activities, async () => {
    const options = { workflowId: 'recovery/the-shop', taskQueue: controlQueue, args: [input] }
    const handle = await bench.client.start(recoveryWorkflow, options)
    const waits = () => steps.inputs('noteTier').some(({ change }) => change.waitsFor?.id === 'before-0')
    await eventually('the step by hand', waits)
    await bench.pass(370 * dayMs)
    expect((await handle.describe()).status.name).toBe('RUNNING')
    const word = { user: 'ann', reason: 'back from leave', tier: 'app', wait: 'before-0' }
    await handle.executeUpdate(approveStepUpdate, { args: [word] })
    return handle.result() as Promise<RecoveryResult>
  })
  expect(value).toMatchObject({ outcome: 'completed', vms: 3, residue: [] })
  expect(value.waitedMs).toBeGreaterThan(370 * dayMs)
})
