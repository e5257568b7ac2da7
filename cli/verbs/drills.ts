import { Command, Option } from 'commander'
import { formatDuration } from '../../base/index.ts'
import { ask, type Schemas } from '../client/index.ts'
import { plain } from '../render/style.ts'
import { table } from '../render/table.ts'
import { ago, at } from '../render/words.ts'
import { examples, findVm, listAll, whole, type Verb } from './common.ts'

interface Options {
  readonly verdict?: Schemas['Drill']['verdict']
  readonly next?: true
  readonly overdue?: true
  readonly limit: number
}

function begins({ state, hindrance, fromMs }: Schemas['DrillAgendaEntry']): string {
  if (state === 'running') return 'now'
  if (hindrance !== null) return hindrance === 'no-checks' ? 'by hand: no checks' : 'by hand: hypervisor'
  return state === 'coming' ? at(fromMs) : 'next in line'
}

export const drills: Verb = (ioOf) => {
  const command = new Command('drills')
    .description('drills that have ended, newest first; with --next, when each VM is drilled next')
    .argument('[vm]', 'id or name')
    .addOption(
      new Option('--verdict <verdict>', 'only those that ended like this').choices([
        'passed',
        'failed',
        'inconclusive',
      ]),
    )
    .addOption(new Option('--next', 'when each VM is drilled next, due first').conflicts('verdict'))
    .addOption(new Option('--overdue', 'only VMs whose drill should have been').conflicts('verdict'))
    .option('--limit <n>', 'rows at most', whole('--limit', 1, 10_000), 50)
  examples(command, ['holdfast drills web-01', 'holdfast drills --verdict failed', 'holdfast drills --next'])
  return command.action(async (name: string | undefined, options: Options) => {
    const io = ioOf(command)
    const api = io.api()
    const now = io.world.now()
    const vm = name === undefined ? undefined : await findVm(api, name)
    if (options.next || options.overdue) {
      let coverage: Schemas['DrillAgenda']['coverage'] | undefined
      const filter = { ...(vm && { vmId: vm.id }), ...(options.overdue && { state: 'overdue' as const }) }
      const { items, total } = await listAll(options.limit, async (page) => {
        const found = await ask(api.GET('/drills/agenda', { params: { query: { ...filter, ...page } } }))
        ;({ coverage } = found)
        return found
      })
      io.answer({ items, total, coverage }, () =>
        [
          `${coverage?.proven ?? 0} of ${coverage?.promised ?? 0} VMs are proven in time, ${coverage?.overdue ?? 0} overdue.`,
          '',
          table(items, [
            { head: 'VM', cell: (entry) => plain(entry.vmName) },
            { head: 'STATE', cell: (entry) => entry.state },
            { head: 'DUE', cell: (entry) => at(entry.dueMs) },
            { head: 'BEGINS', cell: begins },
            { head: 'EVERY', cell: (entry) => formatDuration(entry.everyMs) },
            {
              head: 'LAST PASSED',
              cell: (entry) => (entry.lastPassedMs === null ? 'never' : ago(entry.lastPassedMs, now)),
            },
          ]),
        ].join('\n'),
      )
      return
    }
    const filter = { ...(vm && { vmId: vm.id }), ...(options.verdict && { verdict: options.verdict }) }
    const { items, total } = await listAll(options.limit, (page) =>
      ask(api.GET('/drills', { params: { query: { ...filter, ...page } } })),
    )
    io.answer({ items, total }, () =>
      table(items, [
        { head: 'ENDED', cell: (drill) => at(drill.endedMs) },
        { head: 'VM', cell: (drill) => plain(drill.vmName) },
        { head: 'VERDICT', cell: (drill) => drill.verdict },
        {
          head: 'BACK AFTER',
          cell: (drill) => (drill.rtoSeconds === null ? '–' : formatDuration(drill.rtoSeconds * 1000)),
          right: true,
        },
        { head: 'CHECKS', cell: (drill) => `${drill.checksPassed} of ${drill.checksTotal}`, right: true },
        { head: 'DRILL', cell: (drill) => drill.id },
        { head: 'WHY', cell: (drill) => plain(drill.why) },
      ]),
    )
  })
}
