import { Command } from 'commander'
import { formatBytes } from '../../base/index.ts'
import { ask, type Schemas } from '../client/index.ts'
import { exit } from '../exit-codes.ts'
import { plain } from '../render/style.ts'
import { table } from '../render/table.ts'
import { ago } from '../render/words.ts'
import { examples, type Verb } from './common.ts'

type OwnBackup = Schemas['OwnBackup']

const words: { readonly [state in OwnBackup['state']]: string } = {
  ok: 'ok',
  none: 'NONE',
  old: 'OLD',
  failing: 'failing',
}

export const ownBackup: Verb = (ioOf) => {
  const command = new Command('own-backup').description(
    'the catalog of this installation in its repositories; `holdfast rebuild` brings it back',
  )
  examples(command, ['holdfast own-backup ls', 'holdfast own-backup now main'])
  command
    .command('ls')
    .description('how old the copy in each repository is')
    .action(async (_options: object, self: Command) => {
      const io = ioOf(self)
      const answer = await ask(io.api().GET('/own-backups', {}))
      const nowMs = io.world.now()
      io.answer(answer, () =>
        table(answer.items, [
          { head: 'REPOSITORY', cell: (one) => one.repository.id },
          { head: 'STATE', cell: (one) => words[one.state] },
          { head: 'NEWEST', cell: (one) => (one.madeMs === null ? 'never' : ago(one.madeMs, nowMs)) },
          { head: 'SIZE', cell: (one) => (one.bytes === null ? '–' : formatBytes(one.bytes)), right: true },
          { head: 'VERSIONS', cell: (one) => String(one.versions ?? 0), right: true },
          { head: 'LAST ERROR', cell: (one) => plain(one.error?.message ?? '') },
        ]),
      )
      if (answer.items.some(({ state }) => state === 'none' || state === 'old')) io.end(exit.partial)
    })
  command
    .command('now')
    .description('write the catalog into a repository now, and read it back')
    .argument('<repository>')
    .action(async (id: string, _options: object, self: Command) => {
      const io = ioOf(self)
      const made = await ask(io.api().POST('/repositories/{id}/own-backup', { params: { path: { id } } }))
      io.answer(
        made,
        () => `The catalog is in ${made.repository.id} and was read back: ${formatBytes(made.bytes ?? 0)}.`,
      )
    })
  return command
}
