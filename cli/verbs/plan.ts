import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { HoldfastError, describeError, formatBytes, formatDuration } from '../../base/index.ts'
import { ask, type Schemas } from '../client/index.ts'
import { exit } from '../exit-codes.ts'
import { followRun } from '../follow.ts'
import type { Io } from '../io.ts'
import { plain } from '../render/style.ts'
import { pairs, table } from '../render/table.ts'
import { ago, until } from '../render/words.ts'
import { addPlanChanges } from './plan-change.ts'
import { examples, findVm, keyHeader, listAll, type Verb } from './common.ts'

type Difference = Schemas['PolicyDifference']
type Lately = Schemas['PlanLately']
type Removal = Schemas['PolicyComparison']['removals'][number]
interface FileOptions {
  readonly file?: string
  readonly prune?: boolean
}

export const plans: Verb = (ioOf) => {
  const command = new Command('plans').description('plans: when they start, which VMs they take')
  examples(command, [
    'holdfast plans',
    'holdfast plans run nightly --watch',
    'holdfast plans join nightly web-01 db-01 --dry-run',
  ])
  command
    .command('run')
    .description('run a plan now, also a paused one')
    .argument('<plan>')
    .option('--reason <text>', 'shown in the runbook', '')
    .option('--key <text>', 'Idempotency-Key: repeating the command starts nothing twice')
    .option('-w, --watch', 'follow it to its end')
    .action(async (name: string, options: RunOptions, self: Command) => runNow(ioOf(self), name, options))
  command
    .command('join')
    .description('let a plan take these VMs: by their category, or by name where the plan names VMs')
    .argument('<plan>')
    .argument('<vm...>')
    .option('--dry-run', 'say what would change')
    .action(async (name: string, vms: string[], options: { dryRun?: boolean }, self: Command) =>
      join(ioOf(self), name, vms, options.dryRun ?? false),
    )
  return command.action(async (_options: object, self: Command) => {
    const io = ioOf(self)
    const api = io.api()
    const found = await listAll(1000, (page) => ask(api.GET('/plans', { params: { query: page } })))
    const now = io.world.now()
    io.answer(found.items, () =>
      found.items.length === 0
        ? 'There is no plan yet. Write a policy file and apply it: holdfast apply -f policy.yaml'
        : table(found.items, [
            { head: 'PLAN', cell: (plan) => plan.name },
            { head: 'STARTS', cell: (plan) => `${plan.words}${plan.paused ? ', paused' : ''}` },
            { head: 'NEXT', cell: (plan) => until(plan.nextMs, now) },
            { head: 'LAST', cell: (plan) => lastText(plan, now) },
            { head: 'VMS', cell: (plan) => String(plan.vms), right: true },
            { head: 'OUTSIDE RPO', cell: (plan) => String(plan.outsideRpo), right: true },
            { head: 'TO', cell: (plan) => plan.targets.map(({ repository }) => repository).join(', ') },
          ]),
    )
  })
}

export const plan: Verb = (ioOf) => {
  const command = new Command('plan').description('what a policy file would change; one plan: show, pause, resume, rm')
  examples(command, [
    'holdfast plan -f policy.yaml',
    'holdfast plan show nightly',
    'holdfast plan pause nightly',
    'holdfast plan rm nightly --confirm nightly',
  ])
  command
    .option('-f, --file <file>', 'policy file; - reads it from stdin')
    .option('--prune', 'as if what is not in the file were removed')
    .addHelpText('after', `\nExit code: ${exit.ok} nothing would change, ${exit.differs} something would.`)
    .action(async (options: FileOptions, self: Command) => {
      const io = ioOf(self)
      const body = fileBody(options)
      const difference = await ask(io.api().POST('/policy/difference', { body }))
      io.answer(difference, () =>
        [differenceText(difference, 'would be'), ...difference.removals.map(removalText)].join('\n'),
      )
      if (difference.changes.length > 0) io.end(exit.differs)
    })
  command
    .command('show')
    .description('one plan: its VMs, next times, retention a year ahead')
    .argument('<plan>')
    .action(async (name: string, _options: object, self: Command) => show(ioOf(self), name))
  addPlanChanges(command, ioOf)
  return command
}

export const apply: Verb = (ioOf) => {
  const command = new Command('apply').description('make what exists as a policy file says, all or nothing')
  examples(command, ['holdfast apply -f policy.yaml', 'holdfast apply -f policy.yaml --prune'])
  return command
    .requiredOption('-f, --file <file>', 'policy file; - reads it from stdin')
    .option('--prune', 'also remove what exists and is not in the file, of the sections that it has')
    .action(async (options: FileOptions, self: Command) => {
      const io = ioOf(self)
      const difference = await ask(io.api().POST('/policy/apply', { body: fileBody(options) }))
      io.answer(difference, () => differenceText(difference, 'was'))
    })
}

export const config: Verb = (ioOf) => {
  const command = new Command('config').description('configuration as a file')
  examples(command, ['holdfast config export > policy.yaml', 'holdfast config export --plan nightly'])
  command
    .command('export')
    .description(
      'categories, plans, what is set for single VMs, links, sweeps, slots, records and channels as a policy file, without secrets',
    )
    .option('--plan <plan>', 'only this plan')
    .action(async (options: { readonly plan?: string }, self: Command) => {
      const io = ioOf(self)
      const answer = await ask(io.api().GET('/policy', { params: { query: options } }))
      io.answer(answer, () => answer.file)
    })
  return command
}

const skippedWords = {
  skipped: 'the run before still ran',
  'after-missed': 'the plan before it did not start',
  'after-failed': 'the plan before it did not go well',
} as const

interface RunOptions {
  readonly reason: string
  readonly key?: string
  readonly watch?: true
}

async function runNow(io: Io, name: string, { reason, key, watch }: RunOptions): Promise<void> {
  const api = io.api()
  const params = { path: { id: name }, ...keyHeader(key) }
  const run = await ask(api.POST('/plans/{id}/run', { params, body: { reason } }))
  if (watch) {
    io.say(`Started ${run.workflowId}.`)
    io.end(await followRun(io, api, run.runId))
  } else io.answer(run, () => `Started ${run.workflowId}.\n  ${run.command}`)
}

/** `completed 3 h ago, 11 of 12`, and what did not come since. */
function lastText({ last, missed }: Schemas['Plan'], nowMs: number): string {
  const since = missed.filter(({ dueMs }) => dueMs > (last?.startedMs ?? 0)).length
  const late = since === 0 ? '' : `; ${since} start${since === 1 ? '' : 's'} since did not come`
  if (last === null) return `never${late}`
  const stands = last.standsUntil === null ? '' : ` until ${last.standsUntil}: its window is closed`
  return `${last.state}${stands}; began ${ago(last.startedMs, nowMs)}, ${last.vms.done} of ${last.vms.total}${late}`
}

async function show(io: Io, name: string): Promise<void> {
  const api = io.api()
  const found = await ask(api.GET('/plans/{id}', { params: { path: { id: name } } }))
  const { words, nextMs, vms, outsideRpo, revision, createdMs: _c, changedMs: _m, last: _l, missed, ...spec } = found
  const preview = await ask(api.POST('/plans/preview', { body: { plan: spec } }))
  const lately = await ask(api.GET('/plans/{id}/lately', { params: { path: { id: name } } }))
  io.answer({ ...found, preview, lately }, () => {
    const { match, schedule, targets, remarks } = preview
    const rate =
      match.changedPerDay === null ? 'change not measured yet' : `${formatBytes(match.changedPerDay)} changed a day`
    const head = pairs([
      ['Plan', `${name}, revision ${revision}${found.paused ? ', paused' : ''}`],
      ['Starts', words],
      ['Next', nextMs === null ? '–' : new Date(nextMs).toISOString()],
      ['Last', lastText(found, io.world.now())],
      ['VMs', `${vms}, ${formatBytes(match.sizeBytes)}, ${rate}; ${outsideRpo} outside their RPO`],
      ['Quiesce', found.quiesce ?? 'by category'],
      ['Consistency', found.consistency ?? 'filesystem'],
      ...(found.hooks ?? []).map(({ when, path, args }): [string, string] => [
        when === 'before-freeze' ? 'Before freeze' : 'After thaw',
        plain([path, ...(args ?? [])].join(' ')),
      ]),
    ])
    const times = schedule.next.map(({ local, note }) => `  ${local}${note === null ? '' : `  ${note}`}`)
    const kept = targets.map(({ repository, points, marks, assumed }) => {
      const last = marks.at(-1)
      const basis = `${assumed.measuredVms} of ${assumed.vms} VMs measured`
      return `  ${repository}: ${points.length} points of each VM${last ? `, about ${formatBytes(last.bytes)} before compression (${basis})` : ''}`
    })
    const notes = remarks.map((text) => `  ${text}`)
    const gone = missed.map(
      ({ dueMs, kind }) =>
        `  ${new Date(dueMs).toISOString()}  ${kind === 'missed' ? 'missed' : `skipped: ${skippedWords[kind]}`}`,
    )
    return [
      head,
      '',
      ...section('Last 7 days', latelyLines(lately)),
      ...section('Next times', times),
      ...section('Starts that did not come', gone),
      ...section('A year from now', kept),
      ...section('Worth knowing', notes),
    ].join('\n')
  })
}

function latelyLines({ runs, failedRuns, usualMs, points, fulls, unexpected, degraded }: Lately): string[] {
  if (runs === 0 && points === 0) return []
  return [
    `  ${runs} ${runs === 1 ? 'run' : 'runs'}, ${failedRuns} failed${usualMs === null ? '' : `; usually ${formatDuration(usualMs)}`}`,
    `  ${points} points, ${fulls} with a disk read in full`,
    ...unexpected.map(({ why, points: of }) => `    ${of} unexpected: ${why}`),
    `  ${degraded === 0 ? 'none is' : `${degraded} are`} less consistent than wanted`,
  ]
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [`${title}:`, ...lines, '']
}

function fileBody({ file, prune }: FileOptions): Schemas['PolicyFile'] {
  if (file === undefined)
    throw new HoldfastError('InvalidRequest', 'no policy file was named', {
      hint: 'Name it: holdfast plan -f policy.yaml',
    })
  try {
    return { file: readFileSync(file === '-' ? 0 : file, 'utf8'), prune: prune === true }
  } catch (error) {
    throw new HoldfastError('InvalidRequest', `${file} cannot be read: ${describeError(error)}`, { cause: error })
  }
}

const signs = { create: '+', change: '~', remove: '-' } as const

function differenceText({ changes, unlisted }: Difference, verb: 'would be' | 'was'): string {
  const done = { create: 'created', change: 'changed', remove: 'removed' } as const
  const lines = changes.flatMap(({ kind, name, action, members }) => [
    `${signs[action]} ${kind} ${name} ${verb} ${done[action]}`,
    ...members.map(({ path, before, after }) => `    ${path}: ${before ?? '(nothing)'} → ${after ?? '(nothing)'}`),
  ])
  const rest = unlisted.map(({ kind, name }) => `  ${kind} ${name} is not in the file and stays; --prune removes it`)
  const end = changes.length === 0 ? ['Nothing to change: everything is as the file says.'] : []
  return [...lines, ...rest, ...end].join('\n')
}

/** What would become of points that exist. */
function removalText({ kind, name, repository, points, vms, lookedAt, ofVms }: Removal): string {
  const of = lookedAt < ofVms ? ` (the first ${lookedAt} of ${ofVms} VMs were looked at)` : ''
  const what =
    points === 0 ? 'no point' : `${points} ${points === 1 ? 'point' : 'points'} of ${vms} ${vms === 1 ? 'VM' : 'VMs'}`
  return `  ${kind} ${name}: the next sweep of ${repository} would let ${what} go that it keeps today${of}`
}

async function join(io: Io, name: string, vms: readonly string[], dryRun: boolean): Promise<void> {
  const api = io.api()
  const vmIds: string[] = []
  for (const vm of vms) vmIds.push((await findVm(api, vm)).id)
  const joined = await ask(api.POST('/plans/{id}/members', { params: { path: { id: name } }, body: { vmIds, dryRun } }))
  const words = { in: 'taken already', joins: dryRun ? 'would join' : 'joined', refused: 'refused' }
  io.answer(joined, () =>
    table(joined.items, [
      { head: 'VM', cell: (item) => plain(item.vmName) },
      { head: 'NOW', cell: (item) => words[item.state] },
      { head: 'HOW', cell: (item) => plain(item.how) },
    ]),
  )
  if (joined.items.some(({ state }) => state === 'refused')) io.end(exit.partial)
}
