import { setImmediate } from 'node:timers/promises'
import { HoldfastError, isHoldfastError, MiB } from '../base/index.ts'
import { bytesOf, isPlainName, pathText, segmentsOf, toText, type ByteName } from './names.ts'
import type { SftpClient } from './sftp/client.ts'
import type { Attributes, NamedAttributes } from './sftp/codec.ts'
import { broken } from './sftp/codec.ts'
import type { FileEntry, FilePage, FileSearch } from './types.ts'

/** As Linux follows them. */
const mostLinks = 40
const deepest = 256
const longestPath = 4_000
/** Names of one folder that are read and sorted, and their bytes; of all more it is told that they are there. */
const mostNames = 50_000
const mostNameBytes = 8 * MiB
/** More are sorted by their bytes: as people sort them it takes seconds, in which the process does nothing else. */
const mostSortedByWord = 5_000
const keptFolders = 4
/** Folders that a search has yet to look into, and characters of what it found: what it holds in memory. */
const mostQueued = 20_000
const mostFoundText = 4 * MiB
export const searchLimits = { results: 1_000, names: 200_000, ms: 20_000 }

export interface Found {
  /** Without a link in it. */
  readonly segments: readonly ByteName[]
  readonly attributes: Attributes
}

interface Folder {
  /** As the machine said: texts are made of what is shown only. */
  readonly items: readonly NamedAttributes[]
  readonly isComplete: boolean
}

/**
 * The files of one volume, looked at through the micro-VM. Links are followed here, from the volume's own root, and never
 * by the machine: what is asked of it has no link and no “..” in it. A file system that is broken may say anything, so
 * everything has a bound.
 */
export class FileTree {
  readonly #sftp: SftpClient
  readonly #root: ByteName
  readonly #folders = new Map<string, Promise<Folder>>()

  constructor(sftp: SftpClient, root: ByteName) {
    this.#sftp = sftp
    this.#root = root
  }

  /** Throws NotFound; `last`: whether a link at the end is followed, too. */
  async find(path: string, last: 'follow' | 'keep'): Promise<Found> {
    let left = [...segmentsOf(path)]
    let at: ByteName[] = []
    let attributes = await this.#lstat(at)
    for (let links = 0; left.length > 0;) {
      const [name, ...rest] = left as [ByteName, ...ByteName[]]
      if (name === ('..' as ByteName)) {
        at = at.slice(0, -1)
        left = rest
        attributes = await this.#lstat(at)
        continue
      }
      if (attributes.kind !== 'folder') throw noFile(path)
      const next = [...at, name]
      const found = await this.#lstat(next)
      if (found.kind !== 'link' || (rest.length === 0 && last === 'keep')) {
        ;[at, left, attributes] = [next, rest, found]
        continue
      }
      links += 1
      if (links > mostLinks) throw new HoldfastError('InvalidRequest', `“${path}” goes through too many links`)
      const target = await this.#sftp.readlink(this.real(next))
      // From here on as the guest itself would go: an absolute one from the root of its volume.
      if (target.startsWith('/')) {
        at = []
        attributes = await this.#lstat(at)
      }
      const steps = target.split('/').filter((step) => step !== '' && step !== '.') as ByteName[]
      left = [...steps, ...rest]
      if (left.length > deepest * 2) throw noFile(path)
    }
    return { segments: at, attributes }
  }

  async stat(path: string): Promise<FileEntry> {
    const { segments, attributes } = await this.find(path, 'keep')
    const target = attributes.kind === 'link' ? toText(await this.#sftp.readlink(this.real(segments))) : null
    return { ...entryOf(segments, attributes), target }
  }

  async list(path: string, from: number, limit: number): Promise<FilePage> {
    const { segments, attributes } = await this.find(path, 'follow')
    if (attributes.kind !== 'folder') throw new HoldfastError('InvalidRequest', `“${path}” is no folder`)
    const { items, isComplete } = await this.#folder(segments)
    const end = from + limit
    const parent = pathText(segments)
    const shown = items.slice(from, end).map((one) => entryIn(parent, one))
    return { items: shown, next: end < items.length ? end : null, total: items.length, isComplete }
  }

  /** Names below `path` that hold `text`, or match it if it has `*` or `?`; breadth first, case left aside. */
  async search(path: string, text: string, limits = searchLimits, signal?: AbortSignal): Promise<FileSearch> {
    const { segments } = await this.find(path, 'follow')
    const matches = matcher(text)
    const until = Date.now() + limits.ms
    const items: FileEntry[] = []
    let [lookedAt, unreadable, characters] = [0, 0, 0]
    let isEverywhere = true
    const queue: (readonly ByteName[])[] = [segments]
    for (let folder = queue.shift(); folder !== undefined; folder = queue.shift()) {
      try {
        for await (const names of this.names(folder)) {
          signal?.throwIfAborted()
          for (const one of names) {
            lookedAt += 1
            const here = [...folder, one.name]
            if (matches(toText(one.name))) {
              const found = entryOf(here, one)
              characters += found.path.length + found.name.length
              items.push(found)
            }
            if (one.kind === 'folder' && isWithin(here)) {
              if (queue.length < mostQueued) queue.push(here)
              else isEverywhere = false
            }
            if (items.length >= limits.results || characters >= mostFoundText || lookedAt >= limits.names)
              return { items, lookedAt, isComplete: false, unreadable }
          }
          await setImmediate()
          if (Date.now() > until) return { items, lookedAt, isComplete: false, unreadable }
        }
      } catch (error) {
        if (!isUnreadable(error)) throw error
        unreadable += 1
      }
    }
    return { items, lookedAt, isComplete: isEverywhere && unreadable === 0, unreadable }
  }

  /** Names of a folder as they come; one that no file can have breaks the protocol or the file system, and is left out. */
  async *names(segments: readonly ByteName[]): AsyncGenerator<readonly NamedAttributes[], void, undefined> {
    for await (const batch of this.#sftp.readdir(this.real(segments)))
      yield batch.filter(({ name }) => isPlainName(name) && name.length <= 1_024)
  }

  /** Throws InvalidRequest for what is no plain file: reading a device or a pipe would wait for ever. */
  content(found: Found, start: number, end: number): AsyncGenerator<Buffer, void, undefined> {
    const { segments, attributes } = found
    if (attributes.kind !== 'file')
      throw new HoldfastError('InvalidRequest', `“${pathText(segments)}” is no plain file`, {
        hint: 'Folders come as an archive.',
      })
    return this.#sftp.read(this.real(segments), start, end)
  }

  readlink(segments: readonly ByteName[]): Promise<ByteName> {
    return this.#sftp.readlink(this.real(segments))
  }

  real(segments: readonly ByteName[]): ByteName {
    const path = [this.#root, ...segments].join('/') as ByteName
    if (bytesOf(path).length > longestPath) throw new HoldfastError('InvalidRequest', 'the path is too long')
    return path
  }

  #lstat(segments: readonly ByteName[]): Promise<Attributes> {
    if (segments.some((name) => !isPlainName(name))) throw broken('a link of it leads nowhere')
    return this.#sftp.lstat(this.real(segments))
  }

  #folder(segments: readonly ByteName[]): Promise<Folder> {
    const key = segments.join('/')
    const known = this.#folders.get(key)
    if (known !== undefined) return known
    const reading = this.#readFolder(segments)
    this.#folders.set(key, reading)
    reading.catch(() => this.#folders.delete(key))
    const oldest = this.#folders.keys().next().value
    if (this.#folders.size > keptFolders && oldest !== undefined) this.#folders.delete(oldest)
    return reading
  }

  async #readFolder(segments: readonly ByteName[]): Promise<Folder> {
    const items: NamedAttributes[] = []
    let size = 0
    for await (const batch of this.names(segments)) {
      for (const one of batch) {
        items.push(one)
        size += one.name.length
      }
      if (items.length >= mostNames || size >= mostNameBytes)
        return { items: sorted(items.slice(0, mostNames)), isComplete: false }
    }
    return { items: sorted(items), isComplete: true }
  }
}

/** Deeper than any path that a system makes: a folder that leads back to one above it would have no end. */
export function isWithin(segments: readonly ByteName[]): boolean {
  return segments.length <= deepest && segments.reduce((sum, one) => sum + one.length + 1, 0) < longestPath - 200
}

/** Damage in one place is no reason to give up the rest; a machine that is gone is. */
export function isUnreadable(error: unknown): boolean {
  return isHoldfastError(error) && ['SourceReadFailed', 'NotFound', 'InvalidRequest'].includes(error.code)
}

function entryOf(segments: readonly ByteName[], attributes: Attributes): FileEntry {
  const name = segments.at(-1)
  return entry(name === undefined ? '/' : toText(name), pathText(segments), attributes)
}

function entryIn(parent: string, one: NamedAttributes): FileEntry {
  const name = toText(one.name)
  return entry(name, parent === '/' ? `/${name}` : `${parent}/${name}`, one)
}

function entry(name: string, path: string, attributes: Attributes): FileEntry {
  const { kind, size, mode, uid, gid, modifiedSeconds } = attributes
  return { name, path, kind, size, mode, uid, gid, modifiedMs: modifiedSeconds * 1000, target: null }
}

function noFile(path: string): HoldfastError {
  return new HoldfastError('NotFound', `there is no “${path}” in the volume`)
}

const collator = new Intl.Collator('en', { numeric: true })

/** Folders first, then as people sort names; too many by their bytes. */
function sorted(items: readonly NamedAttributes[]): readonly NamedAttributes[] {
  const compare =
    items.length <= mostSortedByWord ? collator.compare : (a: string, b: string): number => (a < b ? -1 : Number(a > b))
  const keyed = items.map((one) => ({
    one,
    rank: one.kind === 'folder' ? 0 : 1,
    key: items.length <= mostSortedByWord ? toText(one.name) : one.name,
  }))
  return keyed.toSorted((a, b) => a.rank - b.rank || compare(a.key, b.key)).map(({ one }) => one)
}

/** `*` and `?` stand for any characters of the whole name; without them the text may stand anywhere in it. */
export function matcher(text: string): (name: string) => boolean {
  if (text === '' || text.length > 200)
    throw new HoldfastError('InvalidRequest', 'what is looked for has 1 to 200 characters')
  const wanted = text.toLowerCase()
  if (!/[*?]/.test(wanted)) return (name) => name.toLowerCase().includes(wanted)
  return (name) => matchesGlob(name.toLowerCase(), wanted)
}

/** Two places are enough (no backtracking into a pattern's past): time is at most length × length. */
function matchesGlob(name: string, pattern: string): boolean {
  let [n, p, star, mark] = [0, 0, -1, 0]
  while (n < name.length) {
    if (p < pattern.length && (pattern[p] === '?' || (pattern[p] === name[n] && pattern[p] !== '*'))) {
      n += 1
      p += 1
    } else if (pattern[p] === '*') {
      ;[star, mark] = [p, n]
      p += 1
    } else if (star >= 0) {
      mark += 1
      ;[n, p] = [mark, star + 1]
    } else return false
  }
  while (pattern[p] === '*') p += 1
  return p === pattern.length
}
