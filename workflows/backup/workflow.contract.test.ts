import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WorkflowFailedError, WorkflowUpdateFailedError } from '@temporalio/client'
import { ApplicationFailure, CancelledFailure } from '@temporalio/common'
import { HoldfastError } from '../../base/index.ts'
import type { SerializedError } from '../../base/index.ts'
import { sampleBackup, sampleRequester } from '../../activities/testing/samples.ts'
import { Scripted, copied, parentId, untilCancelled } from '../../activities/testing/scripted.ts'
import { WorkflowBench, eventually } from '../../server/testing/workflows.ts'
import { backupWorkflow } from './contract.ts'
import type { BackupResult } from './contract.ts'

const records = ['recordRunStarted', 'claimSlots', 'recordPoint', 'recordRunFinished'] as const

let bench: WorkflowBench
beforeAll(async () => {
  bench = await WorkflowBench.start()
})
afterAll(async () => bench[Symbol.asyncDispose]())

const backup = (script: ConstructorParameters<typeof Scripted>[0], over: Parameters<typeof sampleBackup>[0] = {}) => {
  const steps = new Scripted(script)
  const run = <T>(watch: (handle: Parameters<Parameters<WorkflowBench['run']>[3]>[0]) => Promise<T>) =>
    bench.run(backupWorkflow, sampleBackup(over), steps.activities, watch)
  return { steps, run }
}

/** What a failed run tells its caller. */
async function failureOf(result: Promise<unknown>): Promise<SerializedError> {
  const error = await result.then(
    () => expect.unreachable('the run should have failed'),
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(WorkflowFailedError)
  const { cause } = error as WorkflowFailedError
  expect(cause).toBeInstanceOf(ApplicationFailure)
  return (cause as ApplicationFailure).details?.[0] as SerializedError
}

describe('a backup that goes well', () => {
  it('does its steps in the order that makes it safe, within 150 events', async () => {
    const { steps, run } = backup({})
    const { value, history } = await run((handle) => handle.result() as Promise<BackupResult>)
    expect(steps.names('copyDisk', 'recordRunStarted', 'claimSlots', 'recordRunFinished')).toEqual([
      'knownDamage',
      'preflight',
      'openPoint',
      'openSession',
      'auditTracker',
      'checkPoint',
      'commitBackup',
      'releasePoint',
      'recordPoint',
      'spotCheck',
      'comparePoint',
      'recordChange',
      'endSession',
    ])
    expect(value).toMatchObject({ outcome: 'completed', spotCheckedChunks: 64, freezeDurationMs: 126, residue: [] })
    expect(value.disks.map(({ disk, mode, attempts }) => [disk, mode, attempts])).toEqual([
      ['virtio0', 'incremental', 1],
      ['virtio1', 'incremental', 1],
    ])
    expect(history.events.length).toBeLessThanOrEqual(150)
  })

  it('says in words for people what every step does', async () => {
    const { run } = backup({})
    const { history } = await run((handle) => handle.result())
    const scheduled = history.events.filter(({ eventType }) => eventType === 'EVENT_TYPE_ACTIVITY_TASK_SCHEDULED')
    expect(scheduled.length).toBeGreaterThan(10)
    for (const event of scheduled) expect(event['userMetadata'], `event ${event.eventId}`).toHaveProperty('summary')
  })

  it('copies the point that the freeze made, with the parent that preflight found', async () => {
    const { steps, run } = backup({})
    const { value } = await run((handle) => handle.result() as Promise<BackupResult>)
    const [session] = steps.inputs('openSession')
    expect(session?.point.id).toBe(value.pointId)
    expect(session?.parentStem).toContain(parentId)
    expect(session?.parts.map(({ part, disk, firstPage, nPages }) => [part, disk, firstPage, nPages])).toEqual([
      [1, 'virtio0', 0, 2],
      [2, 'virtio1', 0, 1],
    ])
    expect(steps.inputs('commitBackup')[0]?.results).toEqual([
      { part: 1, attempt: 1 },
      { part: 2, attempt: 1 },
    ])
    expect(steps.inputs('releasePoint')[0]?.stored).toEqual(['virtio0', 'virtio1'])
  })

  it('reads a disk in full when the audit has caught the tracker', async () => {
    const { steps, run } = backup({
      auditTracker: async () => ({ checkedChunks: 3, mismatched: [{ disk: 'virtio1' as never, offset: 0 }] }),
    })
    const { value } = await run((handle) => handle.result() as Promise<BackupResult>)
    expect(
      steps
        .inputs('copyDisk')
        .map(({ range, mode }) => `${range.disk} ${mode}`)
        .sort(),
    ).toEqual(['virtio0 incremental', 'virtio1 full'])
    expect(value.disks[1]).toMatchObject({ mode: 'full', why: 'audit-mismatch' })
  })
})

describe('a round that cannot be finished', () => {
  it('is replaced by one with a fresh point when the point broke, after everything of it was undone', async () => {
    const { steps, run } = backup({
      checkPoint: async (_input, call) => {
        if (call < 3) throw new HoldfastError('PointBroken', 'the scratch file failed')
      },
    })
    const { value } = await run((handle) => handle.result() as Promise<BackupResult>)
    expect(value.outcome).toBe('completed')
    const points = steps.inputs('openPoint').map(({ pointId }) => pointId)
    expect(new Set(points).size).toBe(3)
    expect(steps.inputs('abortPoint').map(({ pointId }) => pointId)).toEqual(points.slice(0, 2))
    expect(steps.names().indexOf('abortPoint')).toBeLessThan(steps.names().lastIndexOf('openPoint'))
  })

  it('is not replaced a third time', async () => {
    const { steps, run } = backup({
      checkPoint: async () => {
        throw new HoldfastError('PointBroken', 'the scratch file failed')
      },
    })
    const { value } = await run((handle) => failureOf(handle.result()))
    expect(value.code).toBe('PointBroken')
    expect(steps.inputs('openPoint')).toHaveLength(3)
    expect(steps.inputs('abortPoint')).toHaveLength(3)
    expect(steps.inputs('releasePoint')).toHaveLength(0)
  })

  it('makes a disk full whose changes are not known, and only that one', async () => {
    const { steps, run } = backup({
      copyDisk: async (input) => {
        if (input.range.disk === 'virtio0' && input.mode === 'incremental') {
          throw new HoldfastError('ChangeRefInvalid', 'the bitmap is gone', {
            data: { disk: 'virtio0', why: 'reference-missing' },
          })
        }
        return copied(input)
      },
    })
    const { value } = await run((handle) => handle.result() as Promise<BackupResult>)
    const last = steps.inputs('openPoint').at(-1)?.request.disks
    expect(last?.map(({ disk, full }) => [disk, full])).toEqual([
      ['virtio0', 'reference-missing'],
      ['virtio1', null],
    ])
    expect(value.disks.map(({ mode }) => mode)).toEqual(['full', 'incremental'])
  })
})

describe('a guest that cannot be frozen', () => {
  const script: ConstructorParameters<typeof Scripted>[0] = {
    openPoint: async (input, call) => {
      if (input.request.want !== 'crash') throw new HoldfastError('QuiesceFailed', 'the agent does not answer')
      return new Scripted().activities
        .openPoint(input)
        .then((point) => ({ ...point, consistency: 'crash' as const, call }))
    },
  }
  it('is backed up crash-consistent where the policy allows it', async () => {
    const { value } = await backup(script).run((handle) => handle.result() as Promise<BackupResult>)
    expect(value.consistency).toBe('crash')
  })
  it('fails the run where the policy does not', async () => {
    const { steps, run } = backup(script, { onQuiesceFailure: 'fail' })
    const { value } = await run((handle) => failureOf(handle.result()))
    expect(value.code).toBe('QuiesceFailed')
    expect(steps.names().slice(-4)).toEqual(['ensureRunning', 'abortPoint', 'endSession', 'recordRunFinished'])
  })
})

it('the freeze is tried three times at most, whatever went wrong, and never waited for', async () => {
  for (const code of ['HypervisorTimeout', 'Busy', 'GuestStuck'] as const) {
    const { steps, run } = backup(
      {
        openPoint: async () => {
          throw new HoldfastError(code, 'no answer', { retryAfter: 50 })
        },
      },
      { tuning: { reprobeMs: 20, operatorWaitMs: 60_000 } },
    )
    const { value } = await run((handle) => failureOf(handle.result()))
    expect(value.code).toBe(code)
    expect(steps.inputs('openPoint').length).toBeLessThanOrEqual(3)
    expect(steps.names()).toContain('ensureRunning')
  }
})

describe('a run that needs a person', () => {
  it('waits at the step, and goes on in the same point when told that there is space again', async () => {
    let full = true
    const { steps, run } = backup({
      copyDisk: async (input) => {
        if (full && input.range.disk === 'virtio0') throw new HoldfastError('StoreFull', 'the repository main is full')
        return copied(input)
      },
    })
    const { value } = await run(async (handle) => {
      await eventually('the failed copy', () => steps.inputs('copyDisk').length >= 2)
      full = false
      await eventually('the wait', () =>
        handle.executeUpdate('retryNow', { args: [sampleRequester] }).then(
          () => true,
          () => false,
        ),
      )
      return handle.result() as Promise<BackupResult>
    })
    const starts = steps.inputs('copyDisk').filter(({ range }) => range.disk === 'virtio0')
    expect(starts.map(({ attemptBase }) => attemptBase)).toEqual([0, 128])
    expect(new Set(starts.map(({ session }) => session)).size).toBe(1)
    expect(steps.inputs('openPoint')).toHaveLength(1)
    expect(value.disks[0]?.attempts).toBe(2)
  })

  it('looks again by itself', async () => {
    const { steps, run } = backup(
      {
        preflight: async (input, call) => {
          if (call === 1) throw new HoldfastError('AccessDenied', 'the account may not take snapshots')
          return new Scripted().activities.preflight(input)
        },
      },
      { tuning: { reprobeMs: 100 } },
    )
    const { history } = await run((handle) => handle.result())
    expect(steps.inputs('preflight')).toHaveLength(2)
    const timer = history.events.find(({ eventType }) => eventType === 'EVENT_TYPE_TIMER_STARTED')
    expect(timer?.['userMetadata']).toHaveProperty('summary')
  })

  it('gives up with the cause when nobody came within the waiting time', async () => {
    const { steps, run } = backup(
      {
        copyDisk: async () => {
          throw new HoldfastError('StoreFull', 'the repository main is full')
        },
      },
      { tuning: { reprobeMs: 50, operatorWaitMs: 300 } },
    )
    const { value } = await run((handle) => failureOf(handle.result()))
    expect(value).toMatchObject({ code: 'StoreFull', message: 'the repository main is full' })
    expect(steps.names().slice(-4)).toEqual(['ensureRunning', 'abortPoint', 'endSession', 'recordRunFinished'])
  })
})

it('a step whose own retries last long is not waited for many times over', async () => {
  const { steps, run } = backup(
    {
      preflight: async () => {
        await new Promise((resolve) => setTimeout(resolve, 1_000))
        const { message, ...error } = new HoldfastError('NetworkFailure', 'no route to the hypervisor').toJSON()
        // As after all its retries.
        throw ApplicationFailure.nonRetryable(message, error.code, { ...error, message })
      },
    },
    { tuning: { reprobeMs: 100, operatorWaitMs: 1_000 } },
  )
  const { value } = await run((handle) => failureOf(handle.result()))
  expect(value.code).toBe('NetworkFailure')
  expect(steps.inputs('preflight')).toHaveLength(2)
})

it('the look at the hypervisor is given up soon for a plan, which tries again by itself, and late for a person', async () => {
  for (const [plan, limit] of [
    ['nightly', '900s'],
    [null, '43200s'],
  ] as const) {
    const { history } = await backup({}, { plan }).run((handle) => handle.result())
    const asked = history.events.map(
      (event) => event['activityTaskScheduledEventAttributes'] as { [name: string]: unknown } | undefined,
    )
    expect(asked.find((of) => of?.['activityId'] === 'preflight')?.['scheduleToCloseTimeout']).toBe(limit)
  }
})

describe('pause and resume', () => {
  it('stops the movers, keeps the point, and starts them again from their journal', async () => {
    let going = true
    const { steps, run } = backup({ copyDisk: async (input) => (going ? untilCancelled() : copied(input)) })
    const { value } = await run(async (handle) => {
      await eventually('both copies', () => steps.inputs('copyDisk').length === 2)
      await handle.executeUpdate('pause', { args: [{ user: 'ann', reason: 'maintenance' }] })
      await expect(handle.executeUpdate('pause', { args: [sampleRequester] })).rejects.toBeInstanceOf(
        WorkflowUpdateFailedError,
      )
      going = false
      await handle.executeUpdate('resume', { args: [sampleRequester] })
      return handle.result() as Promise<BackupResult>
    })
    expect(steps.inputs('openPoint')).toHaveLength(1)
    expect(
      steps
        .inputs('copyDisk')
        .map(({ attemptBase }) => attemptBase)
        .sort(),
    ).toEqual([0, 0, 128, 128].sort())
    expect(value.outcome).toBe('completed')
  })

  it('refuses to resume what runs, to pause without a name, and to pause while the point is committed', async () => {
    let release: () => void = () => undefined
    const committing = new Promise<void>((resolve) => (release = resolve))
    const { steps, run } = backup({
      commitBackup: async (input) => {
        await committing
        return new Scripted().activities.commitBackup(input)
      },
    })
    await run(async (handle) => {
      await eventually('the commit', () => steps.inputs('commitBackup').length === 1)
      for (const [update, argument] of [
        ['resume', sampleRequester],
        ['retryNow', sampleRequester],
        ['pause', { user: '', reason: '' }],
        ['pause', sampleRequester],
      ] as const) {
        await expect(handle.executeUpdate(update, { args: [argument] }), update).rejects.toBeInstanceOf(
          WorkflowUpdateFailedError,
        )
      }
      release()
      return handle.result() as Promise<BackupResult>
    })
  })
})

describe('cancel', () => {
  it('ends as cancelled within ten seconds: the guest runs, the point is gone, nothing was committed', async () => {
    const { steps, run } = backup({ copyDisk: () => untilCancelled() })
    const { value: tookMs } = await run(async (handle) => {
      await eventually('both copies', () => steps.inputs('copyDisk').length === 2)
      await handle.signal('cancelNote', { user: 'ann', reason: 'wrong VM' })
      const from = Date.now()
      await handle.cancel()
      const error: unknown = await handle.result().catch((thrown: unknown) => thrown)
      expect((error as WorkflowFailedError).cause).toBeInstanceOf(CancelledFailure)
      return Date.now() - from
    })
    expect(tookMs).toBeLessThan(10_000)
    expect(steps.names().slice(-4)).toEqual(['ensureRunning', 'abortPoint', 'endSession', 'recordRunFinished'])
    expect(steps.inputs('endSession')[0]?.outcome).toBe('failed')
    expect(steps.inputs('recordRunFinished')[0]).toMatchObject({
      outcome: 'cancelled',
      residue: [],
      summary: 'cancelled by ann, nothing was left behind',
    })
    expect(steps.names()).not.toContain('commitBackup')
  })

  it('does not wait for a mover that does not answer', async () => {
    const hung: (() => void)[] = []
    const { steps, run } = backup(
      {
        copyDisk: (input) => {
          const late = copied(input)
          return new Promise((resolve) => hung.push(() => resolve(late)))
        },
      },
      { tuning: { moverHeartbeatMs: 60_000 } },
    )
    const { value: tookMs } = await run(async (handle) => {
      await eventually('both copies', () => hung.length === 2)
      const from = Date.now()
      await handle.cancel()
      await expect(handle.result()).rejects.toBeInstanceOf(WorkflowFailedError)
      for (const wake of hung) wake()
      return Date.now() - from
    })
    expect(tookMs).toBeLessThan(10_000)
    expect(steps.names().slice(-4)).toEqual(['ensureRunning', 'abortPoint', 'endSession', 'recordRunFinished'])
  })

  it('comes too late for a point that is validated meanwhile', async () => {
    let handleOf: { cancel(): Promise<unknown> } | undefined
    const { steps, run } = backup({
      commitBackup: async (input) => {
        await handleOf?.cancel()
        return new Scripted().activities.commitBackup(input)
      },
    })
    const { value } = await run((handle) => {
      handleOf = handle
      return handle.result() as Promise<BackupResult>
    })
    expect(value).toMatchObject({ outcome: 'completed', spotCheckedChunks: 0 })
    expect(steps.names()).toContain('releasePoint')
    expect(steps.names()).not.toContain('abortPoint')
  })
})

describe('a commit that ends without an answer', () => {
  const lost = {
    commitBackup: async () => {
      throw new HoldfastError('CommitRefused', 'the answer was lost')
    },
  }
  it('counts when the repository has the point', async () => {
    const { steps, run } = backup({
      ...lost,
      findCommitted: async ({ pointId }) => ({
        stem: `snap/x/${pointId}`,
        validatedMs: 5,
        createdMs: 1,
        rescued: 0,
        manifestBytes: 0,
      }),
    })
    const { value } = await run((handle) => handle.result() as Promise<BackupResult>)
    expect(value.stem).toContain(value.pointId)
    expect(steps.names()).toContain('releasePoint')
  })
  it('does not count, and never advances the change reference, when it has not', async () => {
    const { steps, run } = backup(lost)
    const { value } = await run((handle) => failureOf(handle.result()))
    expect(value.code).toBe('CommitRefused')
    expect(steps.names()).not.toContain('releasePoint')
    expect(steps.names()).toContain('abortPoint')
    expect(steps.inputs('recordRunFinished')[0]?.residue).toEqual([])
  })
  it('is said to be unknown when nobody can tell whether it has', async () => {
    const { steps, run } = backup({
      ...lost,
      findCommitted: async () => {
        throw new HoldfastError('StoreDenied', 'the repository cannot be listed')
      },
    })
    const { value } = await run((handle) => failureOf(handle.result()))
    expect(value.code).toBe('CommitRefused')
    const [end] = steps.inputs('recordRunFinished')
    expect(end?.residue).toMatchObject([{ kind: 'unknown-point', error: 'the repository cannot be listed' }])
    expect(end?.residue[0]?.hint).toContain('repo ls')
    expect(end?.summary).not.toContain('nothing was left')
  })
})

describe('what cannot be undone', () => {
  it('is residue of the run, and does not hide the first error', async () => {
    const { steps, run } = backup({
      openSession: async () => {
        throw new HoldfastError('Unsupported', 'no')
      },
      abortPoint: async () => {
        throw new HoldfastError('Unsupported', 'the snapshot is held by another tool')
      },
    })
    const { value } = await run((handle) => failureOf(handle.result()))
    expect(value.code).toBe('Unsupported')
    expect(value.message).toBe('no')
    const [end] = steps.inputs('recordRunFinished')
    expect(end?.residue).toMatchObject([{ kind: 'snapshot', error: 'the snapshot is held by another tool' }])
    expect(steps.names()).toContain('endSession')
  })

  it('makes a good run one with residue, and the point stays', async () => {
    const { run } = backup({
      releasePoint: async () => ({ refs: [], residue: [{ kind: 'scratch', id: 's0', error: 'busy', hint: 'later' }] }),
    })
    const { value } = await run((handle) => handle.result() as Promise<BackupResult>)
    expect(value).toMatchObject({ outcome: 'completed-with-residue', residue: [{ id: 's0' }] })
  })
})

describe('what changed before the point', () => {
  it('is judged once the point is read back', async () => {
    const { steps, run } = backup({})
    const { value } = await run((handle) => handle.result() as Promise<BackupResult>)
    expect(steps.inputs('comparePoint')).toMatchObject([{ stem: value.stem }])
    expect(steps.inputs('recordChange')).toMatchObject([{ pointId: value.pointId, problem: null }])
  })
  it('fails nothing where it cannot be told, and that is written down', async () => {
    const { steps, run } = backup({
      comparePoint: async () => {
        throw new HoldfastError('ChunkLost', 'page 3 of virtio0 is lost')
      },
    })
    const { value } = await run((handle) => handle.result() as Promise<BackupResult>)
    expect(value).toMatchObject({ outcome: 'completed', residue: [] })
    expect(steps.inputs('recordChange')).toMatchObject([{ change: null, problem: 'page 3 of virtio0 is lost' }])
  })
})

describe('a point that cannot be read back', () => {
  const damaged = {
    spotCheck: async () => {
      throw new HoldfastError('ChunkLost', 'chunk 7 of virtio0 is damaged')
    },
  }
  it('fails the run although it is validated, is written down as damaged, and nothing stays open', async () => {
    const { steps, run } = backup(damaged)
    const { value } = await run((handle) => failureOf(handle.result()))
    expect(value.code).toBe('ChunkLost')
    expect(steps.names(...records)).not.toContain('abortPoint')
    expect(steps.names().slice(-4)).toEqual(['spotCheck', 'recordDamage', 'endSession', 'recordRunFinished'])
    expect(steps.inputs('endSession')[0]?.outcome).toBe('committed')
    expect(steps.inputs('recordDamage')[0]).toMatchObject({
      pointId: steps.inputs('recordPoint')[0]?.pointId,
      error: { message: 'chunk 7 of virtio0 is damaged' },
    })
  })
  it('says what stays open when the session cannot be ended either', async () => {
    const { steps, run } = backup({
      ...damaged,
      endSession: async () => {
        throw new HoldfastError('Unsupported', 'no')
      },
    })
    await run((handle) => failureOf(handle.result()))
    expect(steps.inputs('recordRunFinished')[0]?.residue).toMatchObject([{ kind: 'lease' }])
  })
  it('is told to the preflight of the next backup', async () => {
    const { steps, run } = backup({ knownDamage: async () => ({ points: [parentId] }) })
    await run((handle) => handle.result())
    expect(steps.inputs('preflight')[0]?.damaged).toEqual([parentId])
  })
})

it('what the policy says reaches the hypervisor: disks, hooks, the full interval; and the point says which plan made it', async () => {
  const hook = { when: 'before-freeze', path: '/bin/dump', args: ['-q'], timeoutMs: 1500, onFailure: 'fail' } as const
  const selection = { roles: 'data', include: [], exclude: [{ label: 'scratch*' }], honourNobak: true } as const
  const fulls = [{ disk: 'virtio0', createdMs: 1 }]
  const over = { plan: 'nightly', hooks: [hook], disks: selection, fullEveryMs: 86_400_000 }
  const { steps, run } = backup({ knownDamage: async () => ({ points: [], fulls }) }, over)
  await run((handle) => handle.result())
  const { timeoutMs: _, ...rest } = hook
  const asked = { ...rest, timeout: 1500 }
  expect(steps.inputs('preflight')[0]).toMatchObject({
    selection,
    hooks: [asked],
    fullInterval: { everyMs: 86_400_000, lastFulls: fulls },
  })
  expect(steps.inputs('openPoint')[0]?.request.hooks).toEqual([asked])
  expect(steps.inputs('recordPoint')[0]?.plan).toBe('nightly')
})

it('a VM without disks is refused before anything is opened', async () => {
  const { steps, run } = backup({
    preflight: async (input) => ({
      ...(await new Scripted().activities.preflight(input)),
      disks: [],
      skipped: [{ disk: 'virtio0' as never, label: 'cd', why: 'read-only-media' }],
    }),
  })
  const { value } = await run((handle) => failureOf(handle.result()))
  expect(value).toMatchObject({ code: 'Unsupported', hint: 'cd: read-only-media' })
  expect(steps.names(...records)).toEqual(['knownDamage', 'preflight'])
})

it('a catalog that cannot be written does not stop a backup', async () => {
  const { run } = backup({
    recordPoint: async () => {
      throw new HoldfastError('ConfigInvalid', 'the catalog is read-only')
    },
  })
  const { value } = await run((handle) => handle.result() as Promise<BackupResult>)
  expect(value.outcome).toBe('completed-with-residue')
  expect(value.residue).toMatchObject([{ kind: 'record' }])
})
