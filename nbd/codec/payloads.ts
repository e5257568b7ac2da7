import { Info, Limit } from './constants.ts'
import { decodeText, encodeString, encodeText, Fields, mismatch, writeU64 } from './bytes.ts'

/** Option INFO and GO: 32 bits length of name, name, 16 bits number of requests, 16 bits each. */
export interface InfoRequest {
  readonly exportName: string
  readonly infos: readonly number[]
}

export function encodeInfoRequest(request: InfoRequest): Buffer {
  const infos = Buffer.alloc(2 + 2 * request.infos.length)
  infos.writeUInt16BE(request.infos.length, 0)
  request.infos.forEach((info, index) => infos.writeUInt16BE(info, 2 + 2 * index))
  return Buffer.concat([prefixed(encodeString(request.exportName, 'the export name')), infos])
}

export function decodeInfoRequest(data: Buffer): InfoRequest {
  const fields = new Fields(data, 'an INFO or GO option')
  const exportName = fields.string(fields.u32(), 'the export name')
  const infos: number[] = []
  for (let left = fields.u16(); left > 0; left -= 1) infos.push(fields.u16())
  fields.end()
  return { exportName, infos }
}

/** Reply INFO: 16 bits type, then EXPORT: 64 bits size, 16 bits flags; BLOCK_SIZE: 3 × 32 bits; else text. */
export type InfoReply =
  | { readonly type: 'export'; readonly size: number; readonly flags: number }
  | { readonly type: 'block-size'; readonly minimum: number; readonly preferred: number; readonly maximum: number }
  | { readonly type: 'description'; readonly text: string }
  | { readonly type: 'other'; readonly number: number }

export function encodeInfoReply(info: InfoReply): Buffer {
  switch (info.type) {
    case 'export': {
      const data = Buffer.alloc(12)
      data.writeUInt16BE(Info.EXPORT, 0)
      writeU64(data, info.size, 2)
      data.writeUInt16BE(info.flags, 10)
      return data
    }
    case 'block-size': {
      const data = Buffer.alloc(14)
      data.writeUInt16BE(Info.BLOCK_SIZE, 0)
      data.writeUInt32BE(info.minimum, 2)
      data.writeUInt32BE(info.preferred, 6)
      data.writeUInt32BE(info.maximum, 10)
      return data
    }
    case 'description':
      return Buffer.concat([u16(Info.DESCRIPTION), encodeText(info.text, Limit.STRING)])
    case 'other':
      return u16(info.number)
  }
}

export function decodeInfoReply(data: Buffer): InfoReply {
  const fields = new Fields(data, 'an INFO reply')
  const number = fields.u16()
  if (number === Info.EXPORT) {
    const info = { type: 'export', size: fields.u64(), flags: fields.u16() } as const
    fields.end()
    return info
  }
  if (number === Info.BLOCK_SIZE) {
    const info = { type: 'block-size', minimum: fields.u32(), preferred: fields.u32(), maximum: fields.u32() } as const
    fields.end()
    checkBlockSizes(info)
    return info
  }
  if (number === Info.DESCRIPTION) return { type: 'description', text: decodeText(fields.rest()) }
  return { type: 'other', number }
}

/** proto.md "Block size constraints": powers of two, minimum ≤ 64 KiB ≤ maximum, the maximum a multiple of the minimum. */
function checkBlockSizes(sizes: { minimum: number; preferred: number; maximum: number }): void {
  const { minimum, preferred, maximum } = sizes
  const sound =
    isPowerOfTwo(minimum) &&
    minimum <= 65_536 &&
    isPowerOfTwo(preferred) &&
    preferred >= minimum &&
    maximum >= minimum &&
    (maximum === 0xffffffff || maximum % minimum === 0)
  if (!sound) throw mismatch(`impossible block sizes ${minimum}/${preferred}/${maximum}`)
}

function isPowerOfTwo(n: number): boolean {
  return n > 0 && (n & (n - 1)) === 0
}

/** Option LIST_ and SET_META_CONTEXT: 32 bits length of name, name, 32 bits number of queries, 32 bits length each. */
export interface MetaRequest {
  readonly exportName: string
  readonly queries: readonly string[]
}

export function encodeMetaRequest(request: MetaRequest): Buffer {
  return Buffer.concat([
    prefixed(encodeString(request.exportName, 'the export name')),
    u32(request.queries.length),
    ...request.queries.map((query) => prefixed(encodeString(query, 'a metadata query'))),
  ])
}

export function decodeMetaRequest(data: Buffer): MetaRequest {
  const fields = new Fields(data, 'a META_CONTEXT option')
  const exportName = fields.string(fields.u32(), 'the export name')
  const count = fields.u32()
  if (count > Limit.META_QUERIES) throw mismatch(`${count} metadata queries at once`)
  const queries: string[] = []
  while (queries.length < count) queries.push(fields.string(fields.u32(), 'a metadata query'))
  fields.end()
  return { exportName, queries }
}

/** Reply META_CONTEXT: 32 bits id, name. */
export interface MetaContext {
  readonly id: number
  readonly name: string
}

export function encodeMetaContext(context: MetaContext): Buffer {
  return Buffer.concat([u32(context.id), encodeString(context.name, 'a context name')])
}

export function decodeMetaContext(data: Buffer): MetaContext {
  const fields = new Fields(data, 'a META_CONTEXT reply')
  const id = fields.u32()
  const name = fields.rest()
  return { id, name: new Fields(name, 'a context name').string(name.length, 'a context name') }
}

/** Reply SERVER: 32 bits length of name, name, text for people. */
export interface ServerReply {
  readonly name: string
  readonly description: string
}

export function encodeServerReply(entry: ServerReply): Buffer {
  return Buffer.concat([
    prefixed(encodeString(entry.name, 'an export name')),
    encodeText(entry.description, Limit.STRING),
  ])
}

export function decodeServerReply(data: Buffer): ServerReply {
  const fields = new Fields(data, 'a SERVER reply')
  const name = fields.string(fields.u32(), 'an export name')
  return { name, description: decodeText(fields.rest()) }
}

function prefixed(data: Buffer): Buffer {
  return Buffer.concat([u32(data.length), data])
}

function u16(value: number): Buffer {
  const data = Buffer.alloc(2)
  data.writeUInt16BE(value, 0)
  return data
}

function u32(value: number): Buffer {
  const data = Buffer.alloc(4)
  data.writeUInt32BE(value, 0)
  return data
}
