import { Command } from 'commander'
import { HoldfastError } from '../../base/index.ts'
import { ask, type Schemas } from '../client/index.ts'
import { plain } from '../render/style.ts'
import { table } from '../render/table.ts'
import { ago } from '../render/words.ts'
import { examples, whole, type Verb } from './common.ts'

type Resource = Schemas['SlotResource']

export const slots: Verb = (ioOf) => {
  const command = new Command('slots').description('who works and who waits, per host, repository and link')
  examples(command, ['holdfast slots', 'holdfast slots set host/lab 2', 'holdfast slots reset host/lab'])
  command.action(async () => {
    const io = ioOf(command)
    const { items } = await ask(io.api().GET('/slots'))
    io.answer(items, () => lines(items, io.world.now()))
  })
  const set = new Command('set')
    .description('how many may work there at a time, across all plans')
    .argument('<resource>', 'host/<hypervisor>, repository/<repository>, link/<site>')
    .argument('<slots>', 'a number', whole('the number of slots', 1, 10_000))
    .action(async (resource: string, count: number) => change(set, resource, count))
  const reset = new Command('reset')
    .description('the default again')
    .argument('<resource>', 'as above')
    .action(async (resource: string) => change(reset, resource, null))
  const change = async (of: Command, resource: string, count: number | null): Promise<void> => {
    const io = ioOf(of)
    const { kind, id } = parse(resource)
    const { items } = await ask(
      io.api().PUT('/slots/{kind}/{id}', { params: { path: { kind, id } }, body: { slots: count } }),
    )
    io.answer(items, () => lines(items, io.world.now()))
  }
  return command.addCommand(set).addCommand(reset)
}

function parse(resource: string): { readonly kind: Resource['kind']; readonly id: string } {
  const match = /^(host|datastore|repository|link)\/(.+)$/.exec(resource)
  if (match === null)
    throw new HoldfastError('InvalidRequest', `${resource} is no resource`, {
      hint: 'Name it as `holdfast slots` does: host/lab, repository/main, link/local.',
    })
  return { kind: match[1] as Resource['kind'], id: match[2] ?? '' }
}

function lines(items: readonly Resource[], now: number): string {
  if (items.length === 0) return 'Nothing works and nothing waits.'
  const rows = items.flatMap(({ runs, ...it }) => [
    {
      what: it.resource,
      state: `${it.working} of ${it.slots} taken`,
      more: it.waiting > 0 ? `${it.waiting} waiting` : '',
    },
    ...runs.map((run) => ({ what: `  ${plain(run.title)}`, state: run.state, more: ago(run.sinceMs, now) })),
  ])
  return table(rows, [
    { head: 'RESOURCE', cell: (row) => row.what },
    { head: 'SLOTS', cell: (row) => row.state },
    { head: '', cell: (row) => row.more },
  ])
}
