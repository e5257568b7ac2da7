import { formatBytes } from '../../base/index.ts'
import type { MirroredPoint, MirrorReport, Stem } from '../../repository/index.ts'
import { Option, type Command } from 'commander'
import { exit } from '../exit-codes.ts'
import type { Io } from '../io.ts'
import { plain } from '../render/style.ts'
import { table } from '../render/table.ts'
import { at, size } from '../render/words.ts'
import { openOther, type OtherSecret } from './other.ts'
import { findStem, openAt, placeOf, type PlaceOptions } from './place.ts'
import { Progress } from './progress.ts'

interface MirrorVerb extends PlaceOptions, OtherSecret {
  readonly series?: string[]
  readonly point?: string[]
  readonly all?: boolean
  readonly dryRun?: boolean
  readonly verify: 'new' | 'full'
  readonly retentionClass?: string
  readonly retentionPolicy?: string
}

export function mirrorVerb(opening: (name: string, description: string) => Command, ioOf: (self: Command) => Io): void {
  opening('mirror', 'publish points of one repository in another one, under its own keys, and read them back')
    .argument('<from>', 'the repository to mirror')
    .argument('<to>', 'the repository to mirror into; make it with `repo init --mirror-of`')
    .option('--other-passphrase-file <file>', 'of the repository to mirror into, if it has another one')
    .option('--other-recovery-key-file <file>', 'the same with its recovery key')
    .option('--series <series...>', 'only these series')
    .option('--point <stem...>', 'exactly these points, also such as were removed there')
    .option('--all', 'also points older than the newest one there')
    .option('-n, --dry-run', 'only say what would be copied')
    .addOption(
      new Option('--verify <what>', 'read back what this run has changed, or every byte')
        .choices(['new', 'full'])
        .default('new'),
    )
    .option('--retention-class <name>', 'class of the points there; default: as here')
    .option('--retention-policy <name>', 'policy of the points there; default: as here')
    .action(async (from: string, to: string, options: MirrorVerb, self: Command) =>
      mirrorNow(ioOf(self), from, to, options),
    )
}

async function mirrorNow(io: Io, fromDir: string, toDir: string, options: MirrorVerb): Promise<void> {
  const { mirrorRepository } = await import('../../repository/index.ts')
  await using from = await openAt(io, await placeOf(io, fromDir, {}), options, 'move')
  await using to = await openOther(io, toDir, options)
  const points = options.point && (await Promise.all(options.point.map((name) => findStem(from, name))))
  const { retentionClass, retentionPolicy } = options
  const hasOwn = retentionClass !== undefined || retentionPolicy !== undefined
  const progress = new Progress(io, 'mirror')
  const report = await mirrorRepository(from, to, {
    ...(options.series && { series: options.series }),
    ...(points && { points }),
    ...(options.all === true && { all: true }),
    ...(hasOwn && { retention: { class: retentionClass ?? '', policy: retentionPolicy ?? '' } }),
    dryRun: options.dryRun === true,
    verify: options.verify,
    signal: io.world.signal,
    onProgress: ({ vm, disk, offset, diskBytes, bytesStored }) =>
      progress.bytes(offset, diskBytes, `${plain(vm)} ${plain(disk)}, ${formatBytes(bytesStored)} new`),
  })
  progress.end()
  io.answer(report, () => reportText(report))
  if (report.points.some(({ outcome }) => outcome === 'failed')) io.end(exit.failed)
}

const words: { readonly [outcome in MirroredPoint['outcome']]: string } = {
  mirrored: 'mirrored',
  planned: 'would be mirrored',
  there: 'is there',
  removed: 'was removed there',
  failed: 'FAILED',
}

function reportText({ points, there, removed, older }: MirrorReport): string {
  const rows = table(points, [
    { head: 'POINT IN TIME', cell: (point) => at(point.createdMs) },
    { head: 'VM', cell: (point) => (point.vm === '' ? '?' : plain(point.vm)) },
    { head: '', cell: (point) => words[point.outcome] },
    { head: 'NEW THERE', cell: (point) => size(point.bytesStored), right: true },
    { head: 'READ BACK', cell: (point) => size(point.bytesVerified), right: true },
    { head: 'THERE', cell: (point) => idOf(point.target) },
    { head: 'IMMUTABLE UNTIL', cell: ({ lockUntilSec = 0 }) => (lockUntilSec === 0 ? '–' : at(lockUntilSec * 1000)) },
    { head: '', cell: (point) => (point.problem === undefined ? '' : plain(point.problem)) },
  ])
  const rest = [
    ...(there > 0 ? [`${there} there already`] : []),
    ...(removed > 0 ? [`${removed} removed there (--point asks for one again)`] : []),
    ...(older > 0 ? [`${older} older than the newest there (--all takes them)`] : []),
  ]
  return [...(points.length > 0 ? [rows] : ['Nothing to mirror.']), ...(rest.length > 0 ? [rest.join(', ')] : [])].join(
    '\n',
  )
}

function idOf(stem: Stem): string {
  return stem.slice(-32, -20)
}
