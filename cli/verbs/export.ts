import { Argument, Command } from 'commander'
import { HoldfastError } from '../../base/index.ts'
import { examples, moment, type Verb } from './common.ts'

const kinds = ['runs', 'points', 'protection', 'usage', 'usage-months', 'retention', 'capacity', 'audit'] as const

interface Options {
  readonly since?: number
  readonly until?: number
}

export const exportList: Verb = (ioOf) =>
  examples(new Command('export'), [
    'holdfast export protection > protection.csv',
    'holdfast export runs --since 2026-10-01 --until 2026-11-01 > october.csv',
    'holdfast export usage-months --since 2026-10-01 --until 2026-11-01 > october-usage.csv',
    'holdfast export capacity --json',
  ])
    .description('a whole list as CSV, or JSON with --json')
    .addArgument(new Argument('<list>', 'which').choices(kinds))
    .option(
      '--since <day>',
      'from this day on, UTC; of runs, points, usage-months, retention, capacity and audit',
      moment('--since'),
    )
    .option('--until <day>', 'before this day', moment('--until'))
    .action(async (kind: (typeof kinds)[number], { since, until }: Options, self: Command) => {
      const io = ioOf(self)
      const query = {
        format: io.json ? ('json' as const) : ('csv' as const),
        ...(since !== undefined && { sinceMs: since }),
        ...(until !== undefined && { untilMs: until }),
      }
      const { data, error, response } = await io
        .api()
        .GET('/exports/{kind}', { params: { path: { kind }, query }, parseAs: 'stream' })
      if (error !== undefined || !response.ok || data === null || data === undefined)
        throw new HoldfastError('Internal', `no list came: ${response.status}`)
      const text = new TextDecoder()
      for await (const piece of data as unknown as AsyncIterable<Uint8Array>)
        io.world.stdout.write(text.decode(piece, { stream: true }))
    })
