import { describeError, GiB, HoldfastError, MiB } from '../base/index.ts'
import { pathText, type ByteName } from './names.ts'
import type { Attributes } from './sftp/codec.ts'
import { tarOf, type ArchiveMember, type TarMember } from './tar.ts'
import type { ArchiveFormat } from './types.ts'
import { isUnreadable, isWithin, type FileTree, type Found } from './tree.ts'
import { foldedName, mostZipMembers, mostZipNames, zipName, zipOf } from './zip.ts'

/** Stands last in an archive that is not whole, and says what is missing. */
export const unreadableMember = 'HOLDFAST-UNREADABLE.txt'
/** Characters of what is missing; of all more it is told how many there are. */
const mostNotes = 1024 * 1024
/** Characters of names of links that are remembered at a time. */
const mostLinkText = 16 * MiB
/** A file that ends so much sooner than it says is not filled up: its size is a lie. */
const mostFilled = GiB

export interface ArchiveFigures {
  members: number
  bytes: number
  /** What is not, or not as it was, in the archive. */
  unreadable: number
}

/**
 * An archive of files and folders with modes, owners, times and links, each below the name of its last segment. Links
 * stay links; sockets and device files are left out. What cannot be read is left out or filled with zeros, counted, and
 * named in a last member. Nothing is held in memory but the path to where it stands.
 */
export class Archive {
  readonly figures: ArchiveFigures = { members: 0, bytes: 0, unreadable: 0 }
  readonly #tree: FileTree
  readonly #format: ArchiveFormat
  readonly #notes: string[] = []
  #noted = 0
  #linkText = 0
  #zipNames = 0

  constructor(tree: FileTree, format: ArchiveFormat) {
    this.#tree = tree
    this.#format = format
  }

  stream(roots: readonly Found[], signal: AbortSignal): AsyncGenerator<Buffer, void, undefined> {
    const members = this.#members(roots, signal)
    return this.#format === 'zip' ? zipOf(members) : tarOf(members)
  }

  async *#members(roots: readonly Found[], signal: AbortSignal): AsyncGenerator<ArchiveMember, void, undefined> {
    // The name of the last member is taken already: a file of the guest that is called so gets another one.
    const keyOf = (name: ByteName): string => (this.#format === 'zip' ? foldedName(name) : name)
    const names = new Set<string>([keyOf(unreadableMember as ByteName)])
    for (const root of roots) {
      const last = root.segments.at(-1)
      const name = last === undefined ? ('.' as ByteName) : unusedName(names, last, keyOf)
      yield* this.#member(root.segments, name, root.attributes, signal)
    }
    yield* this.#missing()
  }

  async *#member(
    segments: readonly ByteName[],
    name: ByteName,
    attributes: Attributes,
    signal: AbortSignal,
  ): AsyncGenerator<ArchiveMember, void, undefined> {
    signal.throwIfAborted()
    if (this.#format === 'zip' && this.figures.members >= mostZipMembers) {
      this.#miss(segments, new HoldfastError('Unsupported', `a zip has at most ${mostZipMembers} members: take a tar`))
      return
    }
    if (this.#format === 'zip') {
      this.#zipNames += Buffer.byteLength(zipName(name))
      if (this.#zipNames > mostZipNames) {
        this.#miss(segments, new HoldfastError('Unsupported', 'the names are too long for a zip: take a tar'))
        return
      }
    }
    switch (attributes.kind) {
      case 'folder':
        yield* this.#folder(segments, name, attributes, signal)
        return
      case 'file':
        yield this.#file(segments, name, attributes)
        return
      case 'link':
        try {
          const target = await this.#tree.readlink(segments)
          yield this.#head({ ...attributes, name, kind: 'link', target })
        } catch (error) {
          this.#miss(segments, error)
        }
        return
      case 'fifo':
        if (this.#format === 'zip') {
          this.#miss(segments, new HoldfastError('Unsupported', 'a zip has no named pipes'))
          return
        }
        yield this.#head({ ...attributes, name, kind: 'fifo', target: null })
        return
      case 'socket':
        // Means nothing without who listens; tar leaves it out as well.
        return
      case 'character-device':
      case 'block-device':
      case 'unknown':
        this.#miss(segments, new HoldfastError('Unsupported', 'a device file, or nothing that is known'))
    }
  }

  async *#folder(
    segments: readonly ByteName[],
    name: ByteName,
    attributes: Attributes,
    signal: AbortSignal,
  ): AsyncGenerator<ArchiveMember, void, undefined> {
    yield this.#head({ ...attributes, name, kind: 'folder', target: null })
    if (!isWithin(segments)) {
      this.#miss(segments, new HoldfastError('SourceReadFailed', 'deeper than any path: it may lead back to itself'))
      return
    }
    const listing = this.#tree.names(segments)
    const links = new Set<string>()
    const keyOf = (one: ByteName): string => (this.#format === 'zip' ? foldedName(one) : one)
    try {
      for (;;) {
        // Only the listing's own failures: a member has told its own.
        let batch: Awaited<ReturnType<typeof listing.next>>
        try {
          batch = await listing.next()
        } catch (error) {
          this.#miss(segments, error)
          return
        }
        if (batch.done) return
        for (const one of batch.value) {
          // The root of a volume has no name, so its files stand beside our list.
          if (name === '.' && foldedName(one.name) === foldedName(unreadableMember as ByteName)) {
            this.#miss([one.name], new HoldfastError('Unsupported', 'the list of what is missing has that name'))
            continue
          }
          // A file system names nothing twice. A link and then a folder of one name would lead whoever unpacks elsewhere.
          const key = keyOf(one.name)
          if (links.has(key)) {
            this.#miss([...segments, one.name], new HoldfastError('SourceReadFailed', 'the folder names it twice'))
            continue
          }
          if (one.kind === 'link') {
            if (this.#linkText >= mostLinkText) {
              this.#miss([...segments, one.name], new HoldfastError('SourceReadFailed', 'too many links in a folder'))
              continue
            }
            links.add(key)
            this.#linkText += key.length
          }
          yield* this.#member([...segments, one.name], `${name}/${one.name}` as ByteName, one, signal)
        }
      }
    } finally {
      // Also when the reader has left: the machine has handles for few folders.
      await listing.return()
      for (const link of links) this.#linkText -= link.length
    }
  }

  #file(segments: readonly ByteName[], name: ByteName, attributes: Attributes): ArchiveMember {
    return {
      ...this.#head({ ...attributes, name, kind: 'file', target: null }),
      content: this.#content(segments, attributes),
    }
  }

  /** The head has promised `size` bytes; whatever the file system gives, so many follow. */
  async *#content(segments: readonly ByteName[], attributes: Attributes): AsyncGenerator<Buffer, void, undefined> {
    const { size } = attributes
    let left = size
    try {
      for await (const data of this.#tree.content({ segments, attributes }, 0, size)) {
        left -= data.length
        this.figures.bytes += data.length
        yield data
      }
      if (left > 0) throw new HoldfastError('SourceReadFailed', `it ends ${left} bytes before its size`)
    } catch (error) {
      this.#miss(segments, error)
      if (left > mostFilled)
        throw new HoldfastError('FormatError', `“${pathText(segments)}” says that it has ${size} bytes, and does not`, {
          hint: 'Take the folder without that file.',
        })
      for (; left > 0; left -= Math.min(left, 65_536)) yield Buffer.alloc(Math.min(left, 65_536))
    }
  }

  #head(head: TarMember): ArchiveMember {
    this.figures.members += 1
    return { head, content: null }
  }

  /** Throws what is not of this one file. */
  #miss(segments: readonly ByteName[], error: unknown): void {
    if (!isUnreadable(error) && !(error instanceof HoldfastError && error.code === 'Unsupported')) throw error
    this.figures.unreadable += 1
    if (this.#noted >= mostNotes) return
    const note = `${pathText(segments)}\t${describeError(error)}\n`
    this.#noted += note.length
    this.#notes.push(note)
  }

  *#missing(): Generator<ArchiveMember, void, undefined> {
    if (this.#notes.length === 0) return
    const rest = this.figures.unreadable - this.#notes.length
    const text = Buffer.from(this.#notes.join('') + (rest > 0 ? `and ${rest} more\n` : ''))
    const of = { mode: 0o644, uid: 0, gid: 0, size: text.length, modifiedSeconds: 0, target: null }
    const content = async function* (): AsyncGenerator<Buffer, void, undefined> {
      yield text
    }
    yield { head: { ...of, name: unreadableMember as ByteName, kind: 'file' }, content: content() }
  }
}

/** Two folders may hand in files of the same name, or of one that is the same where a zip is unpacked. */
function unusedName(taken: Set<string>, name: ByteName, keyOf: (name: ByteName) => string): ByteName {
  let free = name
  for (let n = 2; taken.has(keyOf(free)); n += 1) free = `${name}.${n}` as ByteName
  taken.add(keyOf(free))
  return free
}
