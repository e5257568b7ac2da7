import { Command, Option } from 'commander'
import { formatBytes, formatDuration, HoldfastError } from '../../base/index.ts'
import { ask, type ApiClient, type Schemas } from '../client/index.ts'
import { followRun } from '../follow.ts'
import { plain } from '../render/style.ts'
import { pairs, table } from '../render/table.ts'
import { at } from '../render/words.ts'
import { examples, findPoint, findVm, keyHeader, listAll, type Verb } from './common.ts'

type Instant = Schemas['Instant']

const many = 1_000

interface StartOptions {
  readonly point: string
  readonly name: string
  readonly to?: string
  readonly network: 'isolated' | 'connected'
  readonly sameIdentity?: true
  readonly reason: string
  readonly key?: string
}
interface EndOptions {
  readonly reason: string
  readonly watch?: true
}

export const instant: Verb = (ioOf) => {
  const command = new Command('instant').description('boot a point out of its repository, then migrate or discard it')
  examples(command, [
    'holdfast instant start web-01 --name web-01-now',
    'holdfast instant list',
    'holdfast instant migrate web-01-now --watch',
    'holdfast instant discard web-01-now --confirm web-01-now',
  ])
  command
    .command('start')
    .description('a new VM runs in seconds; what it reads comes from the repository')
    .argument('<vm>', 'id or name')
    .requiredOption('--name <name>', 'of the new VM')
    .option('--point <point>', 'latest, id, or time', 'latest')
    .option('--to <hypervisor>', 'where it runs; default: where the VM lives')
    .addOption(
      new Option('--network <which>', 'nothing is reached, or the networks that the VM had')
        .choices(['isolated', 'connected'])
        .default('isolated'),
    )
    .option('--same-identity', 'keep network addresses and machine id')
    .option('--reason <text>', 'shown in the runbook', '')
    .option('--key <text>', 'Idempotency-Key: repeating the command starts nothing twice')
    .action(async (name: string, options: StartOptions, self: Command) => {
      const io = ioOf(self)
      const api = io.api()
      const vm = await findVm(api, name)
      const point = await findPoint(api, vm.id, options.point)
      const run = await ask(
        api.POST('/instants', {
          params: keyHeader(options.key),
          body: {
            pointId: point.id,
            hypervisorId: options.to ?? vm.hypervisorId,
            name: options.name,
            network: options.network,
            identity: options.sameIdentity ? 'same' : 'new',
            reason: options.reason,
          },
        }),
      )
      io.answer(run, () => `Started ${run.workflowId}.\n  holdfast instant show ${plain(options.name)}`)
    })
  command
    .command('list')
    .description('VMs that run from a repository: age, I/O, owner, and what remains to be done')
    .option('--all', 'also those that have ended')
    .action(async (options: { all?: true }, self: Command) => {
      const io = ioOf(self)
      const { items } = await list(io.api(), options.all === true ? 'all' : 'only')
      io.answer(items, () => lines(items))
    })
  command
    .command('show')
    .description('one of them')
    .argument('<name>', 'of the VM, or its run')
    .action(async (name: string, _options: object, self: Command) => {
      const io = ioOf(self)
      const found = await find(io.api(), name, 'all')
      io.answer(found, () => details(found))
    })
  command
    .command('migrate')
    .description('copy it to the hypervisor while it runs; afterwards it needs nothing of the repository')
    .argument('<name>', 'of the VM, or its run')
    .option('--reason <text>', 'shown in the runbook', '')
    .option('-w, --watch', 'follow it to its end')
    .action(async (name: string, options: EndOptions, self: Command) => {
      const io = ioOf(self)
      const api = io.api()
      const params = { path: { run: (await find(api, name, 'only')).runId } }
      const run = await ask(api.POST('/instants/{run}/migrate', { params, body: { reason: options.reason } }))
      if (options.watch) io.end(await followRun(io, api, run.runId))
      else io.answer(run, () => `It is copied while it runs.\n  ${run.command}`)
    })
  command
    .command('discard')
    .description('remove it with everything that its guest has written')
    .argument('<name>', 'of the VM, or its run')
    .requiredOption('--confirm <name>', 'the name of the VM')
    .option('--reason <text>', 'shown in the runbook', '')
    .option('-w, --watch', 'follow it to its end')
    .action(async (name: string, options: EndOptions & { confirm: string }, self: Command) => {
      const io = ioOf(self)
      const api = io.api()
      const params = { path: { run: (await find(api, name, 'only')).runId } }
      const body = { confirmName: options.confirm, reason: options.reason }
      const run = await ask(api.POST('/instants/{run}/discard', { params, body }))
      if (options.watch) io.end(await followRun(io, api, run.runId))
      else io.answer(run, () => `It is removed.\n  ${run.command}`)
    })
  return command
}

function list(api: ApiClient, open: 'only' | 'all'): Promise<{ items: Instant[]; total: number }> {
  return listAll(many, (page) => ask(api.GET('/instants', { params: { query: { ...page, open } } })))
}

/** The newest of that name, or the run itself. */
async function find(api: ApiClient, name: string, open: 'only' | 'all'): Promise<Instant> {
  const { items } = await list(api, open)
  const found = items.find((one) => one.runId === name || one.name === name)
  if (found !== undefined) return found
  throw new HoldfastError('NotFound', `no VM ${name} runs from a repository`, {
    hint: 'List them with `holdfast instant list`.',
  })
}

function lines(items: readonly Instant[]): string {
  if (items.length === 0) return 'No VM runs from a repository.'
  return table(items, [
    { head: 'VM', cell: (one) => plain(one.name) },
    { head: 'STATE', cell: (one) => (one.isForgotten ? 'forgotten?' : one.state) },
    { head: 'AGE', cell: (one) => formatDuration(one.ageMs) },
    { head: 'OWNER', cell: (one) => plain(one.requestedUser) },
    { head: 'FROM', cell: (one) => `${plain(one.vmName)} in ${plain(one.repositoryName)}` },
    { head: 'READ', cell: (one) => (one.io ? formatBytes(one.io.readBytes) : '–') },
    { head: 'WRITTEN', cell: (one) => (one.io ? formatBytes(one.io.writtenBytes) : '–') },
    { head: 'TO DO', cell: (one) => plain(one.todo) },
  ])
}

function details(one: Instant): string {
  const { io, error, bootList } = one
  return pairs([
    ['VM', `${plain(one.name)} on ${plain(one.hypervisorName)}, ${one.network}`],
    ['State', `${one.state}${io ? `, guest ${io.power}` : ''}`],
    [
      'From',
      `${plain(one.vmName)}${one.pointMs === null ? '' : ` of ${at(one.pointMs)}`} in ${plain(one.repositoryName)}`,
    ],
    ['Age', `${formatDuration(one.ageMs)}, started by ${plain(one.requestedUser)}`],
    [
      'Boot list',
      bootList === null
        ? 'none: no drill has booted it out of a repository (holdfast drill VM --from repository)'
        : `${formatBytes(bootList.bytes)} read ahead, recorded at the drill of ${at(bootList.recordedMs)}`,
    ],
    ...(io
      ? ([
          ['Guest', `${formatBytes(io.readBytes)} read, ${formatBytes(io.writtenBytes)} written`],
          [
            'Data',
            `${formatBytes(io.overlayBytes)} on the hypervisor${io.fetchedBytes === null ? '' : `, ${formatBytes(io.fetchedBytes)} fetched`}`,
          ],
        ] as const)
      : []),
    ...(error ? ([['Last copy', `${plain(error.message)}. ${plain(error.hint)}`]] as const) : []),
    ['To do', plain(one.todo)],
  ])
}
