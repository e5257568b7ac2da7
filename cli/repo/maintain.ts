import { userInfo } from 'node:os'
import { formatBytes, formatDuration, HoldfastError } from '../../base/index.ts'
import { isEmptyPolicy, retention, type KeepRules } from '../../policy/index.ts'
import type {
  CollectReport,
  PackSum,
  PruneReport,
  RebuildReport,
  Repository,
  RetentionPoint,
} from '../../repository/index.ts'
import { exit } from '../exit-codes.ts'
import type { Io } from '../io.ts'
import { plain } from '../render/style.ts'
import { pairs, table } from '../render/table.ts'
import { at } from '../render/words.ts'
import { findStem, type PlaceOptions } from './place.ts'
import { Progress } from './progress.ts'

export interface GcOptions extends PlaceOptions {
  readonly now?: boolean
  readonly dryRun?: boolean
}

/** Ends with `conflict` if another run was under way: what is left is its to do. */
export async function gc(io: Io, repository: Repository, options: GcOptions): Promise<void> {
  const report = await collect(io, repository, options)
  io.answer(report, () => gcText(report))
  if (report.outcome === 'stopped') io.end(exit.conflict)
}

async function collect(io: Io, repository: Repository, options: GcOptions): Promise<CollectReport> {
  return repository.collect({
    dryRun: options.dryRun === true,
    ...(options.now === true && { waits: 'none' }),
    signal: io.world.signal,
    onProgress: (what) => {
      if (io.isLive) io.say(what)
    },
  })
}

const outcomes: { readonly [K in CollectReport['outcome']]: string } = {
  collected: 'Collected.',
  nothing: 'Nothing new to condemn.',
  stopped: 'Another collection is under way; this one stopped and deleted nothing.',
  'dry-run': 'Dry run: nothing was changed.',
}

function gcText(report: CollectReport): string {
  const sum = ({ packs, bytes }: PackSum) => `${packs} packs, ${formatBytes(bytes)}`
  const { young, unknown, locked, waiting } = report.kept
  const condemned = report.outcome === 'dry-run' ? 'would go' : 'condemned'
  return [
    `${outcomes[report.outcome]} ${report.roots} points, ${report.pages} pages read in ${formatDuration(report.durationMs)}`,
    pairs([
      ['stored', sum(report.listed)],
      ['needed', sum(report.live)],
      [condemned, sum(report.condemned)],
      ['needed after all', sum(report.reprieved)],
      ['deleted', sum(report.deleted)],
      ['copied out', sum(report.copied)],
      ['kept: too young', sum(young)],
      ['kept: locked', sum(locked)],
      ['kept: waiting', sum(waiting)],
      ['kept: not readable', sum(unknown)],
    ]),
    ...report.notes.map((note) => `note: ${plain(note)}`),
  ].join('\n')
}

export interface PruneCliOptions extends PlaceOptions {
  readonly point?: string[]
  readonly vm?: string
  readonly keepLast?: number
  readonly keepHourly?: number
  readonly keepDaily?: number
  readonly keepWeekly?: number
  readonly keepMonthly?: number
  readonly keepYearly?: number
  readonly keepDays?: number
  readonly keepManual?: number
  readonly timeZone: string
  readonly maxShare: number
  readonly apply?: boolean
  readonly gc?: boolean
}

interface Line {
  readonly point: RetentionPoint
  readonly keptBy: readonly string[]
}

/** Shows each point with what keeps it; with `--apply` the others get a tombstone, with `--gc` their data go as well. */
export async function prune(io: Io, repository: Repository, options: PruneCliOptions): Promise<void> {
  const rules = rulesOf(options)
  const named = options.point && (await Promise.all(options.point.map((name) => findStem(repository, name))))
  if (named !== undefined && !isEmptyPolicy(rules)) {
    throw new HoldfastError('InvalidRequest', 'either --point or keep rules, not both')
  }
  const lines = named === undefined ? await byRules(repository, rules, options.vm) : []
  const remove = named === undefined ? lines.filter(({ keptBy }) => keptBy.length === 0) : []
  const report = await repository.prune({
    remove: named?.map((stem) => ({ stem })) ?? remove.map(({ point: { stem } }) => ({ stem, policy: 'cli' })),
    reason: named === undefined ? 'retention' : 'operator',
    actor: `cli:${userInfo().username}`,
    dryRun: options.apply !== true,
    maxShare: options.maxShare / 100,
    signal: io.world.signal,
  })
  const freed = options.gc === true && !report.dryRun ? await collect(io, repository, { now: true }) : null
  io.answer({ ...report, points: lines, freed }, () =>
    [pruneText(report, lines), freed ? gcText(freed) : 'Their data are freed by `holdfast repo gc`.'].join('\n'),
  )
  if (freed?.outcome === 'stopped') io.end(exit.conflict)
  if (report.refused.length > 0) io.end(exit.partial)
  if (report.dryRun) io.say('Nothing was changed. The same with --apply removes what is shown as going.')
}

async function byRules(repository: Repository, rules: KeepRules, vm: string | undefined): Promise<Line[]> {
  const points = await repository.retentionPoints(new AbortController().signal)
  const chosen = points.filter((point) => vm === undefined || point.vm === vm)
  if (isEmptyPolicy(rules)) {
    throw new HoldfastError('RetentionRefused', 'no rule keeps anything', {
      hint: 'Give at least one of --keep-last, --keep-hourly … --keep-yearly, --keep-days, or name points with --point.',
    })
  }
  return [...Map.groupBy(chosen, ({ series }) => series).values()].flatMap((series) => {
    const kept = new Map(
      retention(
        series.map(({ stem, timeMs, origin, guard }) => ({ id: stem, timeMs, origin, guard })),
        rules,
        Date.now(),
      ).map(({ id, keptBy }) => [id, keptBy]),
    )
    return series.map((point) => ({ point, keptBy: kept.get(point.stem) ?? [] }))
  })
}

function rulesOf(options: PruneCliOptions): KeepRules {
  const { keepLast, keepHourly, keepDaily, keepWeekly, keepMonthly, keepYearly, keepDays, keepManual, timeZone } =
    options
  return {
    timeZone,
    last: keepLast ?? 0,
    hourly: keepHourly ?? 0,
    daily: keepDaily ?? 0,
    weekly: keepWeekly ?? 0,
    monthly: keepMonthly ?? 0,
    yearly: keepYearly ?? 0,
    withinMs: (keepDays ?? 0) * 86_400_000,
    ...(keepManual !== undefined && { manual: keepManual, publish: keepManual, safety: keepManual }),
  }
}

function pruneText(report: PruneReport, lines: readonly Line[]): string {
  const goes = report.dryRun ? 'would go' : 'goes'
  return [
    ...(lines.length === 0
      ? report.tombstoned.map((stem) => `${stem} ${goes}`)
      : [
          table(lines, [
            { head: 'POINT IN TIME', cell: ({ point }) => at(point.timeMs) },
            { head: 'VM', cell: ({ point }) => plain(point.vm) },
            { head: 'ID', cell: ({ point }) => point.snap.slice(0, 12) },
            { head: 'KEPT BY', cell: ({ keptBy }) => (keptBy.length > 0 ? keptBy.join(', ') : `– ${goes}`) },
          ]),
        ]),
    ...report.refused.map(({ stem, why }) => `${stem} stays: ${why}`),
    ...(report.locked > 0 ? [`${report.locked} removed points stay until their retention in the store is over`] : []),
    ...report.abandoned.map((stem) => `${stem} was never validated and is abandoned`),
    `${report.tombstoned.length} ${report.tombstoned.length === 1 ? 'point' : 'points'} ${goes}.`,
  ].join('\n')
}

export async function rebuildIndex(io: Io, repository: Repository, apply: boolean): Promise<void> {
  const progress = new Progress(io, 'rebuild')
  const report: RebuildReport = await repository.rebuildIndex({
    dryRun: !apply,
    signal: io.world.signal,
    onProgress: (done, total, what) => progress.count(done, total, what),
  })
  progress.end()
  const { packs, missing, indexed, blobs, written, scanned, unreadable, notes } = report
  io.answer(report, () =>
    [
      `${missing} of ${packs} packs are not in the index; ${indexed} with ${blobs} blobs ${apply ? 'were' : 'would be'} written to ${written} segments`,
      ...(scanned > 0 ? [`${scanned} packs have lost their tables and were scanned`] : []),
      ...notes.map((note) => `note: ${plain(note)}`),
    ].join('\n'),
  )
  if (!apply && missing > 0) io.say('Nothing was changed. The same with --apply writes the index.')
  if (unreadable > 0) io.end(exit.failed)
}

export async function hold(
  io: Io,
  repository: Repository,
  name: string,
  options: { readonly reason: string; readonly legal?: boolean },
): Promise<void> {
  const stem = await findStem(repository, name)
  const actor = `cli:${userInfo().username}`
  const type = options.legal === true ? 'legal' : 'pin'
  const held = await repository.hold({ stem, type, actor, reason: options.reason }, io.world.signal)
  io.answer({ stem, hold: held }, () => `${stem} is held\n  holdfast repo release ${held}`)
}

export async function holds(io: Io, repository: Repository): Promise<void> {
  const all = await repository.listHolds(io.world.signal)
  io.answer({ holds: all }, () =>
    table(all, [
      { head: 'HOLD', cell: ({ name }) => name },
      { head: 'TYPE', cell: ({ type }) => type },
      { head: 'SINCE', cell: ({ ms }) => at(ms) },
      { head: 'BY', cell: ({ actor }) => plain(actor) },
      { head: 'REASON', cell: ({ reason }) => plain(reason) },
    ]),
  )
}

export async function release(io: Io, repository: Repository, name: string): Promise<void> {
  await repository.release(name)
  io.answer({ released: name }, () => `${name} is released`)
}
