import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { PendingStep, RunFacts, RunHistory, Runbook, Step } from './index.ts'
import type { Start } from './activities.ts'
import { resumeNote } from './details.ts'
import { toRunbook } from './index.ts'

const folder = fileURLToPath(new URL('../tests/histories', import.meta.url))
const names = readdirSync(folder)
  .filter((name) => name.endsWith('.json'))
  .map((name) => name.replace(/\.json$/, ''))

interface Case {
  readonly history: RunHistory
  readonly pending: readonly PendingStep[]
  readonly nowMs: number
}
const load = (name: string): Case => JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')) as Case

const facts = (nowMs: number, over: Partial<RunFacts> = {}): RunFacts => ({
  vmName: 'erp-db-01',
  repositoryName: 'main',
  platform: 'qemu',
  driverEvidence: 'verified',
  pollers: {
    'holdfast.control': { count: 1, lastSeenMs: nowMs },
    'holdfast.site.test': { count: 1, lastSeenMs: nowMs },
  },
  nowMs,
  ...over,
})
const bookOf = (name: string, over: Partial<RunFacts> = {}): Runbook => {
  const { history, pending, nowMs } = load(name)
  return toRunbook(history, pending, facts(nowMs, over))
}
const stepsOf = (book: Runbook): readonly Step[] => book.phases.flatMap(({ steps }) => steps)
const stepOf = (book: Runbook, prefix: string): Step => {
  const found = stepsOf(book).find(({ id }) => id.startsWith(prefix))
  if (found === undefined)
    throw new Error(
      `no step ${prefix} in ${stepsOf(book)
        .map(({ id }) => id)
        .join(', ')}`,
    )
  return found
}

describe('the corpus', () => {
  it('has every kind of end', () => {
    const states = new Set(names.map((name) => bookOf(name).state))
    expect([...states].sort()).toEqual([
      'cancelled',
      'completed',
      'completed-with-residue',
      'failed',
      'paused',
      'running',
      'waiting',
    ])
  })

  it.each(names)('%s reads as it did', (name) => {
    const book = bookOf(name)
    const verdict = book.verdict === null ? '' : `, verdict ${book.verdict}`
    const lines = [`${book.title}: ${book.state}${verdict}`, book.sentence]
    for (const phase of book.phases) {
      lines.push(`# ${phase.title} [${phase.state}] ${phase.summary}`)
      for (const step of phase.steps) {
        if (step.quiet) continue
        const under = step.compensates === null ? '' : ` undoes ${step.compensates}`
        lines.push(
          `  ${step.id} [${step.state}]${under} ${step.title}${step.detail === null ? '' : ` — ${step.detail}`}`,
        )
        if (step.attempts.length > 1)
          for (const { attempt, note } of step.attempts) lines.push(`    attempt ${attempt}: ${note ?? ''}`)
      }
    }
    for (const { what, who, reason } of book.notes) lines.push(`note: ${what} by ${who ?? '?'}: ${reason ?? ''}`)
    for (const { kind, error } of book.residue) lines.push(`residue: ${kind} ${error}`)
    for (const { id, command, primary } of book.actions)
      lines.push(`action: ${id}${primary ? ' (first)' : ''} ${command ?? ''}`)
    expect(lines.join('\n')).toMatchSnapshot()
  })
})

describe('a run that was resumed', () => {
  it('names the cause and what was read again, and counts the resumption', () => {
    const book = bookOf('backup-resumed')
    const copy = stepOf(book, 'copy:virtio0')
    expect(copy.attempts.map(({ note }) => note)).toEqual([
      'the worker stopped answering',
      'resumed at 880 MiB; 20.0 MiB were read again',
    ])
    expect(book.resumedTimes).toBe(1)
    expect(copy.error).toBeNull()
  })

  it('says of a restore what it wrote again', () => {
    const write = stepOf(bookOf('restore-resumed'), 'write:virtio0')
    expect(write.attempts.map(({ note }) => note)).toEqual([
      'the worker stopped answering',
      'resumed at 880 MiB; 20.0 MiB were written again',
    ])
    // Of an earlier version, which did not look.
    const earlier = { type: 'restoreDisk', end: 'completed', heartbeat: null, result: { bytesResumed: 2 ** 30 } }
    expect(resumeNote(earlier as unknown as Start)).toBe('resumed at 1.0 GiB')
  })

  it('says nothing of what nobody could measure but that it is unknown', () => {
    const start = { type: 'copyDisk', end: 'completed', heartbeat: null } as Start
    const noteOf = (result: object): string | null => resumeNote({ ...start, result })
    expect(noteOf({ bytesResumed: 2 ** 30, bytesReadAgain: 0 })).toBe('resumed at 1.0 GiB; nothing was read twice')
    for (const result of [{ bytesReadAgain: null }, {}]) {
      expect(noteOf({ bytesResumed: 2 ** 30, ...result })).toBe(
        'resumed at 1.0 GiB; how much was read again is unknown',
      )
    }
  })
})

describe('a recovery plan whose repository is away', () => {
  it('says what was met there and what follows from it, also where the end of the run cut it off', () => {
    const book = bookOf('recovery-repository-silent')
    expect(book.state).toBe('completed')
    expect(stepOf(book, 'hold:main')).toMatchObject({
      state: 'failed',
      detail: 'nothing is held in main: the catalog alone keeps the points',
      error: { code: 'StoreUnavailable', message: 'the repository main does not answer' },
    })
    expect(book.phases[0]?.summary).toBe('the repository main does not answer')
    const { history, pending, nowMs } = load('recovery-repository-silent')
    const last = history.events.findLast(({ eventType }) => eventType === 'EVENT_TYPE_ACTIVITY_TASK_FAILED')
    const cutOff = {
      events: history.events.map((event) => {
        if (event !== last) return event
        const { activityTaskFailedEventAttributes: at, ...rest } = event
        return { ...rest, eventType: 'EVENT_TYPE_ACTIVITY_TASK_CANCELED', activityTaskCanceledEventAttributes: at }
      }),
    }
    const step = stepOf(toRunbook(cutOff, pending, facts(nowMs)), 'hold:main')
    expect(step).toMatchObject({ state: 'cancelled', error: { code: 'StoreUnavailable' } })
    expect(step.detail).toContain('main had not answered when the run ended')
  })

  it('of earlier versions, of which nobody knows what they met, says that it did not answer', () => {
    const step = stepOf(bookOf('recovery-repository-away'), 'hold:main')
    expect(step.detail).toContain('main had not answered when the run ended')
  })
})

describe('a run under way', () => {
  it('shows progress of the moving disk and of the whole', () => {
    const book = bookOf('backup-running')
    expect(stepOf(book, 'copy:virtio0').progress).toMatchObject({
      bytesDone: 900 * 2 ** 20,
      bytesTotal: 2 ** 31,
      bottleneck: 'source',
    })
    expect(book.progress).toMatchObject({ bytesTotal: 3 * 2 ** 30, bytesDone: 900 * 2 ** 20 + 2 ** 30 })
    expect(book.sentence).toContain('120 MiB/s')
    expect(book.actions.map(({ id }) => id)).toEqual(['pause', 'cancel'])
  })

  it('is stalled when the worker has said nothing for a while', () => {
    const { history, pending, nowMs } = load('backup-running')
    const later = toRunbook(history, pending, facts(nowMs + 60_000))
    expect(stepOf(later, 'copy:virtio0').state).toBe('stalled')
  })

  it('names the site that has no worker, since when, and how to start one', () => {
    const silent = { 'holdfast.site.nowhere': { count: 0, lastSeenMs: Date.UTC(2026, 10, 21, 2, 10) } }
    const book = bookOf('backup-no-worker', { pollers: silent })
    expect(book.sentence).toBe('No worker is connected for site nowhere since 02:10 UTC.')
    expect(stepOf(book, 'preflight').state).toBe('waiting-for-worker')
    expect(book.actions[0]).toMatchObject({
      id: 'start-worker',
      command: 'holdfast worker --site nowhere',
      primary: true,
    })
  })

  it('does not call a queue deaf of which nothing is known', () => {
    expect(stepOf(bookOf('backup-no-worker', { pollers: {} }), 'preflight').state).toBe('scheduled')
  })

  it('says when a failing step tries again and with what error', () => {
    const step = stepOf(bookOf('backup-retrying'), 'copy:virtio0')
    expect(step).toMatchObject({ state: 'retrying', error: { code: 'NetworkFailure' } })
    expect(step.nextAttemptMs).toBeGreaterThan(0)
  })
})

describe('a run that needs a person', () => {
  it('says what is wrong, when it looks again, and offers the remedy before the retry', () => {
    const book = bookOf('backup-waiting-full')
    expect(book.state).toBe('waiting')
    expect(book.error?.code).toBe('StoreFull')
    expect(book.actions.map(({ id }) => id)).toEqual(['free-space', 'retry-now', 'cancel'])
    const step = stepOf(book, 'copy:virtio0')
    expect(step.state).toBe('retrying')
    expect((step.nextAttemptMs ?? 0) - book.startedMs).toBeGreaterThan(50_000)
  })

  it('is paused by somebody with a reason, and offers to resume', () => {
    const book = bookOf('backup-paused')
    expect(book.state).toBe('paused')
    expect(book.notes).toMatchObject([{ what: 'Paused', who: 'ann', reason: 'maintenance of the storage' }])
    expect(stepOf(book, 'copy:virtio0')).toMatchObject({ state: 'paused', progress: { durableOffset: 880 * 2 ** 20 } })
    expect(book.actions[0]).toMatchObject({ id: 'resume', primary: true })
  })
})

it('a VM that was shut down for its point: in words, where the guest stood still', () => {
  const quiesce = bookOf('backup-shut-down').phases.find(({ phase }) => phase === 'quiesce')
  expect(quiesce?.steps.map(({ title, detail }) => [title, detail])).toEqual([
    ['Does erp-db-01 run?', null],
    ['Shut the guest down, for at most 5 min', 'the guest has shut down, the VM is stopped'],
    ['Take the snapshot', 'the guest was frozen for 126 ms, file-system consistent'],
    ['Start the VM again', 'the VM was stopped, and runs again'],
  ])
})

describe('a run that ended badly', () => {
  it('draws the undoing under the step that it undoes, and lists what is left', () => {
    const book = bookOf('backup-failed-with-residue')
    expect(stepOf(book, 'undo:open-point:thaw')).toMatchObject({
      state: 'compensated',
      compensates: 'open-point',
      phase: 'quiesce',
    })
    expect(stepOf(book, 'undo:open-point:abort').state).toBe('residue')
    expect(book.residue).toMatchObject([{ kind: 'snapshot', error: 'the snapshot is held by another tool' }])
    expect(book.error?.code).toBe('SessionInvalid')
    expect(book.actions.at(-1)?.id).toBe('start-again')
  })

  it('is cancelled by somebody, with nothing left', () => {
    const book = bookOf('backup-cancelled')
    expect(book.sentence).toBe('Cancelled by ann, nothing was left behind.')
    expect(book.notes).toMatchObject([{ what: 'Cancel asked for', who: 'ann', reason: 'wrong VM' }])
    expect(book.residue).toEqual([])
  })
})

describe('whatever it is given', () => {
  const anyCase = fc.constantFrom(...names).map(load)
  const whole = (book: Runbook): void => {
    expect(book.v).toBe(1)
    expect(JSON.parse(JSON.stringify(book))).toEqual(book)
    for (const { progress } of stepsOf(book)) {
      if (progress === null) continue
      expect(progress.bytesDone).toBeGreaterThanOrEqual(0)
      expect(progress.bytesDone).toBeLessThanOrEqual(progress.bytesTotal)
    }
  }

  it('is total on every beginning of every history, with and without what is pending', () => {
    fc.assert(
      fc.property(anyCase, fc.nat(), fc.boolean(), ({ history, pending, nowMs }, cut, known) => {
        const events = history.events.slice(0, cut % (history.events.length + 1))
        whole(toRunbook({ events }, known ? pending : [], facts(nowMs)))
      }),
      { numRuns: 300 },
    )
  })

  it('is total on histories with events missing, repeated, or turned into something else', () => {
    const damage = fc.constantFrom<(events: unknown[], at: number) => void>(
      (events, at) => events.splice(at, 1),
      (events, at) => events.splice(at, 0, events[at]),
      (events, at) => events.splice(at, 1, null),
      (events, at) => events.splice(at, 1, { eventId: 'x', eventType: 7 }),
      (events, at) => events.splice(at, 1, { ...(events[at] as object), activityTaskScheduledEventAttributes: 'gone' }),
      (events, at) =>
        events.splice(
          at,
          1,
          JSON.parse(JSON.stringify(events[at] ?? null).replaceAll(/"data":"[^"]*"/g, '"data":"%%%"')),
        ),
    )
    fc.assert(
      fc.property(
        anyCase,
        fc.array(fc.tuple(damage, fc.nat()), { maxLength: 12 }),
        fc.anything(),
        ({ history, pending, nowMs }, damages, junk) => {
          const events: unknown[] = [...history.events]
          for (const [apply, at] of damages) apply(events, at % Math.max(1, events.length))
          const odd = [...pending, { activityId: 'copy:virtio0', heartbeat: junk } as unknown as PendingStep]
          const book = toRunbook({ events } as RunHistory, odd, facts(nowMs))
          expect(book.phases.length).toBeGreaterThan(0)
        },
      ),
      { numRuns: 300 },
    )
  })

  it('hides workflow tasks', () => {
    for (const name of names) for (const { title } of stepsOf(bookOf(name))) expect(title).not.toMatch(/workflow task/i)
  })
})
