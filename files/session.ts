import { HoldfastError, millis } from '../base/index.ts'
import type { Appliance } from '../appliance/index.ts'
import type { BlockSource } from '../nbd/index.ts'
import { Archive, type ArchiveFigures } from './archive.ts'
import { Machine } from './machine.ts'
import type { ByteName } from './names.ts'
import { FileTree } from './tree.ts'
import type { ArchiveFormat, FileEntry, FilePage, FilePlace, FileSearch, Volume } from './types.ts'
import { readVolumes, type FoundVolume } from './volumes.ts'

const startMs = millis(120_000)
const answerMs = millis(60_000)
const volumesFile = '/run/volumes.txt' as ByteName
const mostVolumesBytes = 1024 * 1024

export interface SessionOptions {
  readonly appliance: Appliance
  /** Of `savedState`; null: its machine boots, which takes seconds more. */
  readonly state: string | null
  /** Names the process. */
  readonly name: string
  readonly disks: readonly { readonly key: string; readonly source: BlockSource }[]
  readonly lifeMs: number
  readonly signal: AbortSignal
  readonly onDiskError: (error: HoldfastError) => void
}

/** The files of a point, as long as its micro-VM lives. */
export class FileSession implements AsyncDisposable {
  readonly volumes: readonly Volume[]
  readonly #machine: Machine
  readonly #trees = new Map<string, FileTree>()

  private constructor(machine: Machine, keys: readonly string[], found: readonly FoundVolume[]) {
    this.#machine = machine
    this.volumes = found.map((one) => volumeOf(one, keys))
    for (const { id, state, mount } of found)
      if (state === 'files' && mount !== null) this.#trees.set(id, new FileTree(machine.sftp, mount))
  }

  /** Throws HypervisorRefused for a machine that ended, HypervisorTimeout, ProtocolMismatch, PackageMissing. */
  static async open({
    appliance,
    state,
    name,
    disks,
    lifeMs,
    signal,
    onDiskError,
  }: SessionOptions): Promise<FileSession> {
    const machine = await Machine.start({
      ...{ appliance, state, name, signal, onDiskError, startMs, answerMs },
      disks: disks.map(({ source }) => source),
      lifeMs: millis(lifeMs),
    })
    try {
      const parts: Buffer[] = []
      for await (const part of machine.sftp.read(volumesFile, 0, mostVolumesBytes)) parts.push(part)
      const found = readVolumes(Buffer.concat(parts).toString('latin1'))
      return new FileSession(
        machine,
        disks.map(({ key }) => key),
        found,
      )
    } catch (error) {
      await machine.end()
      throw error
    }
  }

  /** Resolves when the machine is gone, by itself or not. */
  get ended(): Promise<void> {
    return this.#machine.ended
  }

  get pid(): number | undefined {
    return this.#machine.pid
  }

  /** What it said last: for the log. */
  get console(): string {
    return this.#machine.console
  }

  stat(place: FilePlace): Promise<FileEntry> {
    return this.#tree(place).stat(place.path)
  }

  list(place: FilePlace, from: number, limit: number): Promise<FilePage> {
    return this.#tree(place).list(place.path, from, limit)
  }

  search(place: FilePlace, text: string, signal: AbortSignal): Promise<FileSearch> {
    return this.#tree(place).search(place.path, text, undefined, signal)
  }

  /** Bytes [start, end) of a plain file; `end` null: to its end. Links are followed. */
  async content(
    place: FilePlace,
    start: number,
    end: number | null,
  ): Promise<{ readonly size: number; readonly stream: AsyncIterable<Buffer> }> {
    const tree = this.#tree(place)
    const found = await tree.find(place.path, 'follow')
    const { size } = found.attributes
    if (start > size) throw new HoldfastError('InvalidRequest', `“${place.path}” has ${size} bytes`)
    if (end !== null && end < start)
      throw new HoldfastError('InvalidRequest', `bytes ${start} to ${end} end before they begin`)
    const until = Math.min(end ?? size, size)
    return { size: until - start, stream: exactly(tree.content(found, start, until), until - start) }
  }

  /** A tar or zip stream; all of one volume. The figures are final when the stream has ended. */
  async archive(
    volume: string,
    paths: readonly string[],
    format: ArchiveFormat,
    signal: AbortSignal,
  ): Promise<{ readonly figures: ArchiveFigures; readonly stream: AsyncIterable<Buffer> }> {
    const tree = this.#tree({ volume, path: '/' })
    const roots = []
    for (const path of paths) roots.push(await tree.find(path, 'keep'))
    const archive = new Archive(tree, format)
    return { figures: archive.figures, stream: archive.stream(roots, signal) }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#machine.end()
  }

  #tree({ volume }: FilePlace): FileTree {
    const tree = this.#trees.get(volume)
    if (tree !== undefined) return tree
    const known = this.volumes.find(({ id }) => id === volume)
    if (known === undefined) throw new HoldfastError('NotFound', `the point has no volume ${volume}`)
    throw new HoldfastError('Unsupported', `the files of ${volume} cannot be read: ${known.error ?? known.state}`, {
      hint: 'Choose another volume, or restore the disk and open it where it belongs.',
    })
  }
}

/** Throws if fewer bytes come than were promised: a short file must not look like a whole one. */
async function* exactly(stream: AsyncIterable<Buffer>, size: number): AsyncGenerator<Buffer, void, undefined> {
  let left = size
  for await (const data of stream) {
    left -= data.length
    yield data
  }
  if (left > 0) throw new HoldfastError('SourceReadFailed', `the file ends ${left} bytes before its size`)
}

function volumeOf(found: FoundVolume, keys: readonly string[]): Volume {
  const { id, kind, state, size, type, label, partition, uuid, isJournalReplayed, error } = found
  const disk = found.disk === null ? null : (keys[found.disk] ?? null)
  return { id, kind, state, disk, size, fileSystem: type, label: label ?? partition, uuid, isJournalReplayed, error }
}
