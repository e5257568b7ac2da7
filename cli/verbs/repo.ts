import { basename } from 'node:path'
import { Command, Option } from 'commander'
import {
  describeError,
  formatBytes,
  HoldfastError,
  isHoldfastError,
  locationText,
  toHoldfastError,
} from '../../base/index.ts'
import { diskIdentity, imageFormats, sourceOf, streamImage, type ImageFormat } from '../../images/index.ts'
import type { OpenPoint, PointEntry, PointInfo, Repository } from '../../repository/index.ts'
import type { Io } from '../io.ts'
import { plain } from '../render/style.ts'
import { pairs, table } from '../render/table.ts'
import { at, size } from '../render/words.ts'
import { addMaintenance } from '../repo/maintain-commands.ts'
import { openOther, type OtherSecret } from '../repo/other.ts'
import { findStem, openAt, placeOf, type PlaceOptions } from '../repo/place.ts'
import { Progress } from '../repo/progress.ts'
import { probe } from '../repo/probe.ts'
import { readPassphrase } from '../repo/secret.ts'
import { verifyVerb } from '../repo/verify.ts'
import { healVerb } from '../repo/heal.ts'
import { mirrorVerb } from '../repo/mirror.ts'
import { examples, whole, type Verb } from './common.ts'
import { repoKey } from './repo-key.ts'

/** Works on the repository alone: the day on which there is no server is the day on which it is needed. */
export const repo: Verb = (ioOf) => {
  const command = new Command('repo').description('work on a repository offline, without any server')
  examples(command, [
    'holdfast repo init /srv/backup --passphrase-file /root/backup.pass',
    'holdfast repo init "s3://bucket/vms?endpoint=https://s3.example.org&credentials=file:/root/s3.key"',
    'holdfast repo init "s3://bucket/vms?object-lock=compliance&credentials=file:/root/s3.key" --lock-days 30',
    'holdfast repo probe /srv/backup',
    'holdfast repo ls /srv/backup --passphrase-file /root/backup.pass',
    'holdfast repo verify /srv/backup --level full',
    'holdfast repo verify /srv/backup --level data --budget 500GiB --without-keys',
    'holdfast repo verify /srv/backup --level full --quarantine',
    'holdfast repo prune /srv/backup --keep-daily 14 --keep-monthly 12',
    'holdfast repo gc /srv/backup',
    'holdfast repo mirror /srv/backup /mnt/offsite --passphrase-file /root/backup.pass',
    'holdfast repo heal /srv/backup --mirror /mnt/offsite',
    'holdfast repo export 0192f3a6 virtio0 web-01.raw --repo /srv/backup',
    'holdfast repo export 0192f3a6 virtio0 web-01.vhdx --format vhdx --repo /srv/backup',
    'holdfast repo export 0192f3a6 virtio0 - --repo /srv/backup | ssh host "cat > /dev/vg/web-01"',
  ])
  /** A subcommand with the options that all share. */
  const sub = (name: string, description: string): Command =>
    command
      .command(name)
      .description(description)
      .option('-r, --repo <place>', 'the repository, a directory or URL (also HOLDFAST_REPOSITORY)')
      .option('--passphrase-file <file>', 'else it is asked for')

  sub('init', 'make a repository; prints the recovery key, once')
    .argument('[place]')
    .option('--resume', 'complete an init that was interrupted')
    .option('--one-host', 'on NFS or SMB: no other host will ever use the repository')
    .option('--accept-degraded', 'on NFS or SMB: other hosts will; writers wait until listings have settled')
    .option(
      '--lock-days <n>',
      'lock every point in the store for n days: nobody can delete it before. For ever: it cannot be changed later',
      whole('--lock-days', 1, 36_500),
    )
    .option(
      '--lock-generation-days <n>',
      'locks end together every n days, so that extending them stays cheap; an object stays up to n days longer. Default: 30',
      whole('--lock-generation-days', 1, 3_650),
    )
    .option(
      '--mirror-of <dir>',
      'share the identity key of this repository, so that chunks are compared and healed by id',
    )
    .option('--other-passphrase-file <file>', 'of the repository to be mirrored, if it has another one')
    .option('--other-recovery-key-file <file>', 'the same with its recovery key')
    .action(async (dir: string | undefined, options: InitOptions, self: Command) => init(ioOf(self), dir, options))

  command
    .command('probe')
    .description('test whether the store keeps what a repository relies on; the result is kept in the repository')
    .argument('[place]')
    .option('-r, --repo <place>', 'the repository, a directory or URL (also HOLDFAST_REPOSITORY)')
    .action(async (place: string | undefined, options: Pick<PlaceOptions, 'repo'>, self: Command) => {
      const io = ioOf(self)
      await probe(io, await placeOf(io, place, options))
    })

  const opening = (name: string, description: string): Command =>
    sub(name, description)
      .option('--recovery-key-file <file>', 'open it with the recovery key instead')
      .option('--shares-file <file>', 'or with shares of a key, one in each line')
      .option('--escrow-key-file <file>', 'or with the private key of an escrow holder')

  opening('info', 'id, points, sizes and ratios')
    .argument('[place]')
    .action(async (dir: string | undefined, options: PlaceOptions, self: Command) => {
      const io = ioOf(self)
      await using repository = await openAt(io, await placeOf(io, dir, options), options)
      const usage = await repository.usage()
      const { id, location, lock } = repository
      io.answer({ id, location, lock, ...usage }, () =>
        pairs([
          ['id', id],
          ['place', locationText(location)],
          ['immutable', lockText(lock)],
          ['points', `${usage.points} of ${usage.series} ${usage.series === 1 ? 'VM' : 'VMs'}`],
          ['logical', size(usage.logicalBytes)],
          ['unique', `${size(usage.uniqueBytes)}${ratio(usage.logicalBytes, usage.uniqueBytes, 'deduplicated')}`],
          [
            'stored',
            `${size(usage.storedBytes)} in ${usage.packs} packs${ratio(usage.uniqueBytes, usage.storedBytes, 'compressed')}`,
          ],
          ['free', usage.freeBytes === null ? 'unknown' : `${size(usage.freeBytes)} of ${size(usage.capacityBytes)}`],
        ]),
      )
    })
  opening('ls', 'points, newest first inside each series; every state is shown')
    .argument('[place]')
    .option('--vm <name>', 'only of VMs of this name, and those that cannot be read')
    .option('--limit <n>', 'points at most', whole('--limit', 1, 100_000), 1000)
    .action(async (dir: string | undefined, options: PlaceOptions & ListOptions, self: Command) => {
      const io = ioOf(self)
      await using repository = await openAt(io, await placeOf(io, dir, options), options)
      await list(io, repository, options)
    })
  verifyVerb(opening, ioOf)
  healVerb(opening, ioOf)
  mirrorVerb(opening, ioOf)
  opening('export', 'write a disk as an image; holes stay holes')
    .argument('<stem>', 'stem or id of the point; `latest` where all points are of one VM')
    .argument('<disk>', 'its id, as `repo ls` shows it')
    .argument('<file>', 'a new file, for raw also a block device (with --force), or - for stdout')
    .addOption(new Option('--format <format>', 'of the image').choices(imageFormats).default('raw'))
    .option('-f, --force', 'replace what is there')
    .option(
      '--explicit',
      'also a point that is not validated or is tombstoned: parts of it may be gone, and the export then ends there',
    )
    .action(async (stem: string, disk: string, file: string, options: ExportOptions, self: Command) => {
      const io = ioOf(self)
      await using repository = await openAt(io, await placeOf(io, undefined, options), options, 'move')
      await exportOne(io, repository, {
        stem,
        disk,
        file,
        format: options.format,
        force: options.force === true,
        explicit: options.explicit === true,
      })
    })
  opening('import', 'make a point of an image: raw, qcow2, vmdk, vhdx or vhd')
    .argument('<file>')
    .option('--vm <name>', 'name of the VM; default: the file’s name')
    .option('--disk <id>', 'id of the disk', 'disk0')
    .option('--name <text>', 'name of the point')
    .option('--level <n>', 'zstd level', whole('--level', 1, 19), 1)
    .action(async (file: string, options: PlaceOptions & ImportOptions, self: Command) => {
      const io = ioOf(self)
      const { openImage } = await import('../repo/image.ts')
      await using image = await openImage(file, io.world.signal)
      await using repository = await openAt(io, await placeOf(io, undefined, options), options, 'move')
      const { importDisk } = await import('../repo/import.ts')
      const progress = new Progress(io, basename(file))
      const done = await importDisk(repository, image.source, {
        vm: options.vm ?? basename(file).replace(/\.[^.]+$/, ''),
        disk: options.disk,
        name: options.name ?? null,
        compressionLevel: options.level,
        nowMs: io.world.now(),
        signal: io.world.signal,
        onProgress: (now, total) => progress.bytes(now, total),
        warn: (text) => io.say(text),
      })
      progress.end()
      const newBytes = done.parts.reduce((sum, part) => sum + part.newBytes, 0)
      const { stem, snap } = done
      io.answer(
        { stem, snap, format: image.format, size: image.source.size, newBytes },
        () =>
          `${stem}\n  ${formatBytes(image.source.size)}, ${formatBytes(newBytes)} new\n  holdfast repo export ${snap.slice(0, 12)} ${options.disk} FILE`,
      )
    })
  addMaintenance(opening, ioOf)
  command.addCommand(repoKey(ioOf))
  return command
}

function lockText(lock: Repository['lock']): string {
  if (lock === null) return 'no: points can be deleted by whoever has the credentials'
  const { days, mode, generationDays } = lock
  return `each point for ${days} days (${mode} mode, generations of ${generationDays} days)`
}

interface ListOptions {
  readonly vm?: string
  readonly limit: number
}
interface ExportOptions extends PlaceOptions {
  readonly format: ImageFormat
  readonly force?: boolean
  readonly explicit?: boolean
}
interface ImportOptions {
  readonly vm?: string
  readonly disk: string
  readonly name?: string
  readonly level: number
}

function ratio(from: number, to: number, word: string): string {
  return to > 0 && from > 0 ? ` (${word} ${(from / to).toFixed(1)} ×)` : ''
}

interface InitOptions extends PlaceOptions, OtherSecret {
  readonly resume?: boolean
  readonly oneHost?: boolean
  readonly acceptDegraded?: boolean
  readonly mirrorOf?: string
  readonly lockDays?: number
  readonly lockGenerationDays?: number
}

async function init(io: Io, dir: string | undefined, options: InitOptions): Promise<void> {
  if (options.oneHost && options.acceptDegraded) {
    throw new HoldfastError('InvalidRequest', '--one-host and --accept-degraded exclude each other')
  }
  const { lockDays, lockGenerationDays } = options
  if (lockGenerationDays !== undefined && lockDays === undefined) {
    throw new HoldfastError('InvalidRequest', '--lock-generation-days goes with --lock-days')
  }
  const location = await placeOf(io, dir, options)
  const passphrase = await readPassphrase(io, options, true)
  const { createRepository } = await import('../../repository/index.ts')
  const mirrorOf = options.mirrorOf === undefined ? undefined : await openOther(io, options.mirrorOf, options)
  await using _mirrored = mirrorOf
  const made = await createRepository({
    ...(mirrorOf && { mirrorOf }),
    ...(lockDays !== undefined && {
      lock: { days: lockDays, ...(lockGenerationDays !== undefined && { generationDays: lockGenerationDays }) },
    }),
    location,
    passphrase,
    ...(options.resume && { resume: true }),
    ...(options.oneHost && { degraded: 'one-host' }),
    ...(options.acceptDegraded && { degraded: 'accept' }),
    onProgress: (what) => io.say(what),
  })
  io.answer({ ...made, place: locationText(location) }, () =>
    [
      `Repository ${made.id} in ${locationText(location)}`,
      '',
      'Recovery key, shown this once and stored nowhere:',
      '',
      `  ${made.recoveryKey}`,
      '',
      'Print it or keep it in another place: without it and the passphrase nobody can read the backups.',
    ].join('\n'),
  )
}

interface Row extends PointEntry {
  readonly info: PointInfo | null
  readonly problem: string | null
}

/** A point that cannot be read is a line that says so, never a missing one. */
async function describe(repository: Repository, point: PointEntry): Promise<Row> {
  if (point.unreadable !== undefined) {
    return { ...point, info: null, problem: `cannot be read now: ${point.unreadable.message}` }
  }
  if (point.state !== 'recovery-point' && point.state !== 'held') return { ...point, info: null, problem: point.state }
  try {
    await using open = await repository.openPoint(point.stem)
    return { ...point, info: open.info, problem: null }
  } catch (error) {
    return { ...point, info: null, problem: describeError(error) }
  }
}

/** What the point was promised, also when it is over. */
function immutableUntil({ retention: { lockUntilSec } }: PointInfo): string {
  return lockUntilSec === 0 ? '–' : at(lockUntilSec * 1000)
}

async function list(io: Io, repository: Repository, options: ListOptions): Promise<void> {
  const rows: Row[] = []
  let isCut = false
  for await (const point of repository.listPoints({ signal: io.world.signal, unreadable: 'show' })) {
    const row = await describe(repository, point)
    // One whose VM is not known may be of this one.
    if (options.vm !== undefined && row.info !== null && ![row.info.vm.name, row.info.vm.id].includes(options.vm))
      continue
    if (rows.length >= options.limit) {
      isCut = true
      break
    }
    rows.push(row)
  }
  io.answer({ points: rows, isComplete: !isCut }, () =>
    table(rows, [
      { head: 'POINT IN TIME', cell: (row) => at(row.createdMs) },
      { head: 'ID', cell: (row) => row.snap.slice(0, 12) },
      { head: 'VM', cell: (row) => (row.info ? plain(row.info.vm.name) : '?') },
      { head: 'STATE', cell: (row) => row.state },
      {
        head: 'DISKS',
        cell: (row) => row.info?.disks.map((disk) => `${disk.id} ${size(disk.bytes)}`).join(', ') ?? '',
      },
      {
        head: 'NEW',
        cell: (row) => (row.info ? size(row.info.disks.reduce((sum, disk) => sum + disk.newBytes, 0)) : ''),
        right: true,
      },
      { head: 'IMMUTABLE UNTIL', cell: (row) => (row.info === null ? '' : immutableUntil(row.info)) },
      { head: '', cell: (row) => (row.problem === null || row.problem === row.state ? '' : plain(row.problem)) },
    ]),
  )
  if (isCut) io.say(`Only the first ${options.limit}; --limit shows more.`)
}

async function openWished(repository: Repository, stem: string, explicit: boolean): Promise<OpenPoint> {
  try {
    return await repository.openPoint(stem, { explicit })
  } catch (error) {
    if (explicit || !isHoldfastError(error) || error.code !== 'PointNotRestorable') throw error
    throw new HoldfastError(error.code, error.message, {
      cause: error,
      hint: 'Choose another point, or say --explicit: it is written as far as all of it is there, at your own risk.',
    })
  }
}

async function exportOne(
  io: Io,
  repository: Repository,
  wish: {
    readonly stem: string
    readonly disk: string
    readonly file: string
    readonly format: ImageFormat
    readonly force: boolean
    readonly explicit: boolean
  },
): Promise<void> {
  const { exportDisk, saveImage } = await import('../repo/export.ts')
  await using point = await openWished(repository, await findStem(repository, wish.stem), wish.explicit)
  const ids = point.info.disks.map((disk) => disk.id)
  if (!ids.includes(wish.disk)) {
    throw new HoldfastError('NotFound', `the point has no disk ${wish.disk}`, { hint: `It has ${ids.join(', ')}.` })
  }
  const isStream = wish.file === '-'
  if (isStream && io.world.stdout.isTTY)
    throw new HoldfastError('InvalidRequest', 'a disk image on a terminal helps nobody', {
      hint: 'Send it into a file or a pipe.',
    })
  const progress = new Progress(io, wish.disk)
  try {
    const target = isStream
      ? { stream: io.world.bytes?.() ?? (io.world.stdout as NodeJS.WritableStream) }
      : { file: wish.file, force: wish.force }
    const { signal } = io.world
    const reader = point.disk(wish.disk)
    if (wish.format !== 'raw') {
      const identity = diskIdentity(point.info.snap, wish.disk)
      const image = await streamImage(wish.format, sourceOf(reader), { identity, signal })
      const { bytes } = await saveImage(wish.format, image, target, signal, (now) =>
        progress.bytes(now, image.size ?? now),
      )
      progress.end()
      const text = `${formatBytes(bytes)} of ${wish.format} for a disk of ${formatBytes(reader.info.bytes)}, every chunk checked`
      if (isStream) io.say(text)
      else io.answer({ file: wish.file, bytes, size: reader.info.bytes }, () => `${wish.file}: ${text}`)
      return
    }
    const done = await exportDisk(reader, target, signal, (now, total) => progress.bytes(now, total))
    progress.end()
    const text = `${formatBytes(done.size)}, ${formatBytes(done.dataBytes)} of it data, every chunk checked`
    if (isStream) io.say(text)
    else io.answer({ file: wish.file, ...done }, () => `${wish.file}: ${text}`)
  } catch (error) {
    progress.end()
    throw toHoldfastError(error)
  }
}
