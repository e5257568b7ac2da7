import { Command } from 'commander'
import { ask } from '../client/index.ts'
import { plain } from '../render/style.ts'
import { table } from '../render/table.ts'
import { ago } from '../render/words.ts'
import { examples, listAll, whole, type Verb } from './common.ts'

export const alerts: Verb = (ioOf) => {
  const command = new Command('alerts').description('what wants attention, since when, and what was sent')
  examples(command, ['holdfast alerts', 'holdfast alerts --all', 'holdfast alerts log'])
  command
    .option('--all', 'what is over, too: what has recovered, and what ended and was not mended')
    .option('--limit <n>', 'rows', whole('--limit', 1, 10_000), 50)
    .action(async () => {
      const io = ioOf(command)
      const { all, limit } = command.opts<{ all?: true; limit: number }>()
      const found = await listAll(limit, (page) =>
        ask(io.api().GET('/incidents', { params: { query: { ...page, ...(!all && { state: 'open' as const }) } } })),
      )
      const nowMs = io.world.now()
      io.answer(found, () =>
        found.items.length === 0
          ? 'Nothing wants attention.'
          : table(found.items, [
              { head: 'SEVERITY', cell: (one) => one.severity },
              { head: 'SINCE', cell: (one) => ago(one.openedMs, nowMs) },
              {
                head: 'OVER',
                cell: ({ recoveredMs, endedBy }) =>
                  recoveredMs === null ? '–' : `${endedBy === null ? 'recovered' : 'ended'} ${ago(recoveredMs, nowMs)}`,
              },
              { head: 'WHAT', cell: (one) => plain(one.title) },
              { head: 'WHAT HELPS', cell: ({ command: helps, endedBy }) => plain(endedBy ?? helps ?? '') },
            ]),
      )
    })
  command
    .command('log')
    .description('messages, and what became of each')
    .option('--channel <name>', 'of this channel')
    .option('--limit <n>', 'rows', whole('--limit', 1, 10_000), 50)
    .action(async (options: { channel?: string; limit: number }, self: Command) => {
      const io = ioOf(self)
      const { channel, limit } = options
      const found = await listAll(limit, (page) =>
        ask(io.api().GET('/deliveries', { params: { query: { ...page, ...(channel !== undefined && { channel }) } } })),
      )
      const nowMs = io.world.now()
      io.answer(found, () =>
        table(found.items, [
          { head: 'WHEN', cell: (one) => ago(one.createdMs, nowMs) },
          { head: 'CHANNEL', cell: (one) => one.channel },
          { head: 'STATE', cell: (one) => one.state },
          { head: 'TRIES', cell: (one) => String(one.attempts), right: true },
          { head: 'MESSAGE', cell: (one) => plain(one.title) },
          { head: 'LAST ERROR', cell: (one) => plain(one.error?.message ?? '') },
        ]),
      )
    })
  return command
}
