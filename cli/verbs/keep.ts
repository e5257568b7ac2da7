import { Command } from 'commander'
import { ask, type Schemas } from '../client/index.ts'
import { table } from '../render/table.ts'
import { examples, whole, type Verb } from './common.ts'

type Kind = Schemas['Keeping']['kind']

export const keep: Verb = (ioOf) => {
  const command = new Command('keep').description('how long records are kept: runs, usage, audit and others')
  examples(command, ['holdfast keep ls', 'holdfast keep set runs 24'])
  command
    .command('ls')
    .description('the data-availability table')
    .action(async (_options: object, self: Command) => {
      const io = ioOf(self)
      const answer = await ask(io.api().GET('/keeping', {}))
      io.answer(answer, () =>
        table(answer.items, [
          { head: 'KIND', cell: (one) => one.kind },
          { head: 'RECORDS OF', cell: (one) => one.title },
          { head: 'MONTHS', cell: (one) => String(one.months), right: true },
          { head: 'DEFAULT', cell: (one) => String(one.defaultMonths), right: true },
          {
            head: 'RECORDS',
            cell: (one) => (one.records === null ? 'none written' : String(one.records)),
            right: true,
          },
          {
            head: 'OLDEST',
            cell: (one) => (one.oldestMs === null ? '–' : new Date(one.oldestMs).toISOString().slice(0, 10)),
          },
        ]),
      )
    })
  command
    .command('set')
    .description('keep records of a kind for so many months')
    .argument('<kind>')
    .argument('<months>', '1 to 240', whole('months', 1, 240))
    .action(async (kind: string, months: number, _options: object, self: Command) => {
      const io = ioOf(self)
      const path = { params: { path: { kind: kind as Kind } } }
      const set = await ask(io.api().PUT('/keeping/{kind}', { ...path, body: { months } }))
      io.answer(set, () =>
        set.records === null
          ? `${set.title}: no records of this kind are written here, so nothing goes.`
          : `${set.title} are kept for ${set.months} months. What is older goes within a day.`,
      )
    })
  return command
}
