import type { HealReport, Repository } from '../../repository/index.ts'
import type { Command } from 'commander'
import { exit } from '../exit-codes.ts'
import type { Io } from '../io.ts'
import { plain } from '../render/style.ts'
import { openOther, type OtherSecret } from './other.ts'
import { openAt, placeOf, type PlaceOptions } from './place.ts'
import { Progress } from './progress.ts'

interface HealVerb extends PlaceOptions, OtherSecret {
  readonly mirror?: string[]
  readonly apply?: boolean
}

export function healVerb(opening: (name: string, description: string) => Command, ioOf: (self: Command) => Io): void {
  opening('heal', 'store again what is quarantined, from other places here or from mirrors; a dry run unless told to')
    .argument('[place]')
    .option('--mirror <dir...>', 'repositories to take from what is lost here')
    .option('--other-passphrase-file <file>', 'of the mirrors, if they have another one')
    .option('--other-recovery-key-file <file>', 'the same with a recovery key')
    .option('--apply', 'do it; else only say what would be done')
    .action(async (dir: string | undefined, options: HealVerb, self: Command) => healNow(ioOf(self), dir, options))
}

async function healNow(io: Io, dir: string | undefined, options: HealVerb): Promise<void> {
  const { healRepository } = await import('../../repository/index.ts')
  await using open = new AsyncDisposableStack()
  const repository = open.use(await openAt(io, await placeOf(io, dir, options), options, 'move'))
  const mirrors: Repository[] = []
  for (const place of options.mirror ?? []) mirrors.push(open.use(await openOther(io, place, options)))
  const progress = new Progress(io, 'heal')
  const report = await healRepository(repository, {
    mirrors,
    apply: options.apply === true,
    signal: io.world.signal,
    onProgress: (done, total, what) => progress.count(done, total, what),
  })
  progress.end()
  io.answer(report, () => reportText(report))
  const found = report.quarantined > 0 || report.damagedPoints.length > 0
  if (!report.applied && found) io.say('Nothing was changed. With --apply it is done.')
  if (!found) io.say('What no verify has quarantined is not known to be damaged: `repo verify --quarantine` finds it.')
  if (report.lost.length > 0 || report.damagedPoints.some(({ restoredAs }) => restoredAs === null)) io.end(exit.failed)
}

function reportText({
  applied,
  points,
  quarantined,
  elsewhere,
  fromHere,
  fromMirror,
  lost,
  damagedPoints,
}: HealReport): string {
  const again = applied ? 'stored again' : 'to be stored again'
  return [
    `${quarantined} blobs in quarantined places are needed by ${points} points: ${elsewhere} have another sound home, ` +
      `${fromHere} ${again} from this repository, ${fromMirror} from a mirror.`,
    ...lost.map(({ stem, vm, disk, start, end }) => {
      const what = disk === null ? 'a configuration' : `${plain(disk)}: bytes ${start}–${end}`
      return `  lost: ${plain(vm)} ${stem} ${what}`
    }),
    ...damagedPoints.map(({ stem, restoredAs, problem }) => {
      const how =
        restoredAs === null ? 'no mirror has it' : `${applied ? 'is there again' : 'would come back'} as ${restoredAs}`
      return `  ${stem}: ${plain(problem)}; ${how}`
    }),
  ].join('\n')
}
