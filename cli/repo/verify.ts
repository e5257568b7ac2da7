import { Option, type Command } from 'commander'
import { formatBytes, formatDuration, HoldfastError, locationText } from '../../base/index.ts'
import type { Damage, VerifyLevel, VerifyReport } from '../../repository/index.ts'
import { exit } from '../exit-codes.ts'
import type { Io } from '../io.ts'
import { plain, styleOf } from '../render/style.ts'
import { byteSize } from '../verbs/common.ts'
import { cacheOf, findStem, openAt, placeOf, type PlaceOptions } from './place.ts'
import { Progress } from './progress.ts'

interface VerifyOptions extends PlaceOptions {
  readonly level: VerifyLevel
  readonly point?: string[]
  readonly budget?: number
  readonly quarantine?: boolean
  readonly withoutKeys?: boolean
}

export function verifyVerb(opening: (name: string, description: string) => Command, ioOf: (self: Command) => Io): void {
  opening('verify', 'check what is stored: tables (quick), every byte (data), or every chunk opened (full)')
    .argument('[place]')
    .addOption(new Option('--level <level>').choices(['quick', 'data', 'full']).default('quick'))
    .option('--point <stem...>', 'only these points; on level full they are also restored to nowhere')
    .option(
      '--budget <size>',
      'read so many bytes of packs at most, those first that were read longest ago; the next run goes on from there',
      byteSize('--budget'),
    )
    .option(
      '--quarantine',
      'mark what is proved damaged, so that the next backup stores it again; else nothing is changed',
    )
    .option('--without-keys', 'levels quick and data as far as they need no secret; what was left out is said')
    .action(async (dir: string | undefined, options: VerifyOptions, self: Command) => {
      const io = ioOf(self)
      const location = await placeOf(io, dir, options)
      requireSense(options)
      if (needsNoKeys(io, options)) {
        const { verifyWithoutKeys } = await import('../../repository/index.ts')
        await verify(io, locationText(location), options, (common) =>
          verifyWithoutKeys({ ...common, location, cacheDir: cacheOf(io), level: keyless(options.level) }),
        )
        return
      }
      await using repository = await openAt(io, location, options, 'move')
      const stems = options.point && (await Promise.all(options.point.map((name) => findStem(repository, name))))
      await verify(io, locationText(location), options, (common) =>
        repository.verify({ ...common, level: options.level, ...(stems && { stems }) }),
      )
    })
}

/** Nobody to ask for a secret, and a level that hardly needs one: it is done as far as it goes. */
function needsNoKeys(io: Io, options: VerifyOptions): boolean {
  const { withoutKeys, level, point, passphraseFile, recoveryKeyFile, sharesFile, escrowKeyFile } = options
  if (withoutKeys === true) return true
  const { stdin, stderr } = io.world
  const isGiven = [passphraseFile, recoveryKeyFile, sharesFile, escrowKeyFile].some((file) => file !== undefined)
  const canAsk = stdin.isTTY === true && stderr.isTTY === true
  return level === 'data' && point === undefined && !isGiven && !canAsk
}

function keyless(level: VerifyLevel): 'quick' | 'data' {
  if (level !== 'full') return level
  throw new HoldfastError('InvalidRequest', 'level full opens every chunk, and that needs the keys', {
    hint: 'Take level data, or give a secret.',
  })
}

function requireSense({ level, point, budget, withoutKeys }: VerifyOptions): void {
  const nonsense = (message: string) => new HoldfastError('InvalidRequest', message)
  if (budget !== undefined && level === 'quick') throw nonsense('--budget is for the levels data and full')
  if (budget !== undefined && point !== undefined) throw nonsense('--budget and --point exclude each other')
  if (withoutKeys === true && point !== undefined) throw nonsense('what a point needs cannot be told without keys')
}

/** Ends with `failed` if anything is damaged or could not be read: what was not looked at is not sound. */
async function verify(
  io: Io,
  path: string,
  options: VerifyOptions,
  run: (common: {
    readonly quarantine: boolean
    readonly budget?: number
    readonly signal: AbortSignal
    readonly onProgress: (done: number, total: number, what: string) => void
  }) => Promise<VerifyReport>,
): Promise<void> {
  const progress = new Progress(io, 'verify')
  const report = await run({
    quarantine: options.quarantine === true,
    ...(options.budget !== undefined && { budget: options.budget }),
    signal: io.world.signal,
    onProgress: (done, total, what) => progress.count(done, total, what),
  })
  progress.end()
  io.answer(report, () => verifyText(report, styleOf(io.hasColor)))
  const next = whatNext(report, path, options)
  if (next !== undefined) io.say(next)
  if (report.damages.length > 0) io.end(exit.failed)
}

function verifyText(report: VerifyReport, style: ReturnType<typeof styleOf>): string {
  const { level, points, packs, chunks, bytes, damages, notes, durationMs } = report
  const looked = `${level}: ${points} points, ${packs} packs, ${chunks} chunks, ${formatBytes(bytes)} in ${formatDuration(durationMs)}`
  const damaged = damages.filter(({ proved }) => proved).length
  const unreadable = damages.length - damaged
  const found = [
    ...(damaged > 0 ? [`${damaged} damaged ${damaged === 1 ? 'thing' : 'things'}`] : []),
    ...(unreadable > 0 ? [`${unreadable} ${unreadable === 1 ? 'thing' : 'things'} could not be read`] : []),
  ]
  const head =
    found.length > 0
      ? style.tone('failed', `${found.join(', ')}.`)
      : style.tone('ok', notes.length > 0 ? 'No damage found in what was looked at.' : 'No damage found.')
  return [
    `${head} ${looked}`,
    ...damages.flatMap((damage) => ['', ...damageLines(damage)]),
    ...(notes.length > 0 ? ['', ...notes.map((note) => `note: ${plain(note)}`)] : []),
  ].join('\n')
}

function damageLines({ object, found, message, proved, affects }: Damage): string[] {
  return [
    `${object} (${found}${proved ? '' : ', not proved'}): ${plain(message)}`,
    ...affects.map(({ stem, vm, disk, ranges }) => {
      const shown = ranges.slice(0, 8).map((range) => `${range.start}–${range.end}`)
      const more = ranges.length > shown.length ? ` and ${ranges.length - shown.length} more ranges` : ''
      const where = shown.length > 0 ? `: bytes ${shown.join(', ')}${more}` : ''
      return `  ${plain(vm)} ${stem}${disk === null ? '' : ` ${disk}`}${where}`
    }),
  ]
}

/** Until a damaged pack is quarantined (repository format §12.2), the next backup relies on it. */
function whatNext(report: VerifyReport, path: string, options: VerifyOptions): string | undefined {
  if (options.quarantine === true) {
    return report.quarantined === 0
      ? undefined
      : `Quarantined: ${report.quarantined} damaged places. The next backup of the disks concerned stores their data again.`
  }
  if (!report.damages.some(({ proved, pack }) => proved && pack !== null)) return undefined
  const { level, point = [], passphraseFile, recoveryKeyFile, withoutKeys, budget } = options
  const words = [
    ...['holdfast', 'repo', 'verify', path, '--level', level],
    ...(point.length > 0 ? ['--point', ...point] : []),
    ...(passphraseFile === undefined ? [] : ['--passphrase-file', passphraseFile]),
    ...(recoveryKeyFile === undefined ? [] : ['--recovery-key-file', recoveryKeyFile]),
    ...(withoutKeys === true ? ['--without-keys'] : []),
    ...(budget === undefined ? [] : ['--budget', String(budget)]),
    '--quarantine',
  ]
  return [
    'Nothing was changed, and the next backup still relies on what is damaged. So that it stores the data again:',
    `  ${words.map(shellWord).join(' ')}`,
  ].join('\n')
}

function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}
