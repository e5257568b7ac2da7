import { bytesOf, type ByteName } from './names.ts'
import type { Attributes } from './sftp/codec.ts'

/**
 * Heads of GNU tar's own format (GNU tar manual, “Basic Tar Format”): names are bytes of any length, numbers have any size,
 * and every tar in use reads it. POSIX headers want names that are UTF-8, which names on a disk need not be.
 */
const block = 512
const octal7 = 0o7777777
const octal11 = 0o77777777777

export interface TarMember extends Pick<Attributes, 'mode' | 'uid' | 'gid' | 'size' | 'modifiedSeconds'> {
  /** Without a slash in front. */
  readonly name: ByteName
  readonly kind: 'file' | 'folder' | 'link' | 'fifo'
  /** Of a link. */
  readonly target: ByteName | null
}

/** A member on its way: `content` has as many bytes as its head says, and is read to its end before the next is asked for. */
export interface ArchiveMember {
  readonly head: TarMember
  /** Of a plain file. */
  readonly content: AsyncIterable<Buffer> | null
}

const types = { file: '0', link: '2', folder: '5', fifo: '6' } as const

/** A tar stream; who leaves it early ends the members. */
export async function* tarOf(members: AsyncIterable<ArchiveMember>): AsyncGenerator<Buffer, void, undefined> {
  for await (const { head, content } of members) {
    yield tarHead(head)
    if (content === null) continue
    yield* content
    yield paddingOf(head.size)
  }
  yield tarEnd()
}

/** Everything in front of the content, which follows for a file: `size` bytes and `paddingOf(size)`. */
export function tarHead(member: TarMember): Buffer {
  const name = bytesOf(member.kind === 'folder' ? (`${member.name}/` as ByteName) : member.name)
  const target = member.target === null ? Buffer.alloc(0) : bytesOf(member.target)
  const parts: Buffer[] = []
  if (target.length > 100) parts.push(...longText('K', target))
  if (name.length > 100) parts.push(...longText('L', name))
  const size = member.kind === 'file' ? member.size : 0
  parts.push(header(name, types[member.kind], { ...member, size }, target))
  return Buffer.concat(parts)
}

export function paddingOf(size: number): Buffer {
  return Buffer.alloc((block - (size % block)) % block)
}

/** Two blocks of zeros. */
export function tarEnd(): Buffer {
  return Buffer.alloc(2 * block)
}

function longText(type: 'K' | 'L', text: Buffer): Buffer[] {
  const content = Buffer.concat([text, Buffer.from([0])])
  const of = { mode: 0o644, uid: 0, gid: 0, size: content.length, modifiedSeconds: 0 }
  return [header(Buffer.from('././@LongLink'), type, of, Buffer.alloc(0)), content, paddingOf(content.length)]
}

function header(
  name: Buffer,
  type: string,
  of: Pick<TarMember, 'mode' | 'uid' | 'gid' | 'size' | 'modifiedSeconds'>,
  target: Buffer,
): Buffer {
  const head = Buffer.alloc(block)
  name.copy(head, 0, 0, 100)
  number(head, 100, 8, of.mode)
  number(head, 108, 8, of.uid)
  number(head, 116, 8, of.gid)
  number(head, 124, 12, of.size)
  number(head, 136, 12, of.modifiedSeconds)
  head.write(' '.repeat(8), 148)
  head.write(type, 156)
  target.copy(head, 157, 0, 100)
  head.write('ustar  \0', 257)
  const sum = head.reduce((total, byte) => total + byte, 0)
  head.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return head
}

/** Octal with a NUL behind it; larger ones in base 256, marked by the highest bit. */
function number(head: Buffer, at: number, length: 8 | 12, value: number): void {
  if (value <= (length === 8 ? octal7 : octal11)) {
    head.write(`${value.toString(8).padStart(length - 1, '0')}\0`, at)
    return
  }
  for (let [left, n] = [BigInt(value), length - 1]; n >= 0; left >>= 8n, n -= 1) head[at + n] = Number(left & 0xffn)
  head[at] = 0x80
}
