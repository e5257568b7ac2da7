import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { HoldfastError } from '../../base/index.ts'
import { aPoint, aRun } from '../../catalog/testing.ts'
import type { Message } from '../../notify/index.ts'
import { planDefaults } from '../../policy/index.ts'
import type { Sender } from '../deps.ts'
import { bench, type Bench } from '../testing/bench.ts'
import { alertKeeper } from './index.ts'

const minute = 60_000
const hour = 60 * minute
const { signal } = new AbortController()

let here: Bench
let sent: { readonly channel: string; readonly message: Message }[]
let pings: number
let broken: HoldfastError | null
const sender: Sender = {
  async send(channel, message) {
    if (broken !== null) throw broken
    sent.push({ channel: channel.name, message })
  },
  async ping() {
    pings += 1
  },
}
beforeEach(() => {
  here = bench({ vms: ['web-01', 'db-01'] })
  sent = []
  pings = 0
  broken = null
  here.catalog.vms.change('db-01', { excludedReason: 'for these tests' })
  here.catalog.points.record(aPoint(1, { createdMs: here.clock.ms - hour }))
})
afterEach(() => here[Symbol.dispose]())

const route = { severity: 'warning', tags: [], quiet: null, digestAt: null, timeZone: 'UTC' } as const
async function channel(name: string, over: object = {}, of: object = {}): Promise<void> {
  const body = { kind: 'webhook', url: 'https://hook.example/x', route: { ...route, ...of }, ...over }
  expect((await here.call('PUT', `/api/v1/channels/${name}`, body)).status).toBe(200)
}

/** With all that it sends. */
async function turn(keeper: ReturnType<typeof alertKeeper>): Promise<void> {
  await keeper.tick(signal)
  await keeper.idle()
}

/** Time passes, the watchdog looks, and the keeper has its turn. */
async function pass(ms: number, by = sender): Promise<void> {
  here.clock.ms += ms
  const found = { series: 1, points: 1, unreadable: 0, vanished: 0, returned: 0 }
  here.catalog.watches.recordLook('main', { lookedMs: here.clock.ms, uuid: 'f'.repeat(32), ...found })
  const made = { stem: 's', madeMs: here.clock.ms, coveredSeq: here.catalog.events.newest(), bytes: 1, versions: 1 }
  here.catalog.own.recordMade('main', made)
  await turn(alertKeeper({ ...here.deps, sender: by }))
}
const titles = (): string[] => sent.map(({ message }) => message.title.replace(/^[^:]*: /, ''))
const open = async (): Promise<string[]> =>
  (await here.get<{ items: { title: string }[] }>('/api/v1/incidents?state=open')).items.map(({ title }) => title)

/** Its point grows older than its promise of a day. */
const grow = (): Promise<void> => pass(30 * hour)
const renew = (n: number): void => here.catalog.points.record(aPoint(n, { createdMs: here.clock.ms }))

describe('a broken promise', () => {
  test('is told once, and its end as well', async () => {
    await channel('team')
    await grow()
    expect(await open()).toEqual(['web-01 is overdue'])
    // Not before it has lasted for a while.
    expect(titles()).toEqual([])
    await pass(2 * minute)
    await pass(2 * minute)
    expect(titles()).toEqual(['web-01 is overdue'])
    renew(2)
    await pass(minute)
    await pass(2 * minute)
    await pass(2 * minute)
    expect(titles()).toEqual(['web-01 is overdue', expect.stringMatching(/^recovered after .*web-01 is overdue$/)])
    expect(await open()).toEqual([])
  })

  test('to have copies elsewhere in time is one incident, told once, and its end as well', async () => {
    await channel('team')
    const location = { kind: 's3', url: 's3://offsite/holdfast' } as const
    here.catalog.repositories.add({ name: 'offsite', site: 'local', location, credentialRef: 'file:/secrets/offsite' })
    const targets = [
      { repository: 'main', copy: 'backup', keep: null },
      { repository: 'offsite', copy: 'mirror', keep: null },
    ] as const
    const schedule = { kind: 'every', everyMs: 4 * hour } as const
    here.catalog.plans.put({ ...planDefaults, name: 'nightly', schedule, targets, paused: true }, 0)
    const late = (): string[] => titles().filter((title) => title.includes('behind'))
    const behind = async (): Promise<string[]> => (await open()).filter((title) => title.includes('behind'))
    const point = aPoint(2, { createdMs: here.clock.ms, plan: 'nightly' })
    here.catalog.points.record(point)
    here.catalog.mirrors.want({ sourceId: 'main', targetId: 'offsite' }, point.id, false)
    await pass(4 * hour)
    expect(await behind()).toEqual([])
    await pass(minute)
    expect(await behind()).toEqual(['offsite is behind for nightly'])
    for (let n = 0; n < 4; n += 1) await pass(hour)
    expect(late()).toHaveLength(1)
    const incidents = await here.get<{ items: object[] }>('/api/v1/incidents?state=open')
    expect(incidents.items).toContainEqual(
      expect.objectContaining({ kind: 'mirror-lag', severity: 'warning', command: 'holdfast mirror main offsite' }),
    )
    here.catalog.copies.found({
      ...{ pointId: point.id, repositoryId: 'offsite', stem: point.stem, sourceId: 'main' },
      ...{ validatedMs: here.clock.ms, lockUntilMs: null },
    })
    await pass(minute)
    await pass(2 * minute)
    await pass(2 * minute)
    expect(await behind()).toEqual([])
    expect(late()).toEqual([expect.any(String), expect.stringMatching(/^recovered after .*behind for nightly$/)])
  })

  test('that heals within a minute is told to nobody', async () => {
    await channel('team')
    await grow()
    renew(2)
    await pass(30_000)
    await pass(10 * minute)
    expect(titles()).toEqual([])
  })

  test('of more VMs than are told one by one keeps no other alert from its end, and none of its like from coming', async () => {
    here[Symbol.dispose]()
    here = bench({ vms: ['web-01', ...Array.from({ length: 230 }, (_, n) => `new-${n}`)] })
    here.catalog.points.record(aPoint(1, { createdMs: here.clock.ms - hour }))
    await channel('team')
    here.engine.away = true
    await pass(30 * hour)
    await pass(2 * minute)
    const ofEngine = (): string[] =>
      sent.flatMap(({ message }) => message.notices.flatMap(({ kind, state }) => (kind === 'engine' ? [state] : [])))
    expect(here.catalog.alerts.open().map(({ kind }) => kind)).toEqual(expect.arrayContaining(['engine', 'more']))
    expect(ofEngine()).toEqual(['opened'])
    here.engine.away = false
    await pass(minute)
    await pass(2 * minute)
    expect(ofEngine()).toEqual(['opened', 'recovered'])
    here.engine.away = true
    await pass(minute)
    await pass(2 * minute)
    expect(ofEngine()).toEqual(['opened', 'recovered', 'opened'])
    // Of the VMs it is known of each by itself: the ones that are told and not on the page are outside still.
    const known = () => here.catalog.alerts.open().filter(({ subject }) => subject?.kind === 'vm').length
    const before = known()
    renew(2)
    await pass(minute)
    expect(here.catalog.alerts.open().some(({ key }) => key === 'rpo/web-01')).toBe(false)
    expect(known()).toBeGreaterThanOrEqual(before - 1)
  })

  test('is told when nothing works at all: no schedule, no worker, no engine', async () => {
    await channel('team')
    here.engine.away = true
    await grow()
    await pass(2 * minute)
    expect(titles()).toEqual(['2 things want attention (2 critical)'])
    expect(sent[0]?.message.notices.map(({ title }) => title)).toEqual([
      'The engine does not answer',
      'web-01 is overdue',
    ])
  })

  test('an engine that takes a moment to answer is no engine that is away', async () => {
    const { engine } = here
    const pollers = engine.pollers.bind(engine)
    engine.pollers = async (queue) => {
      await new Promise((resolve) => setImmediate(resolve))
      return pollers(queue)
    }
    await pass(minute)
    expect(await open()).toEqual([])
  })

  test('is told to a channel that was made while it was open', async () => {
    await grow()
    await pass(hour)
    await channel('late')
    await pass(minute)
    expect(sent.map((one) => one.channel)).toEqual(['late'])
  })
})

test('a start that did not come is told, also when the next has begun before it was noticed, and that the plan runs again', async () => {
  await channel('team')
  const targets = [{ repository: 'main', copy: 'backup', keep: null }] as const
  const schedule = { kind: 'every', everyMs: 4 * hour } as const
  here.catalog.plans.put({ ...planDefaults, name: 'often', schedule, targets }, 0)
  here.catalog.plans.put(
    { ...planDefaults, name: 'weekly', schedule: { kind: 'every', everyMs: 168 * hour }, targets },
    0,
  )
  const begin = (plan: string) =>
    here.catalog.planRuns.open(
      { id: `plan/${plan}/${here.clock.ms}`, runId: `r-${plan}`, plan, trigger: 'schedule', again: null },
      [],
    )
  const dueMs = here.clock.ms - 5 * hour
  here.catalog.vms.change('web-01', { excludedReason: 'for this test' })
  begin('often')
  here.catalog.planStarts.record('often', here.clock.ms, [{ dueMs, kind: 'missed' }])
  await pass(minute)
  await pass(2 * minute)
  expect(titles()).toEqual(['often did not start'])
  await pass(10 * minute)
  await pass(2 * minute)
  expect(titles().slice(1)).toEqual([expect.stringMatching(/^recovered after .*often did not start$/)])
  here.catalog.planStarts.record('weekly', here.clock.ms, [{ dueMs: here.clock.ms - 7 * hour, kind: 'missed' }])
  await pass(minute)
  await pass(2 * minute)
  for (let days = 0; days < 6; days += 1) await pass(24 * hour)
  expect(await open()).toEqual(['weekly did not start'])
  begin('weekly')
  await pass(minute)
  await pass(2 * minute)
  expect(titles().slice(2)).toEqual([
    'weekly did not start',
    expect.stringMatching(/^recovered after .*weekly did not start$/),
  ])
})

test('a start that does not come while the end of the one before is about to be told', async () => {
  await channel('team')
  const targets = [{ repository: 'main', copy: 'backup', keep: null }] as const
  const schedule = { kind: 'every', everyMs: 4 * hour } as const
  here.catalog.plans.put({ ...planDefaults, name: 'often', schedule, targets }, 0)
  here.catalog.vms.change('web-01', { excludedReason: 'for this test' })
  const miss = () =>
    here.catalog.planStarts.record('often', here.clock.ms, [{ dueMs: here.clock.ms - minute, kind: 'missed' }])
  miss()
  await pass(minute)
  await pass(2 * minute)
  here.catalog.planRuns.open({ id: 'p', runId: 'r', plan: 'often', trigger: 'schedule', again: null }, [])
  await pass(10 * minute)
  here.clock.ms += 61_000
  miss()
  await pass(0)
  await pass(2 * minute)
  expect(titles()).toEqual([
    'often did not start',
    expect.stringMatching(/^recovered after .*often did not start$/),
    'often did not start',
  ])
})

/** A backup of web-01 that began a minute ago. */
function backup(n: number, state: 'running' | 'failed' | 'completed', over: Parameters<typeof aRun>[1] = {}): void {
  here.catalog.runs.started(aRun(n, { startedMs: here.clock.ms - minute, title: 'Backup of web-01', ...over }))
  if (state !== 'running') here.catalog.runs.observe(`run-${n}`, { state, endedMs: here.clock.ms })
}

test('a backup that runs without an end is a warning, and critical once the point is twice as old as promised', async () => {
  await channel('on-call', {}, { severity: 'critical' })
  backup(1, 'running')
  await grow()
  await pass(2 * minute)
  expect(await open()).toEqual(['web-01 is late, its backup is running'])
  expect(titles()).toEqual([])
  await pass(20 * hour)
  await pass(2 * minute)
  expect(titles()).toEqual(['web-01 is late, its backup is running'])
})

describe('what gets worse is no recovery:', () => {
  test('a VM whose backup is tried again and again is told once', async () => {
    await channel('team')
    await grow()
    await pass(2 * minute)
    for (let n = 1; n < 6; n += 1) {
      backup(n, 'running')
      await pass(2 * minute)
      backup(n, 'failed')
      await pass(2 * minute)
    }
    expect(titles()).toEqual(['web-01 is overdue'])
  })

  test('a failed backup whose VM then breaks its promise', async () => {
    await channel('team')
    backup(1, 'failed')
    await pass(minute)
    await pass(2 * minute)
    expect(titles()).toEqual(['Backup of web-01 failed'])
    await grow()
    await pass(2 * minute)
    await pass(2 * minute)
    expect(titles()).toEqual(['Backup of web-01 failed', 'web-01 has no point inside its RPO'])
    // Both are mended by one backup, and both are told.
    expect((await open()).toSorted()).toEqual(['Backup of web-01 failed', 'web-01 has no point inside its RPO'])
    backup(2, 'completed')
    renew(2)
    await pass(minute)
    await pass(2 * minute)
    await pass(2 * minute)
    expect(titles().slice(2)).toEqual(['2 recovered'])
    expect(await open()).toEqual([])
  })

  test('a failed run of a weekly plan, which goes well only after a week', async () => {
    await channel('team')
    const targets = [{ repository: 'main', copy: 'backup', keep: null }] as const
    here.catalog.plans.put({ ...planDefaults, name: 'weekly', targets }, 0)
    here.catalog.vms.change('web-01', { excludedReason: 'for this test' })
    const of = { kind: 'plan', vmId: null, repositoryId: null, title: 'Plan weekly' } as const
    backup(1, 'failed', { ...of, workflowId: 'plan/weekly/at-1' })
    await pass(minute)
    await pass(2 * minute)
    await pass(7 * 24 * hour)
    await pass(2 * minute)
    expect(titles()).toEqual(['Plan weekly failed'])
    const [againId, skippedId] = ['plan/weekly/at-3', 'plan/weekly/at-2']
    // One that stood back for another run of the plan has backed up nothing.
    backup(2, 'completed', { ...of, workflowId: skippedId })
    await pass(minute)
    await pass(2 * minute)
    expect(titles()).toEqual(['Plan weekly failed'])
    backup(3, 'completed', { ...of, workflowId: againId })
    here.catalog.planRuns.open({ id: againId, runId: 'run-3', plan: 'weekly', trigger: 'schedule', again: null }, [])
    await pass(minute)
    await pass(2 * minute)
    expect(titles()).toEqual([
      'Plan weekly failed',
      expect.stringMatching(/^recovered after 168 h .*Plan weekly failed$/),
    ])
  })

  test('copies that fail until their repository is further behind than it may be', async () => {
    await channel('team')
    const location = { kind: 's3', url: 's3://offsite/holdfast' } as const
    here.catalog.repositories.add({ name: 'offsite', site: 'local', location, credentialRef: 'file:/secrets/offsite' })
    const pair = { sourceId: 'main', targetId: 'offsite' }
    const point = aPoint(2, { createdMs: here.clock.ms })
    here.catalog.points.record(point)
    here.catalog.mirrors.want(pair, point.id, false)
    here.catalog.mirrors.take(pair, 'm', { nowMs: here.clock.ms, limit: 1 })
    const figures = { stem: point.stem, storedBytes: 0, verifiedBytes: 0, lockUntilMs: null, problem: 'away' }
    const outcomes = [{ pointId: point.id, outcome: 'failed', ...figures }] as const
    here.catalog.mirrors.record(pair, 'm', outcomes, here.clock.ms)
    const ofCopies = () => titles().filter((title) => /offsite/.test(title) && !/catalog|Nobody|looked/.test(title))
    await pass(minute)
    await pass(2 * minute)
    expect(ofCopies()).toEqual(['1 point could not be copied to offsite'])
    for (let n = 0; n < 26; n += 1) await pass(hour)
    expect(ofCopies().filter((title) => title.startsWith('recovered'))).toEqual([])
    const { id: pointId, stem } = point
    const seen = { sourceId: 'main', validatedMs: here.clock.ms, lockUntilMs: null }
    here.catalog.copies.found({ pointId, repositoryId: 'offsite', stem, ...seen })
    await pass(minute)
    await pass(2 * minute)
    expect((await open()).filter((title) => title.includes('offsite') && !/Nobody|catalog/.test(title))).toEqual([])
  })

  test('a failed backup after which one succeeds has recovered', async () => {
    await channel('team')
    backup(1, 'failed')
    await pass(minute)
    await pass(2 * minute)
    backup(2, 'completed')
    await pass(minute)
    await pass(2 * minute)
    expect(titles()).toEqual([
      'Backup of web-01 failed',
      expect.stringMatching(/^recovered .*Backup of web-01 failed$/),
    ])
  })

  test('a failed run that is history after a week', async () => {
    await channel('team')
    backup(1, 'failed', { kind: 'restore', title: 'Restore' })
    await pass(minute)
    await pass(2 * minute)
    renew(2)
    here.catalog.vms.change('web-01', { excludedReason: 'for this test' })
    await pass(8 * 24 * hour)
    await pass(2 * minute)
    expect(await open()).toEqual([])
    expect(titles()).toEqual(['Restore failed'])
  })

  test('a repository that is lost and then answers no more', async () => {
    const tick = async (code: string): Promise<void> => {
      here.clock.ms += 2 * minute
      const note = { code, message: 'away', hint: 'Look.', docs: '' }
      here.catalog.watches.recordFailure('main', here.clock.ms, note)
      await turn(alertKeeper({ ...here.deps, sender }))
    }
    await channel('team')
    await pass(minute)
    await tick('RepositoryMissing')
    await tick('RepositoryMissing')
    await tick('StoreUnavailable')
    await tick('StoreUnavailable')
    expect(titles()).toEqual(['main is not at its place any more'])
    await pass(minute)
    await pass(2 * minute)
    expect(titles()).toEqual(['main is not at its place any more', expect.stringMatching(/^recovered /)])
  })

  test('a moved clock that is put up with for a day; one that is set right has recovered', async () => {
    await channel('team')
    const clock = (driftMs: number, movedMs: number | null) =>
      here.catalog.watches.recordClock({ seenMs: here.clock.ms, driftMs, movedMs })
    clock(-hour, here.clock.ms)
    await pass(minute)
    await pass(2 * minute)
    clock(-hour, null)
    await pass(minute)
    await pass(2 * minute)
    expect(titles()).toEqual(['The clock of the server moved back by 1 h'])
    clock(-hour, here.clock.ms)
    await pass(minute)
    await pass(2 * minute)
    clock(0, null)
    await pass(minute)
    await pass(2 * minute)
    expect(titles().slice(1)).toEqual([
      'The clock of the server moved back by 1 h',
      expect.stringMatching(/^recovered after .*The clock/),
    ])
  })
})

test('what begins again after the clock was set back is told again', async () => {
  await channel('team')
  await grow()
  await pass(2 * minute)
  renew(2)
  await pass(minute)
  await pass(2 * minute)
  sent = []
  // Its point is dated ahead from now on.
  await pass(-3 * hour)
  await pass(2 * minute)
  expect(titles()).toEqual(['web-01 is overdue'])
})

describe('routes', () => {
  test('each channel is told what it is for', async () => {
    await channel('erp', {}, { tags: ['erp'] })
    await channel('lab', {}, { tags: ['lab'] })
    await channel('off', { enabled: false })
    await grow()
    await pass(2 * minute)
    expect(sent.map((one) => one.channel)).toEqual(['lab'])
  })

  test('what is no more than a warning waits for the end of quiet hours', async () => {
    await channel('team', {}, { quiet: { start: '00:00', end: '23:59' } })
    here.catalog.points.record(aPoint(3, { createdMs: here.clock.ms }))
    // The copy of the catalog gets old: a warning.
    here.clock.ms += 10 * minute
    const keeper = alertKeeper({ ...here.deps, sender })
    here.catalog.own.recordMade('main', {
      stem: 's',
      madeMs: here.clock.ms - 10 * 24 * hour,
      coveredSeq: 0,
      bytes: 1,
      versions: 1,
    })
    await turn(keeper)
    here.clock.ms += 2 * minute
    await turn(keeper)
    expect(titles()).toEqual([])
    expect(await open()).toEqual(['The copy of the catalog in main is old'])
    await channel('team', {}, {})
    await turn(keeper)
    expect(titles()).toEqual(['The copy of the catalog in main is old'])
  })

  test('a digest comes once a day, whatever happened', async () => {
    await channel('team', {}, { digestAt: '08:00' })
    await pass(hour)
    expect(titles()).toEqual([])
    await pass(hour)
    await pass(hour)
    expect(titles()).toEqual(['1 of 1 VMs inside their RPO'])
    expect(sent[0]?.message).toMatchObject({ type: 'digest' })
  })

  test('the summary of a week comes on Monday, with what the week brought', async () => {
    // The clock of the bench stands on a Saturday.
    await channel('chiefs', {}, { digestAt: '08:00', digestEvery: 'week' })
    for (let hours = 0; hours < 49; hours += 1) await pass(hour)
    expect(sent.filter(({ message }) => message.type === 'digest')).toEqual([])
    for (let hours = 0; hours < 2; hours += 1) await pass(hour)
    const weekly = sent.filter(({ message }) => message.type === 'digest')
    expect(weekly).toHaveLength(1)
    expect(weekly[0]?.message.lead).toMatch(/^1 point in seven days, .*; no backup failed; no drill; 0 of 1 VMs proven/)
  })

  test('a dead-man service hears from us every five minutes', async () => {
    const body = { kind: 'dead-man', credentialRef: 'file:/srv/ping' }
    expect((await here.call('PUT', '/api/v1/channels/alive', body)).status).toBe(200)
    const keeper = alertKeeper({ ...here.deps, sender }, () => here.clock.ms)
    for (let minutes = 0; minutes < 11; minutes += 1) {
      await turn(keeper)
      here.clock.ms += minute
    }
    expect(pings).toBe(3)
  })
})

describe('a channel that hangs', () => {
  /** Never answers for team; ends with the signal alone. */
  const hanging = (asked: string[]): Sender => ({
    async send(to, what, stop) {
      asked.push(to.name)
      if (to.name !== 'team') return sender.send(to, what, stop)
      await new Promise((_, reject) => stop.addEventListener('abort', () => reject(new Error('stopped'))))
    },
    ping: async () => void asked.push('ping'),
  })

  test('holds up neither the next look, nor the others, nor pings, and is asked once at a time', async () => {
    await channel('team')
    await channel('other')
    const body = { kind: 'dead-man', credentialRef: 'file:/srv/ping' }
    await here.call('PUT', '/api/v1/channels/alive', body)
    const asked: string[] = []
    const stop = new AbortController()
    const keeper = alertKeeper({ ...here.deps, sender: hanging(asked) }, () => here.clock.ms)
    here.clock.ms += 30 * hour
    await keeper.tick(stop.signal)
    for (let n = 0; n < 4; n += 1) {
      here.clock.ms += 3 * minute
      await keeper.tick(stop.signal)
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(asked.filter((name) => name === 'team')).toHaveLength(1)
    expect(asked.filter((name) => name === 'other')).not.toEqual([])
    expect(asked.filter((name) => name === 'ping')).toHaveLength(3)
    stop.abort()
    await keeper.idle()
    // That it was ended is no fault of the message.
    const log = await here.get<{ items: { state: string; attempts: number }[] }>('/api/v1/deliveries?channel=team')
    expect(log.items).toMatchObject([{ state: 'waiting', attempts: 0 }])
  })

  test('does not keep the server from stopping, and nothing goes on after that', async () => {
    await channel('team')
    await grow()
    here.clock.ms += 2 * minute
    let ended = false
    const began = Promise.withResolvers<void>()
    const stop = new AbortController()
    const slow: Sender = {
      async send(_to, _what, signal) {
        began.resolve()
        await new Promise((resolve) => signal.addEventListener('abort', () => setImmediate(resolve)))
        ended = true
        throw new Error('stopped')
      },
      ping: async () => undefined,
    }
    const running = alertKeeper({ ...here.deps, sender: slow }).run(stop.signal)
    await began.promise
    stop.abort()
    await running
    expect(ended).toBe(true)
  })
})

describe('a message that is not taken', () => {
  test('is tried again, later each time, and is in the log with its reason', async () => {
    await channel('team')
    broken = new HoldfastError('NetworkFailure', 'hook.example was not reached')
    await grow()
    await pass(2 * minute)
    const log = () =>
      here.get<{ items: { state: string; attempts: number; error: { message: string } | null }[] }>(
        '/api/v1/deliveries?channel=team',
      )
    expect((await log()).items).toMatchObject([
      { state: 'waiting', attempts: 1, error: { message: 'hook.example was not reached' } },
    ])
    await pass(20_000)
    expect((await log()).items).toMatchObject([{ attempts: 1 }])
    broken = null
    await pass(20_000)
    expect((await log()).items).toMatchObject([{ state: 'sent', attempts: 2, error: null }])
  })

  test('is given up after about a day', async () => {
    await channel('team')
    broken = new HoldfastError('ChannelRefused', 'no')
    await grow()
    for (let n = 0; n < 5; n += 1) await pass(8 * hour)
    const { items } = await here.get<{ items: { state: string }[] }>('/api/v1/deliveries')
    expect(items.at(-1)).toMatchObject({ state: 'failed' })
    // What nobody got is told once more.
    broken = null
    await pass(hour)
    await pass(hour)
    expect(titles()).toEqual(['web-01 is overdue'])
  })

  test('because the service does not take that one, holds up none that comes after it', async () => {
    await channel('team')
    here.catalog.vms.change('db-01', { excludedReason: null })
    here.catalog.points.record(aPoint(9, { vmId: 'db-01', createdMs: here.clock.ms + 10 * hour }))
    const tried: string[] = []
    const choosy: Sender = {
      ...sender,
      async send(to, what, stop) {
        tried.push(what.title)
        if (what.title.includes('web-01')) throw new HoldfastError('MessageRefused', 'hook.example answered 413')
        await sender.send(to, what, stop)
      },
    }
    await pass(30 * hour, choosy)
    await pass(2 * minute, choosy)
    expect(tried.filter((title) => title.includes('web-01'))).toHaveLength(1)
    const log = () =>
      here.get<{ items: { title: string; state: string; error: { code: string } | null }[] }>(
        '/api/v1/deliveries?channel=team',
      )
    expect((await log()).items.find(({ title }) => title.includes('web-01'))).toMatchObject({
      ...{ state: 'failed', error: { code: 'MessageRefused' } },
    })
    const { needsYou } = await here.get<{ needsYou: { title: string }[] }>('/api/v1/overview')
    expect(needsYou.map(({ title }) => title)).toContain('The channel team does not take what it is told')
    // The next one is told, and what was refused is not written again and again.
    await pass(10 * hour, choosy)
    for (let n = 0; n < 4; n += 1) await pass(2 * minute, choosy)
    expect(titles().some((title) => title.includes('db-01'))).toBe(true)
    expect(tried.filter((title) => title.includes('web-01'))).toHaveLength(1)
    // Somebody has mended the service, and tests the channel: what still lasts is told.
    sent = []
    const mended = { ...here.deps, sender }
    expect((await here.call('POST', '/api/v1/channels/team/test')).status).toBe(204)
    await turn(alertKeeper(mended))
    expect(sent.flatMap(({ message }) => message.notices.map(({ title }) => title))).toEqual(['web-01 is overdue'])
    // Once.
    expect((await here.call('POST', '/api/v1/channels/team/test')).status).toBe(204)
    await turn(alertKeeper(mended))
    expect(sent).toHaveLength(1)
  })

  test('makes its channel one that wants attention: the others tell it, until something gets through', async () => {
    await channel('team')
    broken = new HoldfastError('ChannelRefused', 'no')
    await grow()
    for (let n = 0; n < 4; n += 1) await pass(5 * minute)
    await channel('other')
    broken = null
    const { needsYou } = await here.get<{ needsYou: { kind: string; title: string }[] }>('/api/v1/overview')
    expect(needsYou[0]).toMatchObject({ kind: 'channel-failing', title: 'Nothing reaches the channel team' })
    const { items } = await here.get<{ items: object[] }>('/api/v1/channels')
    expect(items).toMatchObject([
      { name: 'other', failing: null },
      { name: 'team', failing: { error: { code: 'ChannelRefused' } } },
    ])
    // The other is told; to the one itself nothing is said of it.
    const others: Sender = {
      ...sender,
      async send(to, what, stop) {
        if (to.name === 'team') throw new HoldfastError('ChannelRefused', 'no')
        await sender.send(to, what, stop)
      },
    }
    here.clock.ms += 2 * minute
    await turn(alertKeeper({ ...here.deps, sender: others }))
    here.clock.ms += 2 * minute
    await turn(alertKeeper({ ...here.deps, sender: others }))
    expect(sent.flatMap(({ message }) => message.notices.map(({ title }) => title))).toContain(
      'Nothing reaches the channel team',
    )
    sent = []
    await pass(hour)
    await pass(2 * minute)
    await pass(2 * minute)
    expect(sent.filter((one) => one.channel === 'team').map(({ message }) => message.notices[0]?.title)).toEqual([
      'web-01 is overdue',
    ])
    expect(sent.filter((one) => one.channel === 'other').map(({ message }) => message.title)).toContainEqual(
      expect.stringMatching(/recovered after .*Nothing reaches the channel team$/),
    )
  })

  test('is passed by none of its channel, and holds up no other', () => {
    const { alerts } = here.catalog
    const add = (of: string): number => alerts.addDelivery({ channel: of, type: 'alert', title: '', message: {} })
    for (const name of ['a', 'b'])
      alerts.putChannel({
        name,
        kind: 'webhook',
        url: null,
        chat: null,
        mail: null,
        credentialRef: '',
        allowPrivate: false,
        enabled: true,
        route,
      })
    const first = add('a')
    alerts.recordFailed(first, { code: 'NetworkFailure', message: 'no', hint: '', docs: '' }, 0)
    const rest = Array.from({ length: 60 }, () => add('a'))
    const other = add('b')
    const due = (): number[] => alerts.due(50).map(({ id }) => id)
    expect(due()).toEqual([other])
    here.clock.ms += 30_000
    expect(due()).toEqual([first, ...rest.slice(0, 49), other])
    // Dated by a clock that was set back since.
    alerts.recordFailed(first, { code: 'NetworkFailure', message: 'no', hint: '', docs: '' }, 0)
    here.clock.ms -= 10 * hour
    expect(due()[0]).toBe(first)
  })
})

describe('channels', () => {
  test('are refused without what their kind needs', async () => {
    for (const body of [{ kind: 'webhook' }, { kind: 'slack' }, { kind: 'telegram', credentialRef: 'file:/x' }])
      expect((await here.call('PUT', '/api/v1/channels/x', body)).status).toBe(400)
  })

  test('of mail are refused without server, sender or recipients, and where a password would be sent in clear', async () => {
    const mail = { from: 'holdfast@example.org', to: ['ops@example.org'] }
    const good = { kind: 'mail', url: 'smtp://mail.example.org', mail }
    const withLogin = { ...good, mail: { ...mail, user: 'me' }, credentialRef: 'file:/srv/mail' }
    const put = async (body: object): Promise<number> => (await here.call('PUT', '/api/v1/channels/ops', body)).status
    for (const body of [
      { ...good, url: null },
      { ...good, url: 'https://mail.example.org' },
      { ...good, url: 'smtp://me:secret@mail.example.org' },
      { kind: 'mail', url: good.url },
      { ...good, mail: { ...mail, to: [] } },
      { ...good, mail: { ...mail, to: ['ops@example.org\r\nBcc: x@example.org'] } },
      { ...good, credentialRef: 'file:/srv/mail' },
      { ...withLogin, credentialRef: '' },
      { ...withLogin, mail: { ...withLogin.mail, tls: 'none' } },
      { kind: 'webhook', url: good.url },
    ])
      expect(await put(body), JSON.stringify(body)).toBe(400)
    expect(await put(good)).toBe(200)
    expect(await put(withLogin)).toBe(200)
    const { items } = await here.get<{ items: { mail: object }[] }>('/api/v1/channels')
    expect(items).toMatchObject([{ kind: 'mail', mail: { ...mail, user: 'me', tls: 'required' } }])
  })

  test('are tested now, and removed with what waits', async () => {
    await channel('team')
    expect((await here.call('POST', '/api/v1/channels/team/test')).status).toBe(204)
    expect(here.sent).toMatchObject([{ type: 'test' }])
    expect((await here.call('DELETE', '/api/v1/channels/team')).status).toBe(204)
    expect((await here.call('POST', '/api/v1/channels/team/test')).status).toBe(404)
  })
})
