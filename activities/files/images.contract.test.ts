import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { createWriteStream, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import { MockActivityEnvironment } from '@temporalio/testing'
import { DefaultLogger } from '@temporalio/worker'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { MiB, secretText } from '../../base/index.ts'
import { importDisk } from '../../cli/repo/import.ts'
import { openImage } from '../../cli/repo/image.ts'
import { SessionClient, sessionSocket } from '../../files/index.ts'
import { imageFormats, qemuName } from '../../images/index.ts'
import { createRepository, openRepository } from '../../repository/index.ts'
import type { RepositoryRef } from '../../workflows/shared/contract.ts'
import { createSiteActivities } from '../index.ts'
import { testSite, type TestSite } from '../testing/site.ts'
import type { OpenFiles } from './types.ts'

/** A point that is open for its disks, over the socket of its machine; qemu-img is the judge of what comes out. */
const run = promisify(execFile)
const session = 'd'.repeat(32)
const { signal } = new AbortController()
let folder: string
let raw: string
let world: TestSite
let ended: Promise<unknown>
let client: SessionClient
const activity = new MockActivityEnvironment({ heartbeatTimeoutMs: 10_000 }, { logger: new DefaultLogger('ERROR') })

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-disks-'))
  raw = join(folder, 'disk.img')
  await using handle = await open(raw, 'wx')
  await handle.truncate(700 * MiB + 512)
  for (const at of [0, 5 * MiB + 4096, 300 * MiB]) await handle.write(randomBytes(9 * MiB), 0, 9 * MiB, at)
  const location = { kind: 'posix', path: join(folder, 'repository') } as const
  await createRepository({ location, passphrase: 'x', argon2: { m: 19_456, t: 2, p: 1 } })
  const ref: RepositoryRef = { id: 'main', name: 'main', site: 'test', location, credentialRef: 'file:/secret' }
  await using repository = await openRepository({
    location,
    secret: { kind: 'passphrase', passphrase: secretText('x') },
    cacheDir: join(folder, 'cache'),
  })
  await using image = await openImage(raw, signal)
  const { stem } = await importDisk(repository, image.source, {
    ...{ vm: 'web-01', disk: 'virtio0', name: null, compressionLevel: 1, nowMs: 1, signal },
    ...{ onProgress: () => undefined, warn: () => undefined },
  })
  world = testSite({ folder, secret: async () => 'x' })
  const steps = createSiteActivities(world.site)
  const wish: OpenFiles = { session, repository: ref, stem, disks: null, idleMs: 60_000, view: 'disks' }
  ended = activity.run(steps.openFiles, wish).catch((error: unknown) => error)
  const filesDir = join(folder, 'files')
  while (!existsSync(sessionSocket(filesDir, session))) await sleep(50)
  client = new SessionClient(filesDir)
}, 120_000)
afterAll(async () => {
  activity.cancel('TIMED_OUT')
  await ended
  await world?.[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})

it.each(imageFormats)(
  'a disk of a point is taken as %s, and holes stay holes',
  async (format) => {
    const file = join(folder, `out.${format}`)
    const { size, body } = await client.stream(session, { what: 'image', disk: 'virtio0', format }, signal)
    // Copies: the memory of a part is used again, and a pipeline asks for the next one before it is written.
    const copies = async function* (): AsyncGenerator<Buffer> {
      for await (const part of body) yield Buffer.from(part)
    }
    await pipeline(copies, createWriteStream(file))
    const { stdout } = await run('qemu-img', ['compare', '-f', qemuName(format), '-F', 'raw', file, raw])
    expect(stdout.trim()).toBe('Images are identical.')
    const made = (await stat(file)).size
    if (format !== 'vmdk') expect(made).toBe(size)
    if (format !== 'raw') expect(made).toBeLessThan(40 * MiB)
  },
  120_000,
)

it('what is not there is refused, and so are files', async () => {
  const wish = { what: 'image', disk: 'sdz', format: 'raw' } as const
  await expect(client.stream(session, wish, signal)).rejects.toMatchObject({ code: 'NotFound' })
  const place = { what: 'stat', volume: 'd0p1', path: '/' } as const
  await expect(client.ask(session, place, signal)).rejects.toMatchObject({ code: 'Unsupported' })
})

it('nothing is left once it is closed while somebody takes a disk', async () => {
  const { body } = await client.stream(session, { what: 'image', disk: 'virtio0', format: 'raw' }, signal)
  const parts = body[Symbol.asyncIterator]()
  await parts.next()
  activity.cancel('CANCELLED')
  await ended
  await expect(
    (async () => {
      for (;;) if ((await parts.next()).done === true) return
    })(),
  ).rejects.toThrow()
  expect(existsSync(sessionSocket(join(folder, 'files'), session))).toBe(false)
}, 60_000)
