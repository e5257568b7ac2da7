import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { HoldfastError, KiB, MiB } from '../../base/index.ts'
import { ALLOCATION_CONTEXT, connectNbd, walkContext, type NbdClient } from '../../nbd/index.ts'
import type { Repository } from '../../repository/index.ts'
import { sampleRepository } from '../testing/samples.ts'
import type { ServedRecord } from './records.ts'
import { Serving } from './serving.ts'

const size = 12 * MiB + 512
/** The fourth to sixth MiB are a hole. */
const hole = { start: 3 * MiB, end: 6 * MiB }
const content = Buffer.alloc(size)
for (let at = 0; at < size; at += KiB) content.fill((at / KiB) % 251 || 1, at, Math.min(size, at + KiB))
content.fill(0, hole.start, hole.end)

const record: ServedRecord = {
  v: 1,
  operation: 'a'.repeat(32),
  repository: sampleRepository,
  stem: 'snap/1',
  disks: [{ key: 'virtio0', size }],
}

/** A repository with one disk, which notes what is read of it and fails when it is told to. */
class OneDisk {
  readonly reads: number[] = []
  opened = 0
  fails: () => HoldfastError | null = () => null
  hangs: Promise<void> | null = null

  readonly repository = {
    openPoint: async () => {
      this.#check()
      this.opened += 1
      return {
        disk: () => ({
          read: async (at: number, into: Uint8Array) => {
            await this.hangs
            this.#check()
            this.reads.push(at / MiB)
            into.set(content.subarray(at, at + into.length))
          },
          runs: async function* (start: number, end: number) {
            for (let at = start; at < end; at += MiB) {
              const length = Math.min(MiB, end - at)
              yield { offset: at, length, kind: at >= hole.start && at < hole.end ? 'hole' : 'data' }
            }
          },
        }),
        [Symbol.asyncDispose]: async () => undefined,
      }
    },
  } as unknown as Repository

  #check(): void {
    const error = this.fails()
    if (error !== null) throw error
  }
}

let dir: string
let disk: OneDisk
const open: AsyncDisposable[] = []
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'hf-served-'))
  disk = new OneDisk()
})
afterEach(async () => {
  for (const one of open.splice(0).toReversed()) await one[Symbol.asyncDispose]()
  await rm(dir, { recursive: true, force: true })
})

function process(cacheBytes = 64 * MiB): Serving {
  const nothing = (): void => undefined
  const serving = new Serving({
    dir,
    cacheBytes,
    repository: (_ref, work) => work(disk.repository),
    log: { info: nothing, warn: nothing, error: nothing },
  })
  open.push(serving)
  return serving
}
async function guest(serving: Serving, operation = record.operation): Promise<NbdClient> {
  const client = await connectNbd({
    address: { kind: 'unix', path: serving.socket(operation) },
    exportName: 'virtio0',
    contexts: [ALLOCATION_CONTEXT],
  })
  open.push({ [Symbol.asyncDispose]: () => client.close() })
  return client
}
async function reads(client: NbdClient, at: number, length: number): Promise<void> {
  const into = Buffer.alloc(length, 0xee)
  await client.read(at as Parameters<NbdClient['read']>[0], into)
  expect(into.equals(content.subarray(at, at + length))).toBe(true)
}

it('serves the disk as it is, its holes as holes, and what nobody writes to', async () => {
  const serving = process()
  await serving.serve(record)
  const client = await guest(serving)
  expect(client.size).toBe(size)
  await reads(client, 0, size)
  expect(disk.reads).not.toContain(3)
  const zeros: number[] = []
  const whole = { start: 0, end: size } as Parameters<typeof walkContext>[2]
  for await (const { offset, length, flags } of walkContext(client, ALLOCATION_CONTEXT, whole))
    if (flags === 3) zeros.push(offset, length)
  expect(zeros).toEqual([hole.start, hole.end - hole.start])
  await expect(client.write(0 as never, Buffer.alloc(512))).rejects.toThrow()
})

it('fetches a block once, keeps no more than its bound, and reads ahead of who reads in order', async () => {
  const serving = process(2 * MiB)
  await serving.serve(record)
  const client = await guest(serving)
  await Promise.all([reads(client, 0, 4096), reads(client, 8192, 4096), reads(client, 512, 512)])
  expect(disk.reads.filter((number) => number === 0)).toEqual([0])
  await reads(client, 8 * MiB, 512)
  await reads(client, 10 * MiB, 512)
  await reads(client, 0, 512)
  // Two blocks fit: the first one had to go.
  expect(disk.reads.filter((number) => number === 0)).toEqual([0, 0])
  expect(serving.figures(record.operation)?.readBytes).toBe(3 * 512 + 4096 * 2 + 512)

  disk.reads.length = 0
  await reads(client, 6 * MiB, 4096)
  await reads(client, 6 * MiB + 4096, 4096)
  await expect.poll(() => disk.reads).toContain(7)
})

it('what a boot has read is noted, and read ahead for the next one before its guest asks', async () => {
  const serving = process()
  await serving.serve(record)
  const client = await guest(serving)
  await reads(client, 9 * MiB, 4096)
  await reads(client, MiB, 512)
  await reads(client, 9 * MiB, 512)
  const boot = serving.reads(record.operation)
  expect(boot).toEqual({
    bytes: 2 * MiB,
    disks: [
      {
        key: 'virtio0',
        runs: [
          [9, 1],
          [1, 1],
        ],
      },
    ],
  })
  expect(serving.reads('b'.repeat(32))).toBeNull()

  disk.reads.length = 0
  const next = { ...record, operation: 'b'.repeat(32), stem: 'snap/2' }
  // The fourth MiB is a hole by now.
  const list = {
    bytes: 3 * MiB,
    disks: [
      {
        key: 'virtio0',
        runs: [
          [9, 1],
          [1, 1],
          [3, 1],
        ] as const,
      },
    ],
  }
  await serving.serve(next, list)
  await expect.poll(() => disk.reads).toEqual([9, 1])
  await reads(await guest(serving, next.operation), 9 * MiB, 4096)
  await serving.serve(next, list)
  expect(disk.reads).toEqual([9, 1])
})

it('a store that fails or hangs is waited for; the guest sees no error', async () => {
  const serving = process()
  await serving.serve(record)
  const client = await guest(serving)
  let failures = 2
  disk.fails = () => (failures-- > 0 ? new HoldfastError('StoreUnavailable', 'the store is away') : null)
  await reads(client, 0, 4096)
  expect(failures).toBe(-2)
  disk.fails = () => null
  const stall = Promise.withResolvers<void>()
  disk.hangs = stall.promise
  const read = reads(client, 8 * MiB, 4096)
  stall.resolve()
  await read
})

it('what is proved damaged is an error, for that range alone', async () => {
  const serving = process()
  await serving.serve(record)
  const client = await guest(serving)
  await reads(client, 0, 512)
  disk.fails = () => new HoldfastError('ChunkLost', 'chunk 8 is damaged')
  await expect(reads(client, 8 * MiB, 512)).rejects.toThrow()
  await reads(client, 0, 512)
})

it('a worker that starts again serves what its predecessor served, at the same socket', async () => {
  const first = process()
  await first.serve(record)
  await reads(await guest(first), 0, 512)
  await first[Symbol.asyncDispose]()
  const second = process()
  await second.start()
  expect(second.socket(record.operation)).toBe(first.socket(record.operation))
  await reads(await guest(second), 7 * MiB, 4096)
})

it('a second worker of this machine leaves it to the first, and takes over when that one is gone', async () => {
  const first = process()
  await first.serve(record)
  const second = process()
  await second.serve(record)
  expect(second.figures(record.operation)).toBeNull()
  await first[Symbol.asyncDispose]()
  await expect.poll(() => second.figures(record.operation), { timeout: 5_000 }).not.toBeNull()
  await reads(await guest(second), 0, 4096)
})

it('what is ended is served no more and leaves nothing, however often it is ended', async () => {
  const serving = process()
  await serving.serve(record)
  await reads(await guest(serving), 0, 512)
  await serving.end(record.operation)
  await serving.end(record.operation)
  expect(await readdir(dir)).toEqual([])
  await expect(guest(serving)).rejects.toThrow()
})

it('a socket file that somebody removed is made again', async () => {
  const serving = process()
  await serving.serve(record)
  await rm(serving.socket(record.operation))
  await expect
    .poll(
      () =>
        stat(serving.socket(record.operation)).then(
          () => true,
          () => false,
        ),
      { timeout: 5_000 },
    )
    .toBe(true)
  await reads(await guest(serving), 0, 512)
})

it('a worker that ends leaves reads unanswered rather than failed', async () => {
  const first = process()
  await first.serve(record)
  const client = await guest(first)
  const stall = Promise.withResolvers<void>()
  disk.hangs = stall.promise
  // QEMU asks again of whoever listens there next; an error it would pass on.
  const answer = expect(reads(client, 8 * MiB, 4096)).rejects.toMatchObject({ code: 'NetworkFailure' })
  await expect.poll(() => first.figures(record.operation)?.readBytes).toBe(4096)
  disk.fails = () => new HoldfastError('StoreUnavailable', 'the read was given up')
  const ended = first[Symbol.asyncDispose]()
  stall.resolve()
  await ended
  await answer
})

it('who joined the fetch of a point that is served no more fetches it again', async () => {
  const other = { ...record, operation: 'b'.repeat(32) }
  const serving = process()
  await serving.serve(record)
  await serving.serve(other)
  const [mine, theirs] = [await guest(serving), await guest(serving, other.operation)]
  const stall = Promise.withResolvers<void>()
  disk.hangs = stall.promise
  const first = mine.read(0 as Parameters<NbdClient['read']>[0], Buffer.alloc(512)).catch(() => 'cut')
  await expect.poll(() => serving.figures(record.operation)?.readBytes).toBe(512)
  const second = reads(theirs, 0, 512)
  await expect.poll(() => serving.figures(other.operation)?.readBytes).toBe(512)
  disk.fails = () => (disk.hangs === null ? null : new HoldfastError('StoreUnavailable', 'the store is away'))
  const ended = serving.end(record.operation)
  stall.resolve()
  await ended
  disk.hangs = null
  await second
  expect(await first).toBe('cut')
})
