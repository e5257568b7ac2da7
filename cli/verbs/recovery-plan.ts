import { readFile } from 'node:fs/promises'
import { Command, Option } from 'commander'
import { parse } from 'yaml'
import { describeError, formatDuration, HoldfastError } from '../../base/index.ts'
import { ask, done, type Schemas } from '../client/index.ts'
import { followRun } from '../follow.ts'
import type { Io } from '../io.ts'
import { details, planLines, report } from '../render/recovery.ts'
import { plain } from '../render/style.ts'
import { examples, keyHeader, whole, type Verb } from './common.ts'

type Plan = Schemas['RecoveryPlan']
type Spec = Schemas['RecoverySpec']
type Run = Schemas['RecoveryRun']

type ChooseArguments = [
  name: string,
  tier: string,
  seen: string,
  choice: string,
  options: { readonly reason: string },
  self: Command,
]

interface StartOptions {
  readonly reason: string
  readonly key?: string
  readonly watch?: true
  readonly until?: number
  readonly confirm?: string
  readonly withoutPeople?: true
  readonly patience?: number
  readonly beside?: readonly string[]
}

export const recoveryPlan: Verb = (ioOf) => {
  const command = new Command('recovery-plan').description(
    'groups of VMs that come back in an order; rehearse it, run it',
  )
  examples(command, [
    'holdfast recovery-plan create -f shop.yaml',
    'holdfast recovery-plan rehearse the-shop --watch',
    'holdfast recovery-plan report the-shop',
    'holdfast recovery-plan approve the-shop databases before-0',
    'holdfast recovery-plan choose the-shop web choice-1 retry',
    'holdfast recovery-plan run the-shop --confirm "The shop" --watch',
  ])
  command
    .command('list', { isDefault: true })
    .description('plans, and when each was rehearsed')
    .action(async (_options: object, self: Command) => {
      const io = ioOf(self)
      const found = await ask(io.api().GET('/recovery-plans'))
      io.answer(found, () => planLines(found.items))
    })
  command
    .command('show')
    .description('one of them: its order, and what would keep a VM from coming back')
    .argument('<plan>', 'id')
    .action(async (id: string, _options: object, self: Command) => {
      const io = ioOf(self)
      const found = await find(io, id)
      io.answer(found, () => details(found))
    })
  fromFile(command.command('check').description('what a file would do; nothing is kept')).action(
    async ({ file }: { file: string }, self: Command) => {
      const io = ioOf(self)
      const found = await ask(io.api().POST('/recovery-plans/check', { body: await read(file) }))
      io.answer(found, () =>
        [
          `Order: ${found.stages.map((stage) => stage.join(' and ')).join(', then ') || 'none'}`,
          ...found.findings.map(({ severity, message, hint }) =>
            `${severity}: ${plain(message)} ${plain(hint)}`.trim(),
          ),
        ].join('\n'),
      )
    },
  )
  fromFile(command.command('create').description('make a plan from a file (YAML or JSON)')).action(
    async ({ file }: { file: string }, self: Command) => {
      const io = ioOf(self)
      const made = await ask(io.api().POST('/recovery-plans', { body: await read(file) }))
      io.answer(made, () => `${details(made)}\n  holdfast recovery-plan rehearse ${made.id}`)
    },
  )
  fromFile(command.command('edit').description('what the plan says from now on').argument('<plan>', 'id'))
    .option('--revision <n>', 'only if this is what is there', whole('--revision', 1, Number.MAX_SAFE_INTEGER))
    .action(async (id: string, { file, revision }: { file: string; revision?: number }, self: Command) => {
      const io = ioOf(self)
      const body = { spec: await read(file), revision: revision ?? null }
      const made = await ask(io.api().PUT('/recovery-plans/{id}', { params: { path: { id } }, body }))
      io.answer(made, () => details(made))
    })
  command
    .command('remove')
    .description('remove it; what came of its runs stays')
    .argument('<plan>', 'id')
    .action(async (id: string, _options: object, self: Command) => {
      const io = ioOf(self)
      await done(io.api().DELETE('/recovery-plans/{id}', { params: { path: { id } } }))
      io.answer({ removed: id }, () => `${plain(id)} is removed.`)
    })
  starting(command.command('rehearse').description('bring its VMs back where they reach nothing, and remove them'))
    .option('--without-people', 'skip manual steps')
    .option(
      '--patience <minutes>',
      'end and clean up when nobody answers for so long',
      whole('--patience', 1, 10_080),
      1440,
    )
    .action((id: string, options: StartOptions, self: Command) => begin(ioOf(self), id, 'rehearse', options))
  starting(command.command('run').description('for real: its VMs come back as new ones and are started'))
    .requiredOption('--confirm <name>', 'the name of the plan')
    .option('--beside <vm...>', 'VMs that come back although they run, or a standby of them does or is newer')
    .action((id: string, options: StartOptions, self: Command) => begin(ioOf(self), id, 'run', options))
  command
    .command('report')
    .description('how far a run is, what it waits for, how long each tier took')
    .argument('<run>', 'run id; or a plan: its newest')
    .action(async (name: string, _options: object, self: Command) => {
      const io = ioOf(self)
      const found = await findRun(io, name)
      io.answer(found, () => report(found))
    })
  said(command.command('approve').description('a manual step is done')).action(
    async (name: string, tier: string, seen: string, { reason }: { reason: string }, self: Command) => {
      const io = ioOf(self)
      const { runId: run, wait } = await waitOf(io, name, tier, seen)
      const body = { tier, wait, reason }
      const now = await ask(io.api().POST('/recovery-runs/{run}/approve', { params: { path: { run } }, body }))
      io.answer(now, () => 'It goes on.')
    },
  )
  said(command.command('choose').description('what becomes of a tier that did not come up'))
    .argument('<choice>', 'retry, continue, clean-up or hand-over')
    .action(async (...[name, tier, seen, choice, { reason }, self]: ChooseArguments) => {
      const io = ioOf(self)
      const { runId: run, wait } = await waitOf(io, name, tier, seen)
      const body = { tier, wait, reason, choice: choice as Schemas['RecoveryChoice']['choice'] }
      const now = await ask(io.api().POST('/recovery-runs/{run}/choose', { params: { path: { run } }, body }))
      io.answer(now, () => `${plain(tier)}: ${plain(choice)}.`)
    })
  command
    .command('abort')
    .description('end a run now')
    .argument('<run>', 'run id; or a plan: its newest')
    .addOption(new Option('--clean-up', 'remove all that it has made').conflicts('handOver'))
    .addOption(new Option('--hand-over', 'keep the VMs that stand; what is half-made is removed'))
    .option('--reason <text>', 'shown in the runbook', '')
    .action(async (name: string, options: { cleanUp?: true; handOver?: true; reason: string }, self: Command) => {
      if (options.cleanUp === undefined && options.handOver === undefined)
        throw new HoldfastError('InvalidRequest', 'what becomes of what it has made?', {
          hint: 'Say --clean-up or --hand-over.',
        })
      const io = ioOf(self)
      const { runId: run } = await findRun(io, name)
      const body = { end: options.cleanUp ? ('clean-up' as const) : ('hand-over' as const), reason: options.reason }
      const now = await ask(io.api().POST('/recovery-runs/{run}/abort', { params: { path: { run } }, body }))
      io.answer(now, () => 'It ends.')
    })
  return command
}

function fromFile(command: Command): Command {
  return command.requiredOption('-f, --file <file>', 'YAML or JSON')
}

function starting(command: Command): Command {
  return command
    .argument('<plan>', 'id')
    .option('--until <time>', 'no point taken after it, such as 2026-11-21T02:00:00Z', instantOf)
    .option('--reason <text>', 'shown in the runbook', '')
    .option('--key <text>', 'Idempotency-Key: repeating the command starts nothing twice')
    .option('-w, --watch', 'follow it to its end')
}

function said(command: Command): Command {
  return command
    .argument('<run>', 'run id; or a plan: its newest')
    .argument('<tier>', 'key of the tier that waits')
    .argument('<wait>', 'what it waits for, such as before-0: as the report says')
    .option('--reason <text>', 'shown in the runbook', '')
}

function instantOf(text: string): number {
  const ms = Date.parse(text)
  if (!Number.isNaN(ms)) return ms
  throw new HoldfastError('InvalidRequest', `--until is a time such as 2026-11-21T02:00:00Z, not ${text}`)
}

async function begin(io: Io, id: string, mode: 'rehearse' | 'run', options: StartOptions): Promise<void> {
  const { reason, key, watch, until, confirm, withoutPeople, patience, beside } = options
  const params = { ...keyHeader(key), path: { id } }
  const body = {
    ...{ mode, reason, untilMs: until ?? null, withoutPeople: withoutPeople ?? false },
    ...{ patienceMs: (patience ?? 1440) * 60_000, beside: [...(beside ?? [])] },
    ...(confirm !== undefined && { confirmName: confirm }),
  }
  const run = await ask(io.api().POST('/recovery-plans/{id}/start', { params, body }))
  if (watch) io.end(await followRun(io, io.api(), run.runId))
  else io.answer(run, () => `Started ${run.workflowId}.\n  holdfast recovery-plan report ${run.runId}`)
}

async function read(file: string): Promise<Spec> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    throw new HoldfastError('InvalidRequest', `${file} cannot be read: ${describeError(error)}`)
  }
  try {
    // The server says what is wrong with it.
    return parse(text, { uniqueKeys: true, schema: 'core' }) as Spec
  } catch (error) {
    throw new HoldfastError('InvalidRequest', `${file} is neither YAML nor JSON: ${describeError(error)}`)
  }
}

function find(io: Io, id: string): Promise<Plan> {
  return ask(io.api().GET('/recovery-plans/{id}', { params: { path: { id } } }))
}

async function findRun(io: Io, name: string): Promise<Run> {
  if (/^[0-9a-f]{8}-/.test(name)) return ask(io.api().GET('/recovery-runs/{run}', { params: { path: { run: name } } }))
  const { items } = await ask(
    io.api().GET('/recovery-plans/{id}/runs', { params: { path: { id: name }, query: { limit: 1 } } }),
  )
  const [newest] = items
  if (newest !== undefined) return newest
  throw new HoldfastError('NotFound', `${name} was neither rehearsed nor run`, {
    hint: `Rehearse it: holdfast recovery-plan rehearse ${name}`,
  })
}

/** What the tier waits for now is what somebody has seen: an answer to one question is none to the next. */
async function waitOf(
  io: Io,
  name: string,
  key: string,
  seen: string,
): Promise<{ readonly runId: string; readonly wait: string }> {
  const { runId, tiers } = await findRun(io, name)
  const tier = tiers.find((one) => one.key === key)
  if (tier?.waitsFor?.id === seen) return { runId, wait: seen }
  if (tier?.waitsFor)
    throw new HoldfastError('InvalidRequest', `${key} waits for ${tier.waitsFor.id}, not for ${seen}`, {
      hint: `${tier.waitsFor.title}: see holdfast recovery-plan report ${runId}`,
    })
  const waiting = tiers.flatMap((one) =>
    one.waitsFor ? [`${one.key} since ${formatDuration(Date.now() - one.waitsFor.sinceMs)}`] : [],
  )
  throw new HoldfastError('InvalidRequest', `${key} waits for nobody`, {
    hint: waiting.length === 0 ? 'No tier of the run does.' : `Who waits: ${waiting.join(', ')}.`,
  })
}
