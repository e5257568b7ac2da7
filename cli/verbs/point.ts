import { Command, Option } from 'commander'
import { ask, done, type ApiClient, type Schemas } from '../client/index.ts'
import { plain } from '../render/style.ts'
import { table } from '../render/table.ts'
import { at } from '../render/words.ts'
import { examples, findPoint, findVm, type Verb } from './common.ts'
import { exportVerb } from './point-export.ts'
import { importVerb } from './point-import.ts'

interface Review {
  readonly as: 'expected' | 'attack'
  readonly reason: string
}

interface Removal {
  readonly confirm: string
  readonly reason: string
  readonly repository?: string
}

export const point: Verb = (ioOf) => {
  const command = new Command('point').description(
    'hold, pin, release, review, export, import or remove one recovery point',
  )
  examples(command, [
    'holdfast point pin web-01 latest --reason "before the upgrade"',
    'holdfast point hold web-01 2026-11-21T02:41:10Z --reason "case 4711"',
    'holdfast point release web-01 latest',
    'holdfast point review web-01 latest --as expected --reason "disks were encrypted on purpose"',
    'holdfast point export web-01 latest web-01.qcow2 --disk virtio0',
    'holdfast point export web-01 latest - --disk virtio0 --format vhdx | ssh host "cat > web-01.vhdx"',
    'holdfast point import --vm old-server /srv/images/old-server.vmdk',
    'holdfast point rm web-01 0192f3a67b1c --confirm web-01 --reason "wrong data"',
    'holdfast point rm web-01 0192f3a67b1c --repository offsite --confirm web-01 --reason "wrong place"',
  ])
  for (const [name, type, what] of [
    ['pin', 'pin', 'keep a point whatever rules say'],
    ['hold', 'legal', 'a legal hold: the same, and ended by its name only'],
  ] as const) {
    acting(command, name, what)
      .requiredOption('--reason <text>', 'why; shown with the hold')
      .action(async (vm: string, which: string, options: { reason: string }, self: Command) => {
        const io = ioOf(self)
        const api = io.api()
        const { id } = await pointOf(api, vm, which)
        const body = { type, reason: options.reason }
        const { items, missing } = await ask(api.POST('/points/{id}/holds', { params: { path: { id } }, body }))
        io.answer({ pointId: id, holds: items, missing }, () =>
          [
            holdsTable(items),
            ...missing.map(
              (one) => `Not in ${one.repositoryId} yet: retention leaves it alone there, the hold follows.`,
            ),
          ].join('\n'),
        )
      })
  }
  acting(command, 'release', 'end its pins, or one hold by name')
    .option('--hold <name>', 'this one; a legal hold is ended by its name only')
    .option('--reason <text>', 'shown in the history', '')
    .action(async (vm: string, which: string, options: { hold?: string; reason: string }, self: Command) => {
      const io = ioOf(self)
      const api = io.api()
      const { id } = await pointOf(api, vm, which)
      const body = { reason: options.reason, ...(options.hold !== undefined && { hold: options.hold }) }
      const { items } = await ask(api.POST('/points/{id}/release', { params: { path: { id } }, body }))
      io.answer({ pointId: id, holds: items }, () =>
        items.length === 0 ? 'Nothing holds it any more.' : holdsTable(items),
      )
    })
  acting(command, 'review', 'say what a flagged change was')
    .addOption(
      new Option('--as <verdict>', 'expected: it was meant, its like is not flagged again; attack: it was not')
        .choices(['expected', 'attack'])
        .makeOptionMandatory(),
    )
    .requiredOption('--reason <text>', 'why; shown with the point')
    .action(async (vm: string, which: string, options: Review, self: Command) => {
      const io = ioOf(self)
      const api = io.api()
      const { id } = await pointOf(api, vm, which)
      const body = { verdict: options.as, reason: options.reason }
      const changed = await ask(api.POST('/points/{id}/change-review', { params: { path: { id } }, body }))
      io.answer({ pointId: id, ...changed }, () => `${id}: ${changed.state}. ${plain(changed.sentence)}`)
    })
  command.addCommand(exportVerb(ioOf))
  command.addCommand(importVerb(ioOf))
  acting(command, 'rm', 'put a tombstone on a point; refused where a rule or a hold keeps it')
    .requiredOption('--confirm <name>', 'the name of the VM')
    .requiredOption('--reason <text>', 'why; kept with what is left of it')
    .option('--repository <id>', 'from this one; needed where the point lies in several')
    .action(async (vm: string, which: string, options: Removal, self: Command) => {
      const io = ioOf(self)
      const api = io.api()
      const { id } = await pointOf(api, vm, which)
      const { confirm: confirmName, reason, repository: repositoryId } = options
      const body = { confirmName, reason, ...(repositoryId !== undefined && { repositoryId }) }
      await done(api.POST('/points/{id}/remove', { params: { path: { id } }, body }))
      io.answer({ removed: id }, () => {
        const from = repositoryId === undefined ? '' : ` from ${repositoryId}`
        return `${id} is removed${from}. Its data are freed by a later collection.`
      })
    })
  return command
}

function acting(command: Command, name: string, description: string): Command {
  return command
    .command(name)
    .description(description)
    .argument('<vm>', 'id or name')
    .argument('<point>', 'latest, its id or the beginning of it, or the time it stands at')
}

async function pointOf(api: ApiClient, vm: string, which: string): Promise<Schemas['Point']> {
  return await findPoint(api, (await findVm(api, vm)).id, which)
}

function holdsTable(holds: readonly Schemas['Hold'][]): string {
  return table(holds, [
    { head: 'HOLD', cell: ({ name }) => name },
    { head: 'TYPE', cell: ({ type }) => type },
    { head: 'IN', cell: ({ repositoryId }) => repositoryId },
    { head: 'SINCE', cell: ({ ms }) => at(ms) },
    { head: 'BY', cell: ({ actor }) => plain(actor) },
    { head: 'REASON', cell: ({ reason }) => plain(reason) },
  ])
}
