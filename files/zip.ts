import { Readable, type PassThrough } from 'node:stream'
import { finished } from 'node:stream/promises'
import { ZipFile } from 'yazl'
import { MiB } from '../base/index.ts'
import { bytesOf, toText, type ByteName } from './names.ts'
import type { ArchiveMember, TarMember } from './tar.ts'

/** The list at a zip's end is held in memory until then. */
export const mostZipMembers = 50_000
/** Bytes of all names, for the same reason. */
export const mostZipNames = 32 * MiB
const kinds = { file: 0o100000, link: 0o120000, folder: 0o040000 } as const

/**
 * A zip stream with modes, times and links (as Info-ZIP keeps them), each name marked as UTF-8; of 4 GiB and more with
 * zip64. It has no owners. Throws what a member throws; who leaves it early ends the members.
 */
export async function* zipOf(members: AsyncIterable<ArchiveMember>): AsyncGenerator<Buffer, void, undefined> {
  const zip = new ZipFile()
  const output = zip.outputStream as PassThrough
  zip.once('error', (error) => output.destroy(error instanceof Error ? error : new Error(String(error))))
  let current: Readable | null = null
  const fill = async (): Promise<void> => {
    for await (const { head, content } of members) {
      if (output.destroyed) return
      current = addMember(zip, head, content)
      if (current !== null) await finished(current)
      // What has no content waits for the reader as well.
      else if (output.writableNeedDrain) await drained(output)
    }
    zip.end()
  }
  const filling = fill().catch((error: unknown) =>
    output.destroy(error instanceof Error ? error : new Error(String(error))),
  )
  try {
    for await (const part of output) yield part as Buffer
  } finally {
    output.destroy()
    ;(current as Readable | null)?.destroy()
    await filling
  }
}

async function drained(output: PassThrough): Promise<void> {
  const over = Promise.withResolvers<void>()
  const ends = ['drain', 'close', 'error'] as const
  const end = (): void => over.resolve()
  for (const event of ends) output.once(event, end)
  try {
    if (!output.destroyed) await over.promise
  } finally {
    for (const event of ends) output.off(event, end)
  }
}

function addMember(zip: ZipFile, head: TarMember, content: AsyncIterable<Buffer> | null): Readable | null {
  const name = zipName(head.name)
  // The root of a volume has no name.
  if (name === '.' || head.kind === 'fifo') return null
  const options = { mtime: new Date(head.modifiedSeconds * 1000), mode: kinds[head.kind] | (head.mode & 0o7777) }
  if (head.kind === 'folder') zip.addEmptyDirectory(name, options)
  else if (content === null)
    zip.addBuffer(bytesOf(head.target ?? ('' as ByteName)), name, { ...options, compress: false })
  else {
    const source = Readable.from(content, { objectMode: false })
    zip.addReadStream(source, name, { ...options, size: head.size })
    return source
  }
  return null
}

/** Names that may be one to whoever unpacks: desktops fold case and composition. */
export function foldedName(name: ByteName): string {
  return zipName(name).normalize('NFC').toLowerCase()
}

/**
 * Text, for the format wants it: a byte that is none, what would harm a terminal or lead elsewhere on Windows (a backslash,
 * a drive), and the percent sign itself, is written as %HH: two names never become one.
 */
export function zipName(name: ByteName): string {
  return name
    .replace(/^\.\//, '')
    .split('/')
    .map((segment) => toText(segment.replaceAll('%', '%25') as ByteName).replaceAll(/\\x([0-9a-f]{2})/g, '%$1'))
    .join('/')
    .replace(/^([A-Za-z]):/, '$1%3a')
}
