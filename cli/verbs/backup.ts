import { Command, Option } from 'commander'
import { HoldfastError, toHoldfastError, type ErrorCode } from '../../base/index.ts'
import { ask, type Schemas } from '../client/index.ts'
import { exit, exitOf } from '../exit-codes.ts'
import { followRun } from '../follow.ts'
import type { Io } from '../io.ts'
import { examples, findVm, keyHeader, whole, type Verb } from './common.ts'

interface Options {
  readonly repository?: string
  /** false: none. */
  readonly plan?: string | false
  readonly full?: boolean
  readonly stopBefore?: boolean
  readonly publish?: boolean
  readonly takeOverFrom?: string
  readonly name?: string
  readonly description?: string
  readonly consistency?: 'crash' | 'filesystem' | 'application'
  readonly level?: number
  readonly reason: string
  readonly key?: string
  readonly watch?: boolean
}
interface Row {
  readonly vm: string
  readonly run: Schemas['Accepted'] | null
  readonly error: { readonly code: ErrorCode; readonly message: string; readonly hint: string } | null
}

export const backup: Verb = (ioOf) => {
  const command = new Command('backup')
    .description('back up VMs now')
    .argument('<vm...>', 'ids or names')
    .option('--repository <id>', 'where to; default: where its newest point is')
    .option('--plan <name>', 'whose policy to follow; default: the first that takes the VM')
    .option('--no-plan', 'as no plan says: by its category alone')
    .option('--full', 'read all disks in full')
    .option('--stop-before', 'shut the VM down for the point, and start it again after it')
    .option('--publish', 'a point of a release: it has a count of its own')
    .option('--take-over-from <installation>', 'take the VM over from the installation that protects it')
    .option('--name <text>', 'name of the point')
    .option('--description <text>', 'why it was made')
    .addOption(
      new Option('--consistency <level>', 'default: by the category of the VM').choices([
        'crash',
        'filesystem',
        'application',
      ]),
    )
    .option('--level <n>', 'zstd level', whole('--level', 1, 19))
    .option('--reason <text>', 'shown in the runbook', '')
    .option('--key <text>', 'Idempotency-Key: repeating the command starts nothing twice')
    .option('-w, --watch', 'follow it to its end (one VM)')
  examples(command, [
    'holdfast backup web-01 --watch',
    'holdfast backup web-01 db-01 --reason "before the update"',
    'holdfast backup web-01 --full',
    'holdfast backup build-01 --stop-before --key session-4711',
    'holdfast backup web-01 --publish --name 4.2.0',
  ])
  return command.action(async (names: string[], options: Options) => {
    const io = ioOf(command)
    if (options.watch && names.length > 1) throw new HoldfastError('InvalidRequest', '--watch follows one VM only')
    const [only, ...others] = names
    if (only !== undefined && others.length === 0) {
      const run = await start(io, only, options)
      if (options.watch) {
        io.say(`Started ${run.workflowId}.`)
        io.end(await followRun(io, io.api(), run.runId))
      } else io.answer(run, () => `Started ${run.workflowId}.\n  ${run.command}`)
      return
    }
    const rows: Row[] = []
    try {
      for (const name of names) rows.push(await tryStart(io, name, options))
    } finally {
      if (rows.length > 0) io.answer(rows, () => rowsText(rows))
    }
    io.end(endOf(rows))
  })
}

function rowsText(rows: readonly Row[]): string {
  return rows
    .map(({ vm, run, error }) =>
      run ? `${vm}: started, ${run.command}` : `${vm}: ${error?.message ?? ''}. ${error?.hint ?? ''}`,
    )
    .join('\n')
}

/** All alike: that. Some of them: partial. */
function endOf(rows: readonly Row[]): number {
  const codes = new Set(rows.map(({ error }) => (error ? exitOf(error.code) : exit.ok)))
  const [only, ...others] = codes
  if (others.length === 0) return only ?? exit.ok
  return codes.has(exit.ok) ? exit.partial : exit.failed
}

/** What would be the same for every other VM, too. */
const general: ReadonlySet<number> = new Set([exit.auth, exit.unreachable])

/** With several VMs one that is refused does not keep the others from starting. */
async function tryStart(io: Io, name: string, options: Options): Promise<Row> {
  try {
    return { vm: name, run: await start(io, name, options), error: null }
  } catch (thrown) {
    const error = toHoldfastError(thrown)
    if (io.world.signal.aborted || general.has(exitOf(error.code))) throw error
    const { code, message, hint } = error
    return { vm: name, run: null, error: { code, message, hint } }
  }
}

async function start(io: Io, name: string, options: Options): Promise<Schemas['Accepted']> {
  const api = io.api()
  const vm = await findVm(api, name)
  return ask(
    api.POST('/vms/{id}/backups', {
      params: { path: { id: vm.id }, ...keyHeader(options.key && `${options.key}.${vm.id}`) },
      body: {
        ...(options.plan !== undefined && { plan: options.plan === false ? null : options.plan }),
        ...(options.full && { mode: 'full' as const }),
        ...(options.stopBefore && { stopBefore: true }),
        ...(options.publish && { origin: 'publish' as const }),
        ...(options.takeOverFrom !== undefined && { takeOverFrom: options.takeOverFrom }),
        reason: options.reason,
        ...(options.repository !== undefined && { repositoryId: options.repository }),
        ...(options.name !== undefined && { name: options.name }),
        ...(options.description !== undefined && { description: options.description }),
        ...(options.consistency && { want: options.consistency }),
        ...(options.level !== undefined && { compressionLevel: options.level }),
      },
    }),
  )
}
