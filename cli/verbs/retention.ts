import { Command, Option } from 'commander'
import { HoldfastError } from '../../base/index.ts'
import { ask, type ApiClient, type Schemas } from '../client/index.ts'
import { exit } from '../exit-codes.ts'
import { followRun } from '../follow.ts'
import type { Io } from '../io.ts'
import { plain } from '../render/style.ts'
import { pairs, table } from '../render/table.ts'
import { at } from '../render/words.ts'
import { examples, keyHeader, listAll, whole, type Verb } from './common.ts'
import { collections, sweeps } from './retention-history.ts'
import { sweepSettings } from './retention-settings.ts'

const hour = 3_600_000
const many = 100_000

interface RunOptions {
  readonly graceHours?: number
  readonly approval?: true
  readonly maxShare?: number
  readonly collect: 'auto' | 'always' | 'never'
  readonly now?: true
  readonly reason: string
  readonly key?: string
  readonly watch?: true
}

export const retention: Verb = (ioOf) => {
  const command = new Command('retention').description('what goes and what stays: plan, run, approve, audit')
  examples(command, [
    'holdfast retention plan main',
    'holdfast retention run main --grace-hours 0 --watch',
    'holdfast retention approve main --plan 3f8a0c1d2e4b5a69',
    'holdfast retention list main',
    'holdfast retention collections main',
    'holdfast retention check main --now',
    'holdfast retention audit main > audit.csv',
    'holdfast retention settings main --grace 3d --max-share 25',
  ])
  command.addCommand(sweepSettings(ioOf))
  command.addCommand(sweeps(ioOf))
  command.addCommand(collections(ioOf))
  command
    .command('plan')
    .description('a dry run: what would go, what stays, and which rule keeps it')
    .argument('<repository>')
    .option('--vm <name>', 'only points of this VM')
    .option('--limit <n>', 'points at most', whole('--limit', 1, many), 200)
    .addOption(maxShare())
    .action(async (repository: string, options: { vm?: string; limit: number; maxShare?: number }, self: Command) => {
      const io = ioOf(self)
      const api = io.api()
      const body = { mode: 'plan', ...shareOf(options) } as const
      const run = await ask(api.POST('/repositories/{id}/sweeps', { params: pathOf(repository), body }))
      const code = await followRun(io, api, run.runId, { answer: false })
      if (code !== exit.ok) {
        io.end(code)
        return
      }
      await showPlan(io, api, run.runId, options)
    })
  command
    .command('show')
    .description('the last plan or sweep of a repository, or an earlier one')
    .argument('<repository>')
    .option('--run <id>', 'an earlier one, as `holdfast retention list` says it')
    .option('--vm <name>', 'only points of this VM')
    .option('--limit <n>', 'points at most', whole('--limit', 1, many), 200)
    .action(async (repository: string, options: { run?: string; vm?: string; limit: number }, self: Command) => {
      const io = ioOf(self)
      const api = io.api()
      await showPlan(io, api, options.run ?? (await latest(api, repository)).runId, options)
    })
  command
    .command('run')
    .description('plan, wait for the grace time or a person, remove, collect')
    .argument('<repository>')
    .option(
      '--grace-hours <n>',
      'how long what goes can still be looked at; this and what else is not said is as set for the repository',
      whole('--grace-hours', 0, 720),
    )
    .option('--approval', 'wait for a person, however little goes')
    .addOption(maxShare())
    .addOption(
      new Option('--collect <when>', 'free what no point needs').choices(['auto', 'always', 'never']).default('auto'),
    )
    .option('--now', 'collect without the waiting times: what is condemned is deleted at once')
    .option('--reason <text>', 'shown in the runbook', '')
    .option('--key <text>', 'Idempotency-Key: repeating the command starts nothing twice')
    .option('-w, --watch', 'follow it to its end')
    .action(async (repository: string, options: RunOptions, self: Command) => {
      const io = ioOf(self)
      const api = io.api()
      const run = await ask(
        api.POST('/repositories/{id}/sweeps', {
          params: { ...pathOf(repository), ...keyHeader(options.key) },
          body: {
            mode: 'sweep',
            ...(options.approval === true && { approval: 'required' }),
            ...(options.graceHours !== undefined && { graceMs: options.graceHours * hour }),
            ...shareOf(options),
            collect: options.collect,
            waits: options.now === true ? 'none' : 'usual',
            reason: options.reason,
          },
        }),
      )
      if (options.watch) {
        io.say(`Started ${run.workflowId}.`)
        io.end(await followRun(io, api, run.runId))
      } else io.answer(run, () => `Started ${run.workflowId}.\n  ${run.command}`)
    })
  command
    .command('approve')
    .description('agree to exactly the plan that waits')
    .argument('<repository>')
    .requiredOption('--plan <digest>', 'as `holdfast retention show` and the run say it')
    .option('--reason <text>', 'shown in the runbook', '')
    .action(async (repository: string, options: { plan: string; reason: string }, self: Command) => {
      const io = ioOf(self)
      const api = io.api()
      const { runId } = await latest(api, repository, ({ state }) => state === 'waiting')
      const body = { digest: options.plan, reason: options.reason }
      const run = await ask(api.POST('/sweeps/{run}/approve', { params: { path: { run: runId } }, body }))
      io.answer(run, () => `Approved.\n  ${run.command}`)
    })
  command
    .command('check')
    .description('policy against reality as the last daily audit found it; --now looks again')
    .argument('<repository>')
    .option('--now', 'compare what the catalog knows now')
    .action(async (repository: string, options: { now?: true }, self: Command) => {
      const io = ioOf(self)
      const api = io.api()
      const of = { params: pathOf(repository) }
      const audit =
        options.now === true
          ? await ask(api.POST('/repositories/{id}/retention-audits', of))
          : (await ask(api.GET('/repositories/{id}/retention-audits', of))).items[0]
      if (audit === undefined)
        throw new HoldfastError('NotFound', `${repository} was never audited`, {
          hint: `Do it now: holdfast retention check ${repository} --now`,
        })
      io.answer(audit, () => auditText(audit))
      if (audit.kept + audit.vanished + audit.overdue > 0) io.end(exit.failed)
    })
  command
    .command('audit')
    .description('policy against reality as CSV, or JSON with --json: every point of the last plan')
    .argument('<repository>')
    .action(async (repository: string, _options: object, self: Command) => {
      const io = ioOf(self)
      const api = io.api()
      const { runId } = await latest(api, repository)
      const format = io.json ? 'json' : 'csv'
      const { data, error, response } = await api.GET('/sweeps/{run}/audit', {
        params: { path: { run: runId }, query: { format } },
        parseAs: 'text',
      })
      if (error !== undefined || !response.ok) throw new HoldfastError('Internal', `no audit: ${response.status}`)
      io.world.stdout.write(String(data))
    })
  return command
}

const deviationWords = { kept: 'kept beyond its rules', vanished: 'vanished', overdue: 'sweep overdue' } as const

function auditText(audit: Schemas['RetentionAudit']): string {
  const said = `${at(audit.ms)}: ${audit.sentence}.`
  if (audit.deviations.length === 0) return said
  const rows = table(audit.deviations, [
    { head: 'WHAT', cell: ({ kind }) => deviationWords[kind] },
    { head: 'VM', cell: ({ vmName }) => plain(vmName ?? '') },
    { head: 'POINT', cell: ({ timeMs }) => (timeMs === null ? '' : at(timeMs)) },
    { head: 'POLICY', cell: ({ policy }) => plain(policy ?? '') },
    { head: 'WHY', cell: ({ why }) => plain(why) },
  ])
  return `${said}\n\n${rows}`
}

function maxShare(): Option {
  return new Option('--max-share <percent>', 'ask a person before more of one VM’s points go at once').argParser(
    whole('--max-share', 0, 100),
  )
}

function shareOf({ maxShare: percent }: { readonly maxShare?: number }): { maxShare?: number } {
  return percent === undefined ? {} : { maxShare: percent / 100 }
}

function pathOf(id: string): { path: { id: string } } {
  return { path: { id } }
}

/** The newest that is wanted, or, where none of the last is, the newest: its answer says why it is not what is wanted. */
async function latest(
  api: ApiClient,
  repositoryId: string,
  isWanted: (sweep: Schemas['Sweep']) => boolean = () => true,
): Promise<Schemas['Sweep']> {
  const { items } = await ask(api.GET('/sweeps', { params: { query: { repositoryId, limit: 50 } } }))
  const sweep = items.find(isWanted) ?? items[0]
  if (sweep !== undefined) return sweep
  throw new HoldfastError('NotFound', `${repositoryId} was never swept`, {
    hint: `Plan it first: holdfast retention plan ${repositoryId}`,
  })
}

async function showPlan(
  io: Io,
  api: ApiClient,
  run: string,
  options: { readonly vm?: string; readonly limit: number },
): Promise<void> {
  const path = { run }
  const sweep = await ask(api.GET('/sweeps/{run}', { params: { path } }))
  const all = await listAll(many, (page) => ask(api.GET('/sweeps/{run}/series', { params: { path, query: page } })))
  const series = all.items.filter(({ vmId, vmName }) => options.vm === undefined || [vmId, vmName].includes(options.vm))
  const points: Schemas['SweepPoint'][] = []
  for (const one of series) {
    if (points.length >= options.limit) break
    const rows = await listAll(options.limit - points.length, (page) =>
      ask(api.GET('/sweeps/{run}/points', { params: { path, query: { ...page, series: one.series } } })),
    )
    points.push(...rows.items)
  }
  io.answer({ sweep, series, points }, () => planText(sweep, series, points))
  const shown = series.reduce((sum, one) => sum + one.points, 0)
  if (shown > points.length) io.say(`${points.length} of ${shown} points; --limit shows more`)
}

const words: { readonly [state in Schemas['SweptState']]: string } = {
  stays: 'stays',
  going: 'goes',
  removed: 'removed',
  refused: 'refused',
  spared: 'spared',
}

const orphanWords: { readonly [kind in NonNullable<Schemas['SweepSeries']['orphan']>]: string } = {
  'vm-gone': 'its hypervisor no longer lists it',
  'plan-gone': 'its plan no longer writes here',
  'unknown-vm': 'no VM of the catalog',
}

function planText(
  sweep: Schemas['Sweep'],
  series: readonly Schemas['SweepSeries'][],
  points: readonly Schemas['SweepPoint'][],
): string {
  const waits = sweep.waitsFor === null ? '' : `, waits for ${sweep.waitsFor} until ${at(sweep.waitsUntilMs)}`
  const then = {
    true: 'without an answer nothing goes',
    false: 'without an answer it goes on by itself, and spares the VMs that it asks for',
    null: '',
  }[`${sweep.waitsFor === 'approval' ? sweep.approvalRequired : null}`]
  const asking = series.filter(({ asks }) => asks)
  const orphans = series.filter(({ orphan }) => orphan !== null)
  return [
    pairs([
      ['plan', `${sweep.digest} of ${at(sweep.plannedMs)}, ${sweep.state}${waits}`],
      ...(then === '' ? [] : [['after that', then] as [string, string]]),
      ['points', `${sweep.points} of ${sweep.series} VMs; ${sweep.going} to go`],
      ['done', `${sweep.removed} removed, ${sweep.refused} refused, ${sweep.spared} spared`],
      ...sweep.policies.map(({ name, rules }): [string, string] => [name, rules]),
    ]),
    ...asking.map(({ vmName, going, points: all }) => `asks: ${plain(vmName)} would lose ${going} of ${all} points`),
    ...orphans.map(({ vmName, orphan }) => {
      const why = orphan === null ? '' : `, ${orphanWords[orphan]}`
      return `orphan: ${plain(vmName)}${why}; its points keep ageing`
    }),
    '',
    table(points, [
      { head: 'POINT IN TIME', cell: (one) => at(one.timeMs) },
      { head: 'VM', cell: (one) => plain(one.vmName) },
      { head: 'ID', cell: (one) => one.pointId.slice(0, 12) },
      { head: 'POLICY', cell: (one) => one.policy },
      { head: '', cell: (one) => words[one.state] },
      { head: 'KEPT BY', cell: (one) => plain(one.why ?? one.keptBy.join(', ')) },
    ]),
  ].join('\n')
}
