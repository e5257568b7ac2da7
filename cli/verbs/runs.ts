import { Command, Option } from 'commander'
import { formatDuration } from '../../base/index.ts'
import { ask, type Schemas } from '../client/index.ts'
import { plain, styleOf } from '../render/style.ts'
import { table } from '../render/table.ts'
import { at, progressText, runWord, size } from '../render/words.ts'
import { examples, findVm, listAll, whole, type Verb } from './common.ts'

const states = [
  'open',
  'closed',
  'failed',
  'running',
  'paused',
  'waiting',
  'completed',
  'completed-with-residue',
  'cancelled',
  'terminated',
] as const

/** Every one of the API's: one that is missing here does not compile. */
const kinds: { readonly [kind in Schemas['RunKind']]: true } = {
  backup: true,
  restore: true,
  drill: true,
  retention: true,
  plan: true,
  verify: true,
  instant: true,
  mirror: true,
  files: true,
  replication: true,
  failover: true,
  recovery: true,
}

interface Options {
  readonly state?: (typeof states)[number]
  readonly kind?: Schemas['RunKind']
  readonly vm?: string
  readonly plan?: string
  readonly site?: string
  readonly limit: number
}

export const runs: Verb = (ioOf) => {
  const command = new Command('runs')
    .description('runs: open ones first, then the newest')
    .addOption(new Option('--state <state>').choices(states))
    .addOption(new Option('--kind <kind>').choices(Object.keys(kinds)))
    .option('--vm <vm>', 'only of this VM')
    .option('--plan <plan>', 'only runs of this plan')
    .option('--site <site>', 'only of VMs or repositories of this site')
    .option('--limit <n>', 'rows at most', whole('--limit', 1, 10_000), 30)
  examples(command, ['holdfast runs', 'holdfast runs --state failed', 'holdfast runs --vm web-01 --kind backup --json'])
  return command.action(async (options: Options) => {
    const io = ioOf(command)
    const api = io.api()
    const style = styleOf(io.hasColor)
    const filter = {
      ...(options.state && { state: options.state }),
      ...(options.kind && { kind: options.kind }),
      ...(options.plan !== undefined && { plan: options.plan }),
      ...(options.site !== undefined && { site: options.site }),
      ...(options.vm !== undefined && { vmId: (await findVm(api, options.vm)).id }),
    }
    const { items, total } = await listAll(options.limit, (page) =>
      ask(api.GET('/runs', { params: { query: { ...filter, ...page } } })),
    )
    io.answer({ items, total }, () =>
      table(items, [
        {
          head: 'STATE',
          cell: (run) => {
            const { word, tone } = runWord({ ...run, said: run.summary })
            return style.tone(tone, word)
          },
        },
        { head: 'RUN', cell: (run) => run.workflowId },
        { head: 'STARTED', cell: (run) => at(run.startedMs) },
        { head: 'TOOK', cell: (run) => formatDuration(run.durationMs), right: true },
        { head: 'READ', cell: (run) => size(run.bytesRead), right: true },
        { head: 'STORED', cell: (run) => size(run.bytesStored), right: true },
        {
          head: '',
          cell: (run) =>
            run.error ? plain(run.error.message) : run.progress ? progressText(run.progress) : plain(run.summary ?? ''),
        },
      ]),
    )
    if (total > items.length) io.say(`${items.length} of ${total}; --limit shows more`)
  })
}
