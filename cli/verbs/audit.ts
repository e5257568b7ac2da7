import { Command } from 'commander'
import { ask, type Schemas } from '../client/index.ts'
import { plain } from '../render/style.ts'
import { table } from '../render/table.ts'
import { at } from '../render/words.ts'
import { examples, findVm, listAll, moment, whole, type Verb } from './common.ts'

interface Options {
  readonly user?: string
  readonly since?: number
  readonly until?: number
  readonly limit: number
}

const actions: { readonly [action in Schemas['AuditEntry']['action']]: string } = {
  'read-file': 'took a file',
  'read-archive': 'took an archive',
  'read-disk': 'took a disk',
  'write-to-guest': 'put into the guest',
  'rotate-key': 'new signing key',
}

function whatOf({ detail, subject, action }: Schemas['AuditEntry']): string {
  if (action === 'rotate-key') return subject ?? ''
  if (detail.disk !== undefined) return `${detail.disk} as ${detail.format ?? 'raw'}`
  const [first = '', ...more] = detail.paths ?? []
  return `${detail.volume ?? ''}:${first}${more.length > 0 ? ` and ${more.length} more` : ''}`
}

/** Who took which file of which point. */
export const audit: Verb = (ioOf) => {
  const command = new Command('audit')
    .description('who took what out of points, newest first')
    .argument('[vm]', 'id or name')
    .option('--user <name>', 'only what this one did')
    .option('--since <day>', 'from this day on, UTC', moment('--since'))
    .option('--until <day>', 'before this day', moment('--until'))
    .option('--limit <n>', 'rows at most', whole('--limit', 1, 10_000), 50)
  examples(command, [
    'holdfast audit web-01',
    'holdfast audit --user ann --since 2026-11-01',
    'holdfast export audit > audit.csv',
  ])
  return command.action(async (name: string | undefined, { user, since, until, limit }: Options) => {
    const io = ioOf(command)
    const api = io.api()
    const vm = name === undefined ? undefined : await findVm(api, name)
    const filter = {
      ...(vm && { vmId: vm.id }),
      ...(user !== undefined && { user }),
      ...(since !== undefined && { sinceMs: since }),
      ...(until !== undefined && { untilMs: until }),
    }
    const { items, total } = await listAll(limit, (page) =>
      ask(api.GET('/audit', { params: { query: { ...filter, ...page } } })),
    )
    io.answer({ items, total }, () =>
      table(items, [
        { head: 'WHEN', cell: ({ ms }) => at(ms) },
        { head: 'WHO', cell: (one) => plain(one.user) },
        { head: 'DID', cell: ({ action }) => actions[action] },
        { head: 'VM', cell: ({ vmName, vmId }) => plain(vmName ?? vmId ?? '–') },
        { head: 'POINT OF', cell: ({ pointCreatedMs }) => (pointCreatedMs === null ? '–' : at(pointCreatedMs)) },
        { head: 'WHAT', cell: (entry) => plain(whatOf(entry)) },
      ]),
    )
  })
}
