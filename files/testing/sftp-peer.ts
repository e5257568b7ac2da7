import { Duplex } from 'node:stream'
import { SftpClient } from '../sftp/client.ts'
import { Type } from '../sftp/codec.ts'

/** A client that has been greeted by the other side of a channel, by hand: `answer` gives what is sent back to a request. */
export async function peer(
  answer: (type: number, id: number, body: Buffer) => readonly Buffer[],
  limitMs = 5_000,
): Promise<SftpClient> {
  let kept = Buffer.alloc(0)
  const channel: Duplex = new Duplex({
    read: () => undefined,
    write(chunk: Buffer, _encoding, done) {
      kept = Buffer.concat([kept, chunk])
      while (kept.length >= 4 && kept.length >= 4 + kept.readUInt32BE()) {
        const message = kept.subarray(4, 4 + kept.readUInt32BE())
        kept = kept.subarray(4 + message.length)
        const type = message.readUInt8()
        if (type === Type.INIT) channel.push(version)
        else for (const reply of answer(type, message.readUInt32BE(1), message.subarray(5))) channel.push(reply)
      }
      done()
    },
  })
  const sftp = new SftpClient(channel, limitMs)
  await sftp.greet()
  return sftp
}

/** A message with its length in front. */
export function message(type: number, ...fields: readonly (number | Buffer | { readonly raw: Buffer })[]): Buffer {
  const parts = fields.map((field) => {
    if (typeof field === 'number') return u32(field)
    return Buffer.isBuffer(field) ? Buffer.concat([u32(field.length), field]) : field.raw
  })
  const body = Buffer.concat([Buffer.from([type]), ...parts])
  return Buffer.concat([u32(body.length), body])
}

const version = message(2, 3)

/** Size, owner, permissions with the kind, times. */
export function attributes(mode: number, size = 0): { readonly raw: Buffer } {
  return { raw: Buffer.concat([u32(1 | 2 | 4 | 8), u32(0), u32(size), u32(7), u32(8), u32(mode), u32(0), u32(1_000)]) }
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}
