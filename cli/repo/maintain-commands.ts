import type { Command } from 'commander'
import type { OpenOptions, Repository } from '../../repository/index.ts'
import type { Io } from '../io.ts'
import { whole } from '../verbs/common.ts'
import { gc, hold, holds, prune, rebuildIndex, release, type GcOptions, type PruneCliOptions } from './maintain.ts'
import { openAt, placeOf, type PlaceOptions } from './place.ts'

const many = 1_000_000

/** Verbs that keep a repository in order; `opening` makes a subcommand that opens one. */
export function addMaintenance(
  opening: (name: string, description: string) => Command,
  ioOf: (command: Command) => Io,
): void {
  const at = async <O extends PlaceOptions>(
    dir: string | undefined,
    options: O,
    self: Command,
    work: (io: Io, repository: Repository) => Promise<void>,
    purpose?: OpenOptions['purpose'],
  ) => {
    const io = ioOf(self)
    await using repository = await openAt(io, await placeOf(io, dir, options), options, purpose)
    await work(io, repository)
  }

  opening('gc', 'free what no point needs; safe beside running backups')
    .argument('[place]')
    .option('--now', 'without the waiting times: what is condemned is deleted at once')
    .option('--dry-run', 'say what would go, and change nothing')
    .action(async (dir: string | undefined, options: GcOptions, self: Command) => {
      await at(
        dir,
        options,
        self,
        (io, repository) => gc(io, repository, options),
        options.dryRun === true ? undefined : 'collect',
      )
    })
  opening('prune', 'remove points that no rule keeps; shows them, and changes nothing without --apply')
    .argument('[place]')
    .option('--point <stem...>', 'these points, instead of rules')
    .option('--vm <name>', 'only points of this VM')
    .option('--keep-last <n>', 'the newest n', whole('--keep-last', 0, many))
    .option('--keep-hourly <n>', 'the newest of each of n hours', whole('--keep-hourly', 0, many))
    .option('--keep-daily <n>', '… days', whole('--keep-daily', 0, many))
    .option('--keep-weekly <n>', '… ISO weeks', whole('--keep-weekly', 0, many))
    .option('--keep-monthly <n>', '… months', whole('--keep-monthly', 0, many))
    .option('--keep-yearly <n>', '… years', whole('--keep-yearly', 0, many))
    .option('--keep-days <n>', 'everything younger than n days', whole('--keep-days', 0, many))
    .option(
      '--keep-manual <n>',
      'n made by hand, for publication or before a restore, each; default: all',
      whole('--keep-manual', 0, many),
    )
    .option('--time-zone <name>', 'whose hours and days these are', 'UTC')
    .option('--max-share <percent>', 'refuse to take more of one VM’s points at once', whole('--max-share', 1, 100), 50)
    .option('--apply', 'do it')
    .option('--gc', 'with --apply: then free their data, like `repo gc --now`')
    .action(async (dir: string | undefined, options: PruneCliOptions, self: Command) => {
      await at(dir, options, self, (io, repository) => prune(io, repository, options))
    })
  opening('hold', 'keep a point whatever rules say')
    .argument('<stem>', 'stem or id of the point')
    .requiredOption('--reason <text>', 'why; shown with the hold')
    .option('--legal', 'a legal hold')
    .action(async (stem: string, options: PlaceOptions & { reason: string; legal?: boolean }, self: Command) => {
      await at(undefined, options, self, (io, repository) => hold(io, repository, stem, options))
    })
  opening('holds', 'points that are held')
    .argument('[place]')
    .action(async (dir: string | undefined, options: PlaceOptions, self: Command) => {
      await at(dir, options, self, holds)
    })
  opening('release', 'end a hold')
    .argument('<hold>', 'its name, as `repo holds` shows it')
    .action(async (name: string, options: PlaceOptions, self: Command) => {
      await at(undefined, options, self, (io, repository) => release(io, repository, name))
    })
  opening('rebuild-index', 'find packs that the index does not know; writes it with --apply')
    .argument('[place]')
    .option('--apply', 'do it')
    .action(async (dir: string | undefined, options: PlaceOptions & { apply?: boolean }, self: Command) => {
      await at(dir, options, self, (io, repository) => rebuildIndex(io, repository, options.apply === true))
    })
}
