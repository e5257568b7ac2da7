/** What is asked of an open point, and what is answered; plain JSON. Paths are texts as `names.ts` says. */
import type { ImageFormat } from '../images/types.ts'
import type { FileKind } from './sftp/codec.ts'

export type { FileKind }
export type ArchiveFormat = 'tar' | 'zip'
export type VolumeKind = 'partition' | 'disk' | 'lv' | 'md'
/**
 * files: it can be browsed · holder: other volumes lie in it · empty: nothing that is known · encrypted, unsupported: it is
 * known, but not opened here · damaged: it should open, and does not.
 */
export type VolumeState = 'files' | 'holder' | 'empty' | 'encrypted' | 'unsupported' | 'damaged'

export interface Volume {
  readonly id: string
  readonly kind: VolumeKind
  readonly state: VolumeState
  /** Key of the disk that it lies on; null: on several, or in another volume. */
  readonly disk: string | null
  readonly size: number
  readonly fileSystem: string | null
  readonly label: string | null
  readonly uuid: string | null
  readonly isJournalReplayed: boolean
  readonly error: string | null
}

export interface FileEntry {
  readonly name: string
  /** From the root of the volume. */
  readonly path: string
  readonly kind: FileKind
  readonly size: number
  /** Permissions with set-id and sticky bits. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly modifiedMs: number
  /** Of a link, where it is asked for one by one. */
  readonly target: string | null
}

export interface FilePlace {
  readonly volume: string
  readonly path: string
}

export interface FilePage {
  /** Folders first, then by name. */
  readonly items: readonly FileEntry[]
  /** Where the next page begins; null: this was the last. */
  readonly next: number | null
  readonly total: number
  /** false: the folder has more names than are read. */
  readonly isComplete: boolean
}

export interface FileSearch {
  readonly items: readonly FileEntry[]
  /** Names that were looked at. */
  readonly lookedAt: number
  /** false: it ended at a bound, or part of the volume could not be read. */
  readonly isComplete: boolean
  readonly unreadable: number
}

export type Question =
  | { readonly what: 'volumes' }
  | (FilePlace & { readonly what: 'stat' })
  | (FilePlace & { readonly what: 'list'; readonly from: number; readonly limit: number })
  | (FilePlace & { readonly what: 'search'; readonly text: string })
  | (FilePlace & { readonly what: 'content'; readonly start: number; readonly end: number | null })
  | {
      readonly what: 'archive'
      readonly volume: string
      readonly paths: readonly string[]
      readonly format: ArchiveFormat
    }
  /** A whole disk. */
  | { readonly what: 'image'; readonly disk: string; readonly format: ImageFormat }

export type StreamQuestion = Extract<Question, { what: 'content' | 'archive' | 'image' }>

export interface Answers {
  readonly volumes: readonly Volume[]
  readonly stat: FileEntry
  readonly list: FilePage
  readonly search: FileSearch
}

/** A file or archive on its way. */
export interface FileStream {
  /** Bytes; null: nobody knows before it has ended. */
  readonly size: number | null
  /** Fails if it is cut off; whoever leaves it early ends it. The memory of a part is used again once the next is asked for. */
  readonly body: AsyncIterable<Uint8Array>
  /** Aborted when it is cut off, also while nobody asks for the next part. */
  readonly cut: AbortSignal
}

/** How closed a micro-VM is on this machine. */
export interface Sandbox {
  /** Whom it runs as: only root can make it nobody. */
  readonly user: 'nobody' | 'own'
  /** In namespaces of its own without a network; else QEMU alone sees to that. */
  readonly isApart: boolean
  readonly whyNot: string | null
}

/** Whoever can be asked for the files of open points. Throws NoWorker if nobody has that one open here now. */
export interface FileGateway {
  /** Throws PackageMissing for what no micro-VM can be started without. */
  sandbox(): Promise<Sandbox>
  ask<W extends keyof Answers>(
    session: string,
    question: Extract<Question, { what: W }>,
    signal: AbortSignal,
  ): Promise<Answers[W]>
  stream(session: string, question: StreamQuestion, signal: AbortSignal): Promise<FileStream>
}
