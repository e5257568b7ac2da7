import { Command, Option } from 'commander'
import { formatBytes, formatDuration, HoldfastError } from '../../base/index.ts'
import { ask, type Schemas } from '../client/index.ts'
import { followRun } from '../follow.ts'
import type { Io } from '../io.ts'
import { plain } from '../render/style.ts'
import { pairs, table } from '../render/table.ts'
import { at } from '../render/words.ts'
import { examples, findVm, keyHeader, whole, type Verb } from './common.ts'

type Replication = Schemas['Replication']
type Move = Schemas['ReplicationMove']['move']

interface StartOptions {
  readonly reason: string
  readonly key?: string
  readonly watch?: true
}
interface MoveOptions extends StartOptions {
  readonly confirm?: string
}

export const replication: Verb = (ioOf) => {
  const command = new Command('replication').description('standbys that follow VMs on another hypervisor')
  examples(command, [
    'holdfast replication create web-01 --to paris --rpo 300',
    'holdfast replication list',
    'holdfast replication test web-01 --watch',
    'holdfast replication failover web-01 --planned --confirm web-01 --watch',
    'holdfast replication failback web-01 --confirm web-01 --watch',
  ])
  command
    .command('list', { isDefault: true })
    .description('how far each standby is behind, and what remains to be done')
    .action(async (_options: object, self: Command) => {
      const io = ioOf(self)
      const found = await ask(io.api().GET('/replications'))
      io.answer(found, () => lines(found.items))
    })
  command
    .command('show')
    .description('one of them')
    .argument('<vm>', 'the VM, or the id of the pair')
    .action(async (name: string, _options: object, self: Command) => {
      const io = ioOf(self)
      const found = await find(io, name)
      io.answer(found, () => details(found))
    })
  command
    .command('create')
    .description('let a standby follow a VM; the first cycle brings all of it over')
    .argument('<vm>', 'id or name')
    .requiredOption('--to <hypervisor>', 'where the standby is')
    .option('--name <name>', 'of the standby; default: <vm>-standby')
    .option('--rpo <seconds>', 'how far it may be behind', whole('--rpo', 60, 604_800), 300)
    .action(async (name: string, options: { to: string; name?: string; rpo: number }, self: Command) => {
      const io = ioOf(self)
      const api = io.api()
      const { id: vmId } = await findVm(api, name)
      const body = {
        ...{ vmId, hypervisorId: options.to, rpoMs: options.rpo * 1000 },
        ...(options.name !== undefined && { name: options.name }),
      }
      const made = await ask(api.POST('/replications', { body }))
      io.answer(made, () => `${plain(made.name)} is seeded.\n  holdfast replication show ${plain(made.vmId)}`)
    })
  for (const [verb, change, words] of [
    ['pause', { isPaused: true }, 'no cycle begins by itself'],
    ['resume', { isPaused: false }, 'cycles begin by themselves again'],
  ] as const)
    command
      .command(verb)
      .description(words)
      .argument('<vm>', 'the VM, or the id of the pair')
      .action(async (name: string, _options: object, self: Command) => {
        const io = ioOf(self)
        const { id } = await find(io, name)
        const now = await ask(io.api().PATCH('/replications/{id}', { params: { path: { id } }, body: change }))
        io.answer(now, () => plain(now.todo))
      })
  command
    .command('set')
    .description('change what is promised')
    .argument('<vm>', 'the VM, or the id of the pair')
    .requiredOption('--rpo <seconds>', 'how far it may be behind', whole('--rpo', 60, 604_800))
    .action(async (name: string, options: { rpo: number }, self: Command) => {
      const io = ioOf(self)
      const { id } = await find(io, name)
      const body = { rpoMs: options.rpo * 1000 }
      const now = await ask(io.api().PATCH('/replications/{id}', { params: { path: { id } }, body }))
      io.answer(now, () => plain(now.todo))
    })
  starting(command.command('cycle').description('bring over what has changed, now'))
    .option('--full', 'build on nothing that the standby holds')
    .action(async (name: string, { full, ...options }: StartOptions & { full?: true }, self: Command) => {
      const io = ioOf(self)
      const { id } = await find(io, name)
      const params = { ...keyHeader(options.key), path: { id } }
      const body = { full: full ?? false, reason: options.reason }
      await started(io, options, ask(io.api().POST('/replications/{id}/cycle', { params, body })))
    })
  starting(command.command('test').description('boot a copy of the standby where it reaches nothing, and remove it'))
    .option('--hold <minutes>', 'leave it running for so long', whole('--hold', 0, 1440), 0)
    .option('--limit <seconds>', 'its guest has to answer within', whole('--limit', 1, 3600), 300)
    .action(
      async (
        name: string,
        { hold, limit, ...options }: StartOptions & { hold: number; limit: number },
        self: Command,
      ) => {
        const io = ioOf(self)
        const { id } = await find(io, name)
        const params = { ...keyHeader(options.key), path: { id } }
        const body = { holdMs: hold * 60_000, limitMs: limit * 1000, reason: options.reason }
        await started(io, options, ask(io.api().POST('/replications/{id}/test', { params, body })))
      },
    )
  moving(command.command('failover').description('start the standby in place of its source'))
    .addOption(
      new Option('--planned', 'shut the source down and bring its last state over: nothing is lost').conflicts(
        'unplanned',
      ),
    )
    .addOption(
      new Option('--unplanned', 'start the last whole state at once; the source is switched off if it can be reached'),
    )
    .action(async (name: string, options: MoveOptions & { planned?: true; unplanned?: true }, self: Command) => {
      if (options.planned === undefined && options.unplanned === undefined)
        throw new HoldfastError('InvalidRequest', 'a failover is planned or unplanned', {
          hint: 'Say --planned while the source can be reached, else --unplanned.',
        })
      await moved(ioOf(self), name, options.planned ? 'planned' : 'unplanned', options)
    })
  for (const [verb, words] of [
    ['failback', 'bring the guest back to its source: nothing is lost'],
    ['accept', 'the standby stays where it runs; nothing follows any more'],
    ['remove', 'remove the standby with all its states'],
  ] as const)
    moving(command.command(verb).description(words)).action(async (name: string, options: MoveOptions, self: Command) =>
      moved(ioOf(self), name, verb, options),
    )
  return command
}

function starting(command: Command): Command {
  return command
    .argument('<vm>', 'the VM, or the id of the pair')
    .option('--reason <text>', 'shown in the runbook', '')
    .option('--key <text>', 'Idempotency-Key: repeating the command starts nothing twice')
    .option('-w, --watch', 'follow it to its end')
}

function moving(command: Command): Command {
  return starting(command).requiredOption('--confirm <name>', 'the name of the VM')
}

async function moved(io: Io, name: string, move: Move, options: MoveOptions): Promise<void> {
  const { id } = await find(io, name)
  const params = { ...keyHeader(options.key), path: { id } }
  const body = { move, confirmName: options.confirm ?? '', reason: options.reason }
  await started(io, options, ask(io.api().POST('/replications/{id}/move', { params, body })))
}

async function started(io: Io, { watch }: StartOptions, asked: Promise<Schemas['Accepted']>): Promise<void> {
  const run = await asked
  if (watch) io.end(await followRun(io, io.api(), run.runId))
  else io.answer(run, () => `Started ${run.workflowId}.\n  ${run.command}`)
}

function find(io: Io, id: string): Promise<Replication> {
  return ask(io.api().GET('/replications/{id}', { params: { path: { id } } }))
}

function lines(items: readonly Replication[]): string {
  if (items.length === 0) return 'No VM has a standby.'
  return table(items, [
    { head: 'VM', cell: (one) => plain(one.vmName) },
    { head: 'STANDBY', cell: (one) => `${plain(one.name)} on ${plain(one.hypervisorName)}` },
    { head: 'STATE', cell: (one) => (one.isPaused ? `${one.state}, paused` : one.state) },
    { head: 'BEHIND', cell: (one) => (one.lagMs === null ? '–' : formatDuration(one.lagMs)), right: true },
    { head: 'PROMISED', cell: (one) => formatDuration(one.rpoMs), right: true },
    { head: 'CHAIN', cell: (one) => String(one.links), right: true },
    { head: 'TO DO', cell: (one) => plain(one.todo) },
  ])
}

function details(one: Replication): string {
  return pairs([
    ['VM', `${plain(one.vmName)} on ${plain(one.sourceHypervisorName)}`],
    ['Standby', `${plain(one.name)} on ${plain(one.hypervisorName)}`],
    ['Pair', one.id],
    ['State', one.isPaused ? `${one.state}, paused` : one.state],
    ['Holds', one.headMs === null ? 'nothing yet' : `the source as of ${at(one.headMs)}`],
    [
      'Behind',
      `${one.lagMs === null ? '–' : formatDuration(one.lagMs)}, promised ${formatDuration(one.rpoMs)}${one.isLate ? ' (late)' : ''}`,
    ],
    ['Data', `${formatBytes(one.storedBytes)} in a chain of ${one.links}`],
    ...(one.cycleMs === null || one.cycleBytes === null
      ? []
      : ([['Last cycle', `${formatBytes(one.cycleBytes)} in ${formatDuration(one.cycleMs)}`]] as const)),
    ...(one.testedMs === null
      ? []
      : ([['Last test', `${at(one.testedMs)}: ${one.testOutcome ?? 'no outcome'}`]] as const)),
    ...(one.error ? ([['Failed', `${plain(one.error.message)}. ${plain(one.error.hint)}`]] as const) : []),
    ['To do', plain(one.todo)],
  ])
}
