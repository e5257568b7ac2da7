import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { attributes, message, peer } from '../testing/sftp-peer.ts'
import type { ByteName } from '../names.ts'
import { Type } from './codec.ts'

const path = '/vol/x' as ByteName

describe('what the micro-VM answers', () => {
  test('is taken apart: kind, mode, owner, size, time', async () => {
    const sftp = await peer((_type, id) => [message(Type.ATTRS, id, attributes(0o104755, 4_096))])
    expect(await sftp.lstat(path)).toEqual({
      ...{ kind: 'file', size: 4_096, mode: 0o4755, uid: 7, gid: 8, modifiedSeconds: 1_000 },
    })
  })

  test('names, whatever bytes they are, without the folder itself and the one above', async () => {
    let asked = 0
    const sftp = await peer((type, id) => {
      if (type === Type.OPENDIR) return [message(Type.HANDLE, id, Buffer.from('h'))]
      if (type === Type.CLOSE) return [message(Type.STATUS, id, 0, Buffer.from(''), Buffer.from(''))]
      asked += 1
      if (asked > 1) return [message(Type.STATUS, id, 1, Buffer.from('end'), Buffer.from(''))]
      const names = ['.', '..', 'caf\xe9\n'].flatMap((name) => [
        Buffer.from(name, 'latin1'),
        Buffer.from('long'),
        attributes(0o040755),
      ])
      return [message(Type.NAME, id, 3, ...names)]
    })
    const all = []
    for await (const batch of sftp.readdir(path)) all.push(...batch.map(({ name, kind }) => [name, kind]))
    expect(all).toEqual([['caf\xe9\n', 'folder']])
  })

  test('a file in order, also when it gives less than was asked for', async () => {
    const content = Buffer.from(Array.from({ length: 700_000 }, (_, n) => (n * 31) % 251))
    const sftp = await peer((type, id, body) => {
      if (type === Type.OPEN) return [message(Type.HANDLE, id, Buffer.from('h'))]
      if (type === Type.CLOSE) return [message(Type.STATUS, id, 0)]
      const at = Number(body.readBigUInt64BE(5))
      const length = Math.min(body.readUInt32BE(13), 50_000)
      if (at >= content.length) return [message(Type.STATUS, id, 1)]
      return [message(Type.DATA, id, content.subarray(at, at + length))]
    })
    const parts: Buffer[] = []
    for await (const part of sftp.read(path, 10, content.length)) parts.push(part)
    expect(Buffer.concat(parts).equals(content.subarray(10))).toBe(true)
  })

  test('a refusal as one of the file system, not of the machine', async () => {
    const sftp = await peer((_type, id) => [
      message(Type.STATUS, id, id === 1 ? 2 : 4, Buffer.from('Input\x1b error'), Buffer.from('')),
    ])
    await expect(sftp.lstat(path)).rejects.toMatchObject({ code: 'NotFound' })
    await expect(sftp.lstat(path)).rejects.toMatchObject({
      code: 'SourceReadFailed',
      message: 'the file system does not give it: Input? error',
    })
  })
})

describe('a machine that breaks the protocol', () => {
  test.each([
    ['answers what nobody asked', message(Type.STATUS, 999, 0)],
    ['announces a message without end', Buffer.from([0xff, 0xff, 0xff, 0xff])],
    ['announces an empty one', Buffer.from([0, 0, 0, 0])],
    ['sends a text that is longer than its message', message(Type.HANDLE, 1, 4_000_000_000)],
    ['names more files than there is room for', message(Type.NAME, 1, 4_000_000_000)],
    ['speaks in types that nobody knows', message(77, 1)],
  ])('is heard no longer when it %s', async (_what, reply) => {
    const sftp = await peer(() => [reply])
    await expect(sftp.lstat(path)).rejects.toMatchObject({ code: 'ProtocolMismatch' })
    await expect(sftp.lstat(path)).rejects.toMatchObject({ code: 'ProtocolMismatch' })
  })

  test('ends a call that gets no answer, and all others', async () => {
    const sftp = await peer(() => [], 20)
    await expect(sftp.lstat(path)).rejects.toMatchObject({ code: 'HypervisorTimeout' })
    await expect(sftp.readlink(path)).rejects.toMatchObject({ code: 'HypervisorTimeout' })
  })

  test('never gets more than a refusal, whatever bytes it sends', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 200 }), async (bytes) => {
        const sftp = await peer(() => [Buffer.from(bytes), Buffer.from(bytes)], 30)
        await expect(sftp.lstat(path)).rejects.toMatchObject({ name: 'HoldfastError' })
      }),
      { numRuns: 60 },
    )
  })
})
