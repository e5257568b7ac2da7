import { TestWorkflowEnvironment } from '@temporalio/testing'
import { DefaultLogger, Runtime } from '@temporalio/worker'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { engineSpec, meansTheSame, nextOccurrences } from '../../policy/index.ts'
import type { EngineSpec, Schedule } from '../../policy/index.ts'
import { findTemporalCli } from '../../server/temporal-cli.ts'
import { cacheFolder } from '../../appliance/index.ts'

/** What the preview promises is what the server does: asked of the real one, around the clock changes of many zones. */
let environment: TestWorkflowEnvironment
beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR') })
  const { path } = await findTemporalCli({ env: process.env, cacheDir: cacheFolder() })
  environment = await TestWorkflowEnvironment.createLocal({
    server: { executable: { type: 'existing-path', path }, ui: false, log: { level: 'error', format: 'json' } },
  })
})
afterAll(async () => {
  await environment.teardown()
})

interface Planned {
  readonly schedule: Schedule
  readonly timeZone: string
}

function specOf({ schedule, timeZone }: Planned): EngineSpec {
  const spec = engineSpec(schedule, timeZone)
  if (spec === null) throw new Error('it does not start by the clock')
  return spec
}

let made = 0
/** What the server says that it would start, from each of the instants on, for some days. */
async function asked(
  { schedule, timeZone }: Planned,
  fromMs: readonly number[],
  lengthMs: number,
): Promise<string[][]> {
  const { client } = environment
  const scheduleId = `asked-${(made += 1)}`
  const handle = await client.schedule.create({
    scheduleId,
    // Jitter moves the answer: it is asked without.
    spec: { ...specOf({ schedule, timeZone }), jitter: 0 },
    action: { type: 'startWorkflow', workflowType: 'none', taskQueue: 'none' },
    state: { paused: true },
  })
  const seconds = (ms: number) => ({ seconds: ms / 1000 }) as never
  const answers: string[][] = []
  for (const from of fromMs) {
    const range = { startTime: seconds(from), endTime: seconds(from + lengthMs) }
    const request = { namespace: client.options.namespace, scheduleId, ...range }
    const { startTime } = await client.workflowService.listScheduleMatchingTimes(request)
    answers.push(startTime.map((at) => new Date(Number(at.seconds) * 1000).toISOString()))
  }
  await handle.delete()
  return answers
}

function promised({ schedule, timeZone }: Planned, fromMs: readonly number[], lengthMs: number): string[][] {
  return fromMs.map((from) =>
    nextOccurrences(schedule, timeZone, from, 400)
      .filter(({ atMs }) => atMs <= from + lengthMs)
      .map(({ utc }) => utc),
  )
}

const day = 86_400_000
const cron = (timeZone: string, expression: string) => ({
  schedule: { kind: 'cron', cron: expression } as const,
  timeZone,
})
/** Zones with a change of their clocks in these days of 2026; Lord Howe changes by half an hour, Casablanca twice. */
const changes = [
  ['Europe/Paris', '2026-03-28', '2026-10-24'],
  ['Europe/London', '2026-03-28', '2026-10-24'],
  ['Atlantic/Azores', '2026-03-28', '2026-10-24'],
  ['America/New_York', '2026-03-07', '2026-10-31'],
  ['America/Havana', '2026-03-07', '2026-10-31'],
  ['America/Santiago', '2026-04-04', '2026-09-05'],
  ['Australia/Lord_Howe', '2026-04-04', '2026-10-03'],
  ['Pacific/Chatham', '2026-04-04', '2026-09-26'],
  ['Africa/Cairo', '2026-04-23', '2026-10-29'],
  ['Africa/Casablanca', '2026-02-14', '2026-03-21'],
  ['Asia/Kolkata', '2026-03-28', '2026-10-24'],
  ['UTC', '2026-03-28', '2026-10-24'],
] as const
const expressions = ['*/15 * * * *', '0 * * * *', '30 0-3 * * *', '59 23 * * sun', '0 0 * * *']

it.each(changes)('in %s it starts when the preview says', async (timeZone, ...days) => {
  const fromMs = days.map((from) => Date.parse(from) - day / 2)
  await Promise.all(
    expressions.map(async (expression) => {
      const schedule = cron(timeZone, expression)
      expect(promised(schedule, fromMs, 4 * day), expression).toEqual(await asked(schedule, fromMs, 4 * day))
    }),
  )
})

const rare: readonly Planned[] = [
  cron('Europe/Paris', '0 3 29 2 *'),
  cron('America/New_York', '30 4 31 * mon-fri'),
  { schedule: { kind: 'every', everyMs: 7 * 3_600_000, offsetMs: 3_661_000 }, timeZone: 'Europe/Paris' },
  { schedule: { kind: 'calendar', at: ['01:05'], days: ['sat', 'sun', 'mon'], months: [1, 6, 12] }, timeZone: 'UTC' },
  { schedule: { kind: 'calendar', at: ['02:30', '14:15', '18:15'] }, timeZone: 'Europe/Paris' },
]

it('rare days and intervals are the same on both sides', async () => {
  const fromMs = Date.UTC(2026, 10, 21)
  for (const schedule of rare) {
    const length = ['every', 'calendar'].includes(schedule.schedule.kind) ? 30 : 400
    expect(promised(schedule, [fromMs], length * day)).toEqual(await asked(schedule, [fromMs], length * day))
  }
})

it('a schedule is recognised in what the server says of it, also when somebody wrote it as cron', async () => {
  const { client } = environment
  const action = { type: 'startWorkflow', workflowType: 'none', taskQueue: 'none' } as const
  const crons = expressions.map((expression) => cron('Europe/Paris', expression))
  for (const [index, planned] of [...rare, ...crons].entries()) {
    const ours = specOf(planned)
    const { timezone, jitter } = ours
    const byCron =
      planned.schedule.kind === 'cron' ? [{ cronExpressions: [planned.schedule.cron], timezone, jitter }] : []
    const specs = [ours, ...byCron]
    for (const [form, spec] of specs.entries()) {
      const scheduleId = `known-${index}-${form}`
      const handle = await client.schedule.create({ scheduleId, spec, action, state: { paused: true } })
      const { spec: described } = await handle.describe()
      expect(meansTheSame(planned.schedule, planned.timeZone, described), JSON.stringify(planned)).toBe(true)
      await handle.delete()
    }
  }
})

it('a schedule that was changed by hand is not taken for ours', async () => {
  const mine = cron('Europe/Paris', '30 2 * * *')
  const { client } = environment
  const action = { type: 'startWorkflow', workflowType: 'none', taskQueue: 'none' } as const
  const ours = specOf(mine)
  const byHand = [
    { ...ours, timezone: 'UTC' },
    { ...ours, jitter: 0 },
    { ...ours, skip: [{ dayOfWeek: 'SUNDAY' as const }] },
    { ...ours, calendars: [...ours.calendars, ...ours.calendars] },
    { ...ours, intervals: [{ every: day }] },
    { ...ours, calendars: [{ hour: 2, minute: 31 }] },
    { ...ours, calendars: [{ hour: 2, minute: 30, year: 2026 }] },
    { ...ours, endAt: new Date(Date.UTC(2030, 0)) },
  ]
  for (const [index, spec] of byHand.entries()) {
    const handle = await client.schedule.create({ scheduleId: `hand-${index}`, spec, action, state: { paused: true } })
    expect(meansTheSame(mine.schedule, mine.timeZone, (await handle.describe()).spec), JSON.stringify(spec)).toBe(false)
    await handle.delete()
  }
})
