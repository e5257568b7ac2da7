import { defaultCategories } from '../../policy/index.ts'
import type { Diary } from './diary.ts'
import { day, hour, minute, type Estate, type EstateVm } from './estate.ts'
import type { Faults } from './faults.ts'
import { firstOutside, united, without, type Interval } from './intervals.ts'

/** Something that was not as promised, and that somebody was to be told of: once, and once that it was over. */
export interface Deviation extends Interval {
  /** As incidents are called. */
  readonly key: string
  /** When whoever looks all the time could have seen it first. */
  readonly seenMs: number
  /** It lasted as long as what is told at the earliest, give or take a look: both are right. */
  readonly isOnTheEdge: boolean
  /** Nothing mended it: its VM went. */
  readonly endsSilently: boolean
}

export interface Judged {
  readonly estate: Estate
  readonly faults: Faults
  readonly diary: Diary
  readonly beganMs: number
  readonly untilMs: number
  /** At this moment some VM is of another category, */
  readonly changesMs: number
  /** which is this one at a moment. */
  readonly categoryAt: (vm: string, ms: number) => EstateVm['category']
}

const settleMs = minute
const edgeMs = 30_000

/** What a person of patience would write down who sees everything: by what happened, not by what the catalog says. */
export function deviations(judged: Judged): Deviation[] {
  const { estate, faults, diary } = judged
  const server = faults.of('server')
  const unseen = united([...server, ...faults.of('engine')])
  return [
    ...estate.vms.flatMap((vm) => ofVm(judged, vm)),
    ...estate.plans.flatMap(({ name }) => ofPlan(judged, name)),
    ...faults.of('engine').flatMap((one) => told(judged, 'engine', one, server)),
    ...faults.of('worker').flatMap((one) => told(judged, `no-worker/site/${one.of}`, one, unseen)),
    ...faults.of('repository').flatMap((one) => {
      const blind = { fromMs: one.fromMs + 30 * minute, untilMs: one.untilMs }
      return told(judged, `repository-unseen/repository/${one.of}`, blind, server)
    }),
    ...estate.hypervisors.flatMap((name) => ofHypervisor(judged, name)),
    ...diary.sweeps.flatMap(({ repository, asked }) =>
      asked === null ? [] : told(judged, `waiting/retention/${repository}`, asked, server),
    ),
    ...estate.repositories.flatMap((name) => ofSweeps(judged, name)),
  ]
}

/** Nothing where nobody could see it for long enough. */
function told(
  { untilMs: endMs }: Judged,
  key: string,
  whole: Interval,
  unseen: readonly Interval[],
  of: { readonly visible?: readonly Interval[]; readonly endsSilently?: boolean } = {},
): Deviation[] {
  const clipped = { fromMs: whole.fromMs, untilMs: Math.min(whole.untilMs, endMs) }
  const seen = (of.visible ?? [clipped]).flatMap((part) => firstOutside(part, unseen) ?? [])
  const [seenMs] = seen.filter((ms) => ms < clipped.untilMs).sort((a, b) => a - b)
  if (seenMs === undefined) return []
  const rest = without([{ fromMs: seenMs, untilMs: clipped.untilMs }], unseen)
  const lastMs = rest.at(-1)?.untilMs ?? seenMs
  const lasted = lastMs - seenMs
  if (lasted < settleMs - edgeMs) return []
  // What shows for less than a look is met by one or not; what is met goes on while it is hidden.
  const shows = Math.max(...without(of.visible ?? [clipped], unseen).map((part) => part.untilMs - part.fromMs))
  const isOnTheEdge = lasted < settleMs + edgeMs || shows < edgeMs
  return [{ key, ...clipped, seenMs, isOnTheEdge, endsSilently: of.endsSilently ?? false }]
}

function ofVm(judged: Judged, vm: EstateVm): Deviation[] {
  const { diary, faults, untilMs } = judged
  const seen = diary.seen.get(vm.id)
  if (seen === undefined) return []
  const there = { fromMs: seen.fromMs, untilMs: seen.untilMs ?? untilMs }
  const server = faults.of('server')
  const outside = outsideRpo(judged, vm, there)
  // One that begins again before its end was told goes on.
  const promises = united(outside, settleMs - 1).flatMap((one) =>
    told(judged, `rpo/${vm.id}`, one, server, { endsSilently: seen.untilMs === one.untilMs }),
  )
  const mine = diary.backups.filter((one) => one.vm === vm.id && one.endedMs !== null)
  const firstPointMs = diary.points.find((one) => one.vm === vm.id)?.knownMs ?? untilMs
  const worse = outside.filter(({ fromMs }) => fromMs >= firstPointMs)
  const failed = episodes(mine, there.untilMs).flatMap((one) => {
    const ends = { endsSilently: seen.untilMs === one.untilMs }
    return told(judged, `run-failed/backup/${vm.id}`, one, server, { visible: without([one], worse), ...ends })
  })
  return [...promises, ...failed]
}

/** No sweep that was planned within three days has come to its end; a daily audit sees it. */
function ofSweeps(judged: Judged, repository: string): Deviation[] {
  const { diary, faults, beganMs, untilMs } = judged
  const overdueAfterMs = 3 * day
  const ended = diary.sweeps
    .filter((one) => one.repository === repository && one.end === 'completed' && one.untilMs > one.fromMs)
    .toSorted((a, b) => a.untilMs - b.untilMs)
  const overdue: Interval[] = []
  // What counts is when its plan was made: one that waited for a week ends as an old one.
  let [plannedMs, knownMs] = [beganMs, beganMs]
  for (const next of [...ended, { plannedMs: untilMs, untilMs }]) {
    const fromMs = Math.max(knownMs, plannedMs + overdueAfterMs)
    if (fromMs < next.untilMs) overdue.push({ fromMs, untilMs: next.untilMs })
    plannedMs = Math.max(plannedMs, next.plannedMs)
    knownMs = next.untilMs
  }
  return united(overdue).flatMap((one) =>
    told(judged, `retention-overdue/repository/${repository}`, one, faults.of('server')).map((told) => ({
      ...told,
      // Between two audits, or two of which the server was away for one, nobody looked.
      isOnTheEdge: told.isOnTheEdge || one.untilMs - one.fromMs < 2 * day,
      // The next audit says that it is over.
      untilMs: Math.min(told.untilMs + day, untilMs),
    })),
  )
}

interface Ended {
  readonly startedMs: number
  readonly endedMs: number | null
  readonly ok: boolean
}

/** From the end of what failed to the end of the next that went well. */
function episodes(runs: readonly Ended[], endMs: number): Interval[] {
  const made: Interval[] = []
  let fromMs: number | null = null
  for (const { endedMs, ok } of runs.toSorted((a, b) => (a.endedMs ?? 0) - (b.endedMs ?? 0))) {
    if (endedMs === null || endedMs > endMs) continue
    if (!ok) fromMs ??= endedMs
    else if (fromMs !== null) {
      made.push({ fromMs, untilMs: endedMs })
      fromMs = null
    }
  }
  if (fromMs !== null) made.push({ fromMs, untilMs: endMs })
  return united(made, settleMs - 1)
}

/** Older than promised: with what a start may be spread by, and while what renews it is on time a grace besides. */
function outsideRpo({ diary, categoryAt, changesMs }: Judged, vm: EstateVm, there: Interval): Interval[] {
  const points = diary.points.filter((one) => one.vm === vm.id)
  const backups = diary.backups.filter((one) => one.vm === vm.id)
  const turns = diary.planRuns.flatMap((run) =>
    run.turns
      .filter((turn) => turn.vm === vm.id)
      .map(({ fromMs, untilMs }) => ({ fromMs, untilMs: untilMs ?? Infinity })),
  )
  const moments = [
    ...[there.fromMs, there.untilMs, changesMs],
    ...points.map(({ knownMs }) => knownMs),
    ...backups.flatMap(({ startedMs, endedMs }) => [startedMs, endedMs ?? there.untilMs]),
    ...turns.flatMap(({ fromMs, untilMs }) => [fromMs, untilMs]),
  ]
    .filter((ms) => ms >= there.fromMs && ms <= there.untilMs)
    .sort((a, b) => a - b)
  const made: Interval[] = []
  let [pointAt, backupAt, turnAt] = [0, 0, 0]
  let newestMs: number | null = null
  let open: { readonly startedMs: number; readonly endedMs: number | null } | undefined
  const took: number[] = []
  let lastFailed = false
  for (const [index, fromMs] of moments.entries()) {
    const untilMs = moments[index + 1]
    if (untilMs === undefined || untilMs === fromMs) continue
    for (let next = points[pointAt]; next && next.knownMs <= fromMs; next = points[++pointAt]) newestMs = next.createdMs
    for (let next = backups[backupAt]; next && next.startedMs <= fromMs; next = backups[backupAt]) {
      if ((next.endedMs ?? Infinity) > fromMs) {
        open = next
        break
      }
      if (next.ok) took.push((next.endedMs ?? 0) - next.startedMs)
      lastFailed = !next.ok
      open = undefined
      backupAt += 1
    }
    if (open && (open.endedMs ?? Infinity) <= fromMs) open = undefined
    while ((turns[turnAt]?.untilMs ?? Infinity) <= fromMs) turnAt += 1
    const turn = turns[turnAt]
    const isOnTurn = turn !== undefined && turn.fromMs <= fromMs
    const { rpoMs } = defaultCategories[categoryAt(vm.id, fromMs)]
    const usualMs = Math.max(0, ...took.slice(-10))
    const spreadMs = Math.min(rpoMs / 10, 15 * minute)
    const usually = open ? Math.min(spreadMs + usualMs, rpoMs / 4) : spreadMs
    const graceMs = lastFailed ? spreadMs : isOnTurn ? rpoMs / 4 : usually
    const lateMs = newestMs === null ? fromMs : Math.max(fromMs, newestMs + rpoMs + graceMs)
    if (lateMs < untilMs) made.push({ fromMs: lateMs, untilMs })
  }
  return united(made)
}

function ofPlan(judged: Judged, plan: string): Deviation[] {
  const { diary, faults, untilMs } = judged
  const runs = diary.planRuns.filter((one) => one.plan === plan && (one.endedMs ?? untilMs) <= untilMs)
  return episodes(runs, untilMs).flatMap((one) => told(judged, `run-failed/plan/${plan}`, one, faults.of('server')))
}

/** From the first answer that did not come to the first that did. */
function ofHypervisor(judged: Judged, name: string): Deviation[] {
  const { diary, faults, untilMs } = judged
  const probes = diary.probes.filter((one) => one.hypervisor === name)
  const asked = probes.map(({ atMs, ok }) => ({ startedMs: atMs, endedMs: atMs, ok }))
  return episodes(asked, untilMs).flatMap((one) =>
    told(judged, `hypervisor-failed/hypervisor/${name}`, one, faults.of('server')),
  )
}

/** Starts that did not come: by when somebody was to be told of each. */
export function missedStarts({ diary, untilMs }: Judged): { readonly key: string; readonly dueMs: number }[] {
  return diary.starts
    .filter(({ came, dueMs }) => !came && dueMs < untilMs - 12 * hour)
    .map(({ plan, dueMs }) => ({ key: `missed-start/plan/${plan}`, dueMs }))
}
