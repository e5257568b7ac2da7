import { formatBytes, formatDuration, locationText } from '../../base/index.ts'
import type { Damage, Repository, VerifyLevel, VerifyReport } from '../../repository/index.ts'
import { exit } from '../exit-codes.ts'
import type { Io } from '../io.ts'
import { plain, styleOf } from '../render/style.ts'
import { findStem, type PlaceOptions } from './place.ts'
import { Progress } from './progress.ts'

export interface VerifyOptions extends PlaceOptions {
  readonly level: VerifyLevel
  readonly point?: string[]
  readonly quarantine?: boolean
}

/** Ends with `failed` if anything is damaged or could not be read: what was not looked at is not sound. */
export async function verify(io: Io, repository: Repository, options: VerifyOptions): Promise<void> {
  const stems = options.point && (await Promise.all(options.point.map((name) => findStem(repository, name))))
  const progress = new Progress(io, 'verify')
  const report = await repository.verify({
    level: options.level,
    ...(stems && { stems }),
    quarantine: options.quarantine === true,
    signal: io.world.signal,
    onProgress: (done, total, what) => progress.count(done, total, what),
  })
  progress.end()
  io.answer(report, () => verifyText(report, styleOf(io.hasColor)))
  const next = whatNext(report, locationText(repository.location), options)
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
  const { level, point = [], passphraseFile, recoveryKeyFile } = options
  const words = [
    ...['holdfast', 'repo', 'verify', path, '--level', level],
    ...(point.length > 0 ? ['--point', ...point] : []),
    ...(passphraseFile === undefined ? [] : ['--passphrase-file', passphraseFile]),
    ...(recoveryKeyFile === undefined ? [] : ['--recovery-key-file', recoveryKeyFile]),
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
