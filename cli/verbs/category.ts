import { Command, Option } from 'commander'
import { durationText, HoldfastError } from '../../base/index.ts'
import { ask, done, type ApiClient, type Schemas } from '../client/index.ts'
import type { Io } from '../io.ts'
import { removalText } from '../render/removals.ts'
import { plain } from '../render/style.ts'
import { pairs, table } from '../render/table.ts'
import { examples, type Verb } from './common.ts'
import { copyCounts, duration, durationOrNone, keepRules, type DurationOrNone } from './policy-options.ts'

type Category = Schemas['Category']

export const categories: Verb = (ioOf) => {
  const command = new Command('categories').description('what is promised to VMs, by category')
  examples(command, ['holdfast categories'])
  return command.action(async (_options: object, self: Command) => {
    const io = ioOf(self)
    const { items } = await ask(io.api().GET('/categories'))
    const hours = (ms: number | null | undefined): string =>
      ms === null || ms === undefined ? '–' : `${Math.round(ms / 360_000) / 10} h`
    io.answer(items, () =>
      table(items, [
        { head: 'CATEGORY', cell: (one) => one.name },
        { head: 'VMS', cell: (one) => String(one.vms), right: true },
        { head: 'RPO', cell: (one) => hours(one.rpoMs), right: true },
        { head: 'RTO', cell: (one) => hours(one.rtoMs), right: true },
        { head: 'QUIESCE', cell: (one) => one.quiesce },
        { head: 'KEEPS', cell: (one) => keepText(one.keep) },
      ]),
    )
  })
}

type Body = Omit<Schemas['CategoryPut'], 'revision'>

interface SetOptions {
  readonly description?: string
  readonly rpo?: number
  readonly rto?: DurationOrNone
  readonly every?: DurationOrNone
  readonly keep?: Schemas['Keep']
  readonly quiesce?: Category['quiesce']
  readonly copies?: Partial<Schemas['Copies']>
  readonly drillEvery?: DurationOrNone
  readonly exerciseEvery?: DurationOrNone
  readonly bootTimeout?: number
  readonly dryRun?: boolean
}

/** One category: those that are there from the start can be changed, others made and removed. */
export const category: Verb = (ioOf) => {
  const command = new Command('category').description('what is promised by one category: show, set, rm')
  examples(command, [
    'holdfast category show critical',
    'holdfast category set critical --rpo 2h --keep daily=30,weekly=12,monthly=12',
    'holdfast category set payroll --rpo 2h --keep daily=31,monthly=24 --quiesce required',
    'holdfast category rm payroll',
  ])
  command
    .command('show')
    .description('what it promises')
    .argument('<category>')
    .action(async (name: string, _options: object, self: Command) => {
      const io = ioOf(self)
      tell(io, await get(io.api(), name))
    })
  command
    .command('set')
    .description('make or change it; what is not said stays as it is. A new one needs --rpo and --keep')
    .argument('<category>')
    .option('--description <text>', 'what it is for')
    .option('--rpo <duration>', 'the newest point is never older', duration('--rpo'))
    .option('--rto <duration>', 'how long bringing a VM back may take; none', durationOrNone('--rto'))
    .option('--every <duration>', 'how often it wants to be backed up; none: on demand', durationOrNone('--every'))
    .option('--keep <rules>', 'such as daily=14,weekly=8,within=30d; as a whole', keepRules)
    .addOption(new Option('--quiesce <how>', 'of its guests').choices(['required', 'preferred', 'none']))
    .option('--copies <counts>', 'such as repositories=2,media=2,offSite=1,immutable=1', copyCounts)
    .option(
      '--drill-every <duration>',
      'not proven for so long, due for a drill; none',
      durationOrNone('--drill-every'),
    )
    .option('--exercise-every <duration>', 'the same for a full exercise; none', durationOrNone('--exercise-every'))
    .option('--boot-timeout <duration>', 'how long a drill waits for a guest', duration('--boot-timeout'))
    .option('--dry-run', 'say which points the next sweep would let go, and change nothing')
    .action(async (name: string, options: SetOptions, self: Command) => set(ioOf(self), name, options))
  command
    .command('rm')
    .description('remove one that no VM has; those that are there from the start stay')
    .argument('<category>')
    .action(async (name: string, _options: object, self: Command) => {
      const io = ioOf(self)
      const { revision } = await get(io.api(), name)
      await done(io.api().DELETE('/categories/{id}', { params: { path: { id: name }, query: { revision } } }))
      io.answer({ removed: name }, () => `${name} is removed.`)
    })
  return command
}

async function set(io: Io, name: string, { dryRun = false, ...options }: SetOptions): Promise<void> {
  const api = io.api()
  if (Object.keys(options).length === 0)
    throw new HoldfastError('InvalidRequest', 'nothing was said to set', { hint: 'See holdfast category set --help.' })
  const found = await find(api, name)
  const params = { path: { id: name } }
  const wanted = bodyOf(name, found, options)
  if (dryRun) {
    const seen = await ask(api.POST('/categories/preview', { body: { category: { ...wanted, name } } }))
    io.answer(seen, () => removalText(`Saving ${name} so`, seen))
    return
  }
  const body = { ...wanted, revision: found?.revision ?? 0 }
  tell(io, await ask(api.PUT('/categories/{id}', { params, body })))
}

function bodyOf(name: string, found: Category | undefined, options: SetOptions): Body {
  const { rpo, rto, every, copies, drillEvery, exerciseEvery, bootTimeout, ...same } = options
  const said = {
    ...same,
    ...(rto !== undefined && { rtoMs: orNull(rto) }),
    ...(every !== undefined && { everyMs: orNull(every) }),
    ...(drillEvery !== undefined && { drillEveryMs: orNull(drillEvery) }),
    ...(exerciseEvery !== undefined && { exerciseEveryMs: orNull(exerciseEvery) }),
    ...(bootTimeout !== undefined && { drill: { ...found?.drill, bootTimeoutMs: bootTimeout } }),
    ...(copies && { copies: { ...oneCopy, ...found?.copies, ...copies } }),
  }
  if (found !== undefined) {
    const { name: _n, revision: _r, createdMs: _c, changedMs: _m, vms: _v, ...before } = found
    return { ...before, ...(rpo !== undefined && { rpoMs: rpo }), ...said }
  }
  if (rpo === undefined || options.keep === undefined)
    throw new HoldfastError(
      'InvalidRequest',
      `there is no category ${name} yet, and a new one needs --rpo and --keep`,
      {
        hint: `holdfast category set ${name} --rpo 24h --keep daily=14,weekly=4`,
      },
    )
  return { quiesce: 'preferred', ...said, rpoMs: rpo, keep: options.keep }
}

const orNull = (wish: DurationOrNone): number | null => (wish === 'none' ? null : wish)
const oneCopy = { repositories: 1, media: 1, offSite: 0, immutable: 0 }

async function find(api: ApiClient, name: string): Promise<Category | undefined> {
  const { items } = await ask(api.GET('/categories'))
  return items.find((one) => one.name === name)
}

async function get(api: ApiClient, name: string): Promise<Category> {
  const found = await find(api, name)
  if (found !== undefined) return found
  throw new HoldfastError('NotFound', `there is no category ${name}`, { hint: 'List them with `holdfast categories`.' })
}

function tell(io: Io, one: Category): void {
  const span = (ms: number | null | undefined, none: string): string =>
    ms === null || ms === undefined ? none : durationText(ms)
  const { repositories, media, offSite, immutable } = { ...oneCopy, ...one.copies }
  io.answer(one, () =>
    pairs([
      ['Category', `${one.name}, revision ${one.revision}, ${one.vms} ${one.vms === 1 ? 'VM' : 'VMs'}`],
      ...(one.description ? [['Description', plain(one.description)] as [string, string]] : []),
      ['RPO', span(one.rpoMs, '–')],
      ['RTO target', span(one.rtoMs, 'none')],
      ['Backed up every', span(one.everyMs, 'on demand')],
      ['Quiesce', one.quiesce],
      ['Keeps', keepText(one.keep)],
      ['Copies', `${repositories}, on ${media} kinds of media, ${offSite} off site, ${immutable} immutable`],
      ['Drill every', span(one.drillEveryMs, 'none')],
      ['Full exercise every', span(one.exerciseEveryMs, 'none')],
    ]),
  )
}

function keepText(keep: Schemas['Keep']): string {
  const counts = (['last', 'hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const).flatMap((rule) =>
    (keep[rule] ?? 0) > 0 ? [`${keep[rule]} ${rule}`] : [],
  )
  const within = keep.withinMs === undefined ? [] : [`everything of ${durationText(keep.withinMs)}`]
  return [...counts, ...within].join(', ')
}
