import { openCatalog, type Catalog } from '../../catalog/index.ts'
import { defaultCategories } from '../../policy/index.ts'
import { Random } from '../simulation/random.ts'
import { controlOf, lookWithin, type World } from './control.ts'
import { emptyDiary, type Start } from './diary.ts'
import { day, discover, estateOf, furnishEstate, hour, minute, type EstateVm } from './estate.ts'
import { Faults } from './faults.ts'
import { judge } from './judge.ts'
import { Operators } from './operators.ts'
import { clockChanges, firstKeeps, promisedPoints } from './promises.ts'
import { Runs } from './runs.ts'
import { SimStore } from './stores.ts'
import { Chores } from './sweeps.ts'
import { Timeline } from './timeline.ts'

export interface YearOptions {
  readonly seed: number
  readonly vms: number
  /** What housekeeping is looked after at; in the product every twenty seconds. */
  readonly paceMs?: number
  readonly path?: string
  /** Default: New Year of 2026 in UTC. Both zones change their clocks twice in the year that follows, on different days. */
  readonly beginMs?: number
  /** Of the year; default: all. */
  readonly days?: number
  /** Told of each day that is over, from 1. */
  readonly onDay?: (day: number) => void
}

export interface YearReport {
  readonly problems: readonly string[]
  readonly figures: { readonly [name: string]: number }
}

/** Nothing goes wrong by itself any more in the last three weeks: all is to have ended well. */
const quietMs = 21 * day
/** After the year: sweeps go on until nothing is left to go, which takes one that nobody answers and the next. */
const settlingMs = 30 * day
/** After so much of it less is kept of what is standard, and one critical VM becomes standard. */
const changesAfter = 0.55
/** As the server does. Of these looks only those are made at which something may differ. */
const lookEveryMs = 20_000
/** So long after the look that found something, another one tells it. */
const settledMs = minute
const tightened = { daily: 5, weekly: 2 }

/** One year from its seed: played on the real code, and judged. */
export async function playYear({
  seed,
  vms,
  paceMs = hour,
  path = ':memory:',
  beginMs = Date.UTC(2026, 0, 1),
  days = 365,
  onDay = () => undefined,
}: YearOptions): Promise<YearReport> {
  const random = new Random(seed)
  const timeline = new Timeline(beginMs)
  const endMs = beginMs + days * day
  const changesMs = beginMs + Math.floor(days * changesAfter) * day
  const estate = estateOf(random, vms, beginMs)
  const faults = new Faults(random, estate, beginMs + 3 * day, endMs - quietMs)
  using catalog = openCatalog({ path, now: () => timeline.nowMs })
  furnishEstate(catalog, estate)
  const stores = new Map(estate.repositories.map((name, nth) => [name, new SimStore(name, nth + 1)]))
  const diary = emptyDiary()
  const moved = estate.vms.find(({ category }) => category === 'critical')?.id
  const firstOf = new Map(estate.vms.map(({ id, category }) => [id, category]))
  const categoryAt = (vm: string, ms: number): EstateVm['category'] => {
    const first = firstOf.get(vm)
    if (first === undefined) throw new Error(`${vm} is in no list`)
    return vm === moved && ms >= changesMs ? 'standard' : first
  }
  const rpoOf = (vm: string): number => defaultCategories[categoryAt(vm, timeline.nowMs)].rpoMs
  const world: World = { catalog, timeline, estate, faults, diary, stores, rpoOf }
  await using control = controlOf(world)
  const ticks = new Set<number>()
  let ticked = 0
  const tickAt = (ms: number, whole = false): void => {
    const atMs = Math.ceil(Math.max(timeline.nowMs, ms) / lookEveryMs) * lookEveryMs
    if (atMs > endMs || (ticks.has(atMs) && !whole)) return
    ticks.add(atMs)
    timeline.at(atMs, async () => {
      ticks.delete(atMs)
      ticked += 1
      if (await control.tick(whole)) tickAt(timeline.nowMs + settledMs)
    })
  }
  /** A look now, and one when what it finds has lasted for long enough to be told. */
  const soon = (ms = timeline.nowMs): void => {
    tickAt(ms)
    tickAt(ms + settledMs)
  }
  const runs = new Runs(world, random, soon)
  const chores = new Chores(world, random, control, soon)
  const people = new Operators(world, random, runs, endMs)

  foresee(world, soon, runs)
  for (const plan of estate.plans) runs.follow(plan, endMs - 2 * hour)
  const housekeep = async (): Promise<void> => {
    for (const spec of await control.housekeep()) await chores.begin(spec)
  }
  for (let ms = beginMs; ms < endMs + settlingMs; ms += paceMs) timeline.at(ms, housekeep)
  for (let ms = beginMs; ms < endMs; ms += paceMs) tickAt(ms, (ms - beginMs) % day === 0)
  for (const { untilMs } of faults.all) timeline.at(untilMs + minute, housekeep)
  for (let ms = beginMs + 8 * day; ms < endMs - day; ms += 5 * day) {
    timeline.at(ms + random.next() * day, () => people.backUp(random.chance(0.3) ? 'publish' : 'manual'))
    timeline.at(ms + random.next() * day, () => people.pin('newyork'))
  }
  timeline.at(changesMs, () => {
    const standard = catalog.categories.get('standard')
    catalog.categories.put('standard', { ...standard, keep: tightened }, null)
    if (moved !== undefined) catalog.vms.change(moved, { category: 'standard' })
    soon()
  })
  timeline.at(endMs - quietMs, () => void (runs.isQuiet = true))
  for (let n = 1; n <= days; n += 1) timeline.at(beginMs + n * day, () => onDay(n))
  await timeline.run(endMs)
  const incidents = allIncidents(catalog)
  await timeline.run(endMs + settlingMs)

  const verdict = judge({ estate, faults, diary, beganMs: beginMs, untilMs: endMs, changesMs, categoryAt }, incidents)
  const last = {
    category: (vm: string) => categoryAt(vm, endMs),
    keep: (category: string) => (category === 'standard' ? tightened : firstKeeps(category)),
  }
  const points = comparePoints(world, promisedPoints(estate, diary, last))
  return {
    problems: [...points.problems, ...startProblems(world, endMs), ...verdict.problems],
    figures: {
      made: diary.points.length,
      copied: diary.copies.length,
      removed: diary.sweeps.reduce((sum, one) => sum + one.removed, 0),
      kept: points.kept,
      sweeps: diary.sweeps.length,
      asked: diary.sweeps.filter(({ asked }) => asked !== null).length,
      declined: diary.sweeps.filter(({ end }) => end === 'declined').length,
      refused: [...stores.values()].reduce((sum, { refusals }) => sum + refusals, 0),
      starts: diary.starts.length,
      missed: diary.starts.filter((one) => fateOf(diary, one) === 'missed').length,
      skipped: diary.starts.filter((one) => fateOf(diary, one) === 'skipped').length,
      backups: diary.backups.length,
      failed: diary.backups.filter(({ ok }) => !ok).length,
      faults: faults.all.length,
      'clock changes': clockChanges(estate, diary.starts),
      deviations: verdict.expected,
      alerts: verdict.alerts,
      recoveries: verdict.recoveries,
      ticks: ticked,
    },
  }
}

/** Everything that happens from outside: VMs come and go, hypervisors are asked, faults begin and end. */
function foresee(
  { catalog, timeline, estate, faults, diary, rpoOf }: World,
  soon: (ms?: number) => void,
  runs: Runs,
): void {
  const isServed = (): boolean => faults.at('server', '', timeline.nowMs) === undefined
  const list = (hypervisor: string): void => {
    const away = faults.at('server', '', timeline.nowMs) ?? faults.at('hypervisor', hypervisor, timeline.nowMs)
    if (away) return timeline.at(away.untilMs + minute, () => list(hypervisor))
    const mine = estate.vms.filter((vm) => vm.hypervisor === hypervisor)
    const before = new Map(mine.map(({ id }) => [id, catalog.vms.find(id)?.goneMs === null]))
    discover(catalog, estate, hypervisor, timeline.nowMs)
    for (const vm of mine) {
      const isThere = catalog.vms.find(vm.id)?.goneMs === null
      if (isThere && before.get(vm.id) !== true) diary.seen.set(vm.id, { fromMs: timeline.nowMs, untilMs: null })
      const known = diary.seen.get(vm.id)
      if (!isThere && known && known.untilMs === null) known.untilMs = timeline.nowMs
    }
    soon()
  }
  for (const hypervisor of estate.hypervisors) {
    const mine = estate.vms.filter((vm) => vm.hypervisor === hypervisor)
    const changes = new Set(mine.flatMap(({ fromMs, goneMs }) => (goneMs === null ? [fromMs] : [fromMs, goneMs])))
    for (const ms of changes) timeline.at(ms, () => list(hypervisor))
  }
  const probe = (hypervisor: string): void => {
    if (!isServed()) return
    const atMs = timeline.nowMs
    const ok = faults.at('hypervisor', hypervisor, atMs) === undefined
    const error = ok ? null : { code: 'HypervisorTimeout', message: 'it does not answer', hint: 'Look.', docs: '' }
    const facts = { version: '9', identity: null, evidence: null, capabilities: null, findings: [] }
    catalog.endpoints.recordProbe(hypervisor, { testedMs: atMs, ...facts, error })
    diary.probes.push({ hypervisor, atMs, ok })
    soon()
  }
  for (const { kind, of, fromMs, untilMs } of faults.all) {
    // What the watchdog has seen every five minutes it has seen just before.
    timeline.at(fromMs - lookEveryMs, () => soon())
    for (const ms of [fromMs, untilMs]) timeline.at(ms, () => soon())
    if (kind === 'repository') for (const ms of [30 * minute + 2000, lookWithin]) timeline.at(fromMs + ms, () => soon())
    if (kind === 'hypervisor')
      for (const ms of [fromMs + 5 * minute, untilMs + 5 * minute, untilMs + 31 * hour])
        timeline.at(ms, () => probe(of))
  }
  runs.onPoint = ({ vm, createdMs }) => {
    const rpoMs = rpoOf(vm)
    const spreadMs = Math.min(rpoMs / 10, 15 * minute)
    for (const graceMs of [spreadMs, rpoMs / 4])
      timeline.at(createdMs + rpoMs + graceMs + 1000, () => {
        if (diary.seen.get(vm)?.untilMs === null && runs.isLate(vm)) soon()
      })
  }
}

function allIncidents(catalog: Catalog) {
  const rows = []
  for (let cursor: string | undefined; ;) {
    const page = catalog.alerts.incidents({ limit: 200, cursor })
    rows.push(...page.items)
    if (page.nextCursor === null) return rows
    cursor = page.nextCursor
  }
}

/** What is there against what is promised, in each repository; and the catalog, which is to say the same. */
function comparePoints({ stores, catalog }: World, promised: ReadonlyMap<string, ReadonlySet<string>>) {
  const problems: string[] = []
  let kept = 0
  for (const [id, wanted] of promised) {
    const there = stores.get(id)?.stems ?? new Set()
    kept += there.size
    for (const stem of wanted.difference(there)) problems.push(`${id}: ${stem} is promised, and gone`)
    for (const stem of there.difference(wanted)) problems.push(`${id}: ${stem} is there, and nothing keeps it`)
    const believed = new Set(catalog.retained.believed(id))
    const snaps = new Set([...there].map((stem) => stem.slice(-32)))
    const differ = believed.symmetricDifference(snaps).size
    if (differ > 0) problems.push(`${id}: the catalog and the repository differ in ${differ} points`)
  }
  return { problems, kept }
}

/** Each start that the schedule named came, or is told as missed or skipped; the product's list is that of the diary. */
function startProblems({ catalog, diary, estate }: World, endMs: number): string[] {
  const until = endMs - 12 * hour
  return estate.plans.flatMap(({ name }) => {
    const told = new Set(
      catalog.planStarts.missed(name, 0, 10_000).map(({ dueMs, kind }) => `${kind} ${new Date(dueMs).toISOString()}`),
    )
    const mine = diary.starts.filter(({ plan, came, dueMs }) => plan === name && !came && dueMs < until)
    const wanted = new Set(mine.map((one) => `${fateOf(diary, one)} ${new Date(one.dueMs).toISOString()}`))
    return [...wanted.symmetricDifference(told)].map(
      (one) => `${name}: ${one} is ${told.has(one) ? 'told and was not so' : 'not told'}`,
    )
  })
}

/** Skipped is what was due while a run of the plan was under way, whatever else was away then (ADR 0604); else it was missed. */
function fateOf({ planRuns }: World['diary'], { plan, dueMs, came }: Start): 'started' | 'missed' | 'skipped' {
  if (came) return 'started'
  const isUnderWay = planRuns.some(
    (run) => run.plan === plan && run.startedMs <= dueMs && (run.endedMs ?? Infinity) > dueMs,
  )
  return isUnderWay ? 'skipped' : 'missed'
}
