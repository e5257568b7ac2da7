import { Command } from 'commander'
import { ask, type Schemas } from '../client/index.ts'
import { plain } from '../render/style.ts'
import { table } from '../render/table.ts'
import { at, size } from '../render/words.ts'
import { listAll, whole, type Verb } from './common.ts'

/** Earlier plans and sweeps. */
export const sweeps: Verb = (ioOf) => {
  const command = new Command('list')
    .description('earlier plans and sweeps, newest first; see one with `retention show … --run`')
    .argument('[repository]', 'only of this one')
    .option('--limit <n>', 'rows', whole('--limit', 1, 10_000), 50)
  return command.action(async (repository: string | undefined, { limit }: { limit: number }) => {
    const io = ioOf(command)
    const of = repository === undefined ? {} : { repositoryId: repository }
    const found = await listAll(limit, (page) =>
      ask(io.api().GET('/sweeps', { params: { query: { ...page, ...of } } })),
    )
    io.answer(found, () =>
      found.items.length === 0
        ? 'Nothing was planned yet.'
        : table(found.items, [
            { head: 'PLANNED', cell: (one) => at(one.plannedMs) },
            { head: 'REPOSITORY', cell: (one) => plain(one.repositoryName) },
            { head: 'WHAT', cell: (one) => (one.dryRun ? 'plan' : 'sweep') },
            { head: 'STATE', cell: (one) => one.state },
            { head: 'POINTS', cell: (one) => String(one.points), right: true },
            { head: 'TO GO', cell: (one) => String(one.going), right: true },
            { head: 'REMOVED', cell: (one) => String(one.removed), right: true },
            { head: 'APPROVED BY', cell: (one) => plain(one.approval?.user ?? '') },
            { head: 'RUN', cell: (one) => one.runId },
          ]),
    )
  })
}

/** Earlier garbage collections. */
export const collections: Verb = (ioOf) => {
  const command = new Command('collections')
    .description('the last garbage collections of a repository: what was freed, and what still waits')
    .argument('<repository>')
  return command.action(async (id: string) => {
    const io = ioOf(command)
    const found = await ask(io.api().GET('/repositories/{id}/collections', { params: { path: { id } } }))
    io.answer(found, () => (found.items.length === 0 ? `${id} was never collected.` : collectionsText(found.items)))
  })
}

function collectionsText(items: readonly Schemas['Collection'][]): string {
  const packs = ({ packs: count, bytes }: Schemas['Collection']['live']): string =>
    count === 0 ? '–' : `${count}, ${size(bytes)}`
  const rows = table(items, [
    { head: 'ENDED', cell: (one) => at(one.endedMs) },
    { head: 'OUTCOME', cell: (one) => one.outcome },
    { head: 'POINTS', cell: (one) => String(one.roots), right: true },
    { head: 'NEEDED', cell: (one) => packs(one.live) },
    { head: 'DELETED', cell: (one) => packs(one.deleted) },
    { head: 'WAITS', cell: (one) => packs(one.waiting) },
    { head: 'WHY', cell: (one) => plain(one.why) },
  ])
  const notes = items[0]?.notes ?? []
  return notes.length === 0
    ? rows
    : [rows, '', 'Of the last one:', ...notes.map((note) => `  ${plain(note)}`)].join('\n')
}
