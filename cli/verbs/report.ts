import { Command, Option } from 'commander'
import { HoldfastError } from '../../base/index.ts'
import { ask, type Schemas } from '../client/index.ts'
import { plain } from '../render/style.ts'
import { pairs, table } from '../render/table.ts'
import { size } from '../render/words.ts'
import { examples, type Verb } from './common.ts'

interface Options {
  readonly period: Schemas['ProtectionReport']['period']
  readonly html?: true
}

export const report: Verb = (ioOf) =>
  examples(new Command('report'), [
    'holdfast report',
    'holdfast report --period month --html > november.html',
    'holdfast export protection > every-vm.csv',
  ])
    .description('the protection report of a day, a week or a month')
    .addOption(new Option('--period <period>', 'how far back').choices(['day', 'week', 'month']).default('week'))
    .option('--html', 'as a page to print or send on')
    .action(async ({ period, html }: Options, self: Command) => {
      const io = ioOf(self)
      const api = io.api()
      if (html) {
        const query = { period, format: 'html' as const }
        const { data, error, response } = await api.GET('/reports/protection', { params: { query }, parseAs: 'text' })
        if (error !== undefined || !response.ok) throw new HoldfastError('Internal', `no report: ${response.status}`)
        io.world.stdout.write(String(data))
        return
      }
      const found = (await ask(
        api.GET('/reports/protection', { params: { query: { period } } }),
      )) as Schemas['ProtectionReport']
      io.answer(found, () => textOf(found))
    })

function textOf(found: Schemas['ProtectionReport']): string {
  const { vms, promised, proven, points, newBytes, failedBackups, drillsPassed, drillsFailed } = found
  const lines = [
    `${found.title}. ${found.lead}`,
    '',
    pairs([
      ['late, overdue, failed', String(vms.by.late + vms.by.overdue + vms.by.failed)],
      ['without a point', String(vms.by.unprotected)],
      ['left out on purpose', String(vms.by.excluded)],
      ['proven', `${proven} of ${promised}`],
      ['points', `${points}, ${size(newBytes)} new`],
      ['failed backups', String(failedBackups)],
      ['drills', `${drillsPassed} passed, ${drillsFailed} failed`],
      ['suspicious', String(found.suspicious)],
      ['attention', `${found.open} now, ${found.recovered} recovered`],
    ]),
  ]
  if (found.outside.length > 0)
    lines.push(
      '',
      table(found.outside, [
        { head: 'OUTSIDE', cell: ({ id }) => id },
        { head: 'STATE', cell: ({ state }) => state },
        { head: 'WHY', cell: ({ sentence }) => plain(sentence) },
      ]),
    )
  return lines.join('\n')
}
