/**
 * What of an S3 store's speed reaches the repository: packs of 32 MiB, four at a time, by the SDK alone (a plain parallel client:
 * nothing is hashed, nothing looked at) and by the repository's store (each hashed beforehand, its checksum sent along, never
 * over one that is there; what is read lies in one piece, and is given back, as whoever reads packs does). Then a whole backup and a whole restore, which have hashing, compressing and
 * sealing on top. The store has the same cores. Medians of three rounds, one way after the other in each.
 *
 *   node bench/s3-speed.ts [server=minio|seaweedfs|versitygw] [MiB=1024] [ms=0]      ms: each request so much later
 */
import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { MiB, secretText } from '../base/index.ts'
import { S3Lab, type S3Server } from '../lab/stores/index.ts'
import { createRepository, openRepository, parseLocation } from '../repository/index.ts'
import { free } from '../repository/format/index.ts'
import { connectTo, inParallel } from '../repository/store/index.ts'
import { backUpDisk } from './disk.ts'
import { delayed } from './restores/stores.ts'

const server = (process.argv[2] ?? 'minio') as S3Server
const total = Number(process.argv[3] ?? 1024) * MiB
const latencyMs = Number(process.argv[4] ?? 0)
const PACK = 32 * MiB
const AT_ONCE = 4
const ROUNDS = 3
const { signal } = new AbortController()
const home = mkdtempSync(join(tmpdir(), 'hf-'))
try {
  using undo = new DisposableStack()
  await using lab = await S3Lab.start(server)
  const bodies = Array.from({ length: AT_ONCE }, () => randomBytes(PACK))
  const sums = bodies.map((body) => createHash('sha256').update(body).digest())
  const count = total / PACK
  const figures = new Map<string, number[]>()
  const timed = async (what: string, bytes: number, work: () => Promise<number | void>): Promise<void> => {
    const cpu = process.cpuUsage()
    const began = performance.now()
    const moved = (await work()) ?? bytes
    const seconds = (performance.now() - began) / 1000
    const { user, system } = process.cpuUsage(cpu)
    const speed = moved / MiB / seconds
    figures.set(what, [...(figures.get(what) ?? []), speed])
    console.log(
      `  ${what.padEnd(28)} ${speed.toFixed(0).padStart(5)} MiB/s, ${((user + system) / 1e3 / (moved / MiB)).toFixed(2)} ms CPU a MiB`,
    )
  }
  for (let round = 1; round <= ROUNDS; round += 1) {
    const { bucket, url } = await lab.bucket()
    const near = latencyMs > 0 ? await delayed(url, latencyMs, undo) : url
    const endpoint = new URL(near).searchParams.get('endpoint') ?? ''
    const { credentials } = lab.client.config
    const plain = new S3Client({
      ...{ endpoint, credentials, region: 'us-east-1', forcePathStyle: true },
      ...{ requestChecksumCalculation: 'WHEN_REQUIRED', responseChecksumValidation: 'WHEN_REQUIRED' },
    })
    const store = connectTo(parseLocation(near))()
    const each = (work: (n: number, body: Buffer, sum: Buffer) => Promise<void>) => () =>
      inParallel(Array.from({ length: count }, (_, n) => n).values(), AT_ONCE, async (n) => {
        const [body, sum] = [bodies[n % AT_ONCE], sums[n % AT_ONCE]]
        if (body !== undefined && sum !== undefined) await work(n, body, sum)
      })
    const ways: (() => Promise<void>)[] = [
      async () => {
        const put = each(async (n, Body) => {
          await plain.send(new PutObjectCommand({ Bucket: bucket, Key: `plain/${n}`, Body }))
        })
        await timed('written by the SDK alone', total, put)
        const get = each(async (n) => {
          const { Body } = await plain.send(new GetObjectCommand({ Bucket: bucket, Key: `plain/${n}` }))
          for await (const _ of Body as AsyncIterable<Uint8Array>);
        })
        await timed('read by the SDK alone', total, get)
      },
      async () => {
        const put = each(async (n, body, sha256) => {
          await store.putIfAbsent(`pack/00/${n}`, body, { sha256, defer: true, signal })
        })
        await timed('packs written', total, put)
        await timed(
          'packs read',
          total,
          each(async (n) => free(await store.getRange(`pack/00/${n}`, 0, PACK, signal))),
        )
      },
    ]
    if (round % 2 === 0) ways.reverse()
    console.log(`round ${round}`)
    for (const way of ways) await way()
    plain.destroy()

    const own = await lab.bucket()
    const passphrase = 'bench'
    await createRepository({ location: parseLocation(own.url), passphrase, argon2: { m: 19_456, t: 2, p: 1 } })
    const location = parseLocation(latencyMs > 0 ? await delayed(own.url, latencyMs, undo) : own.url)
    const secret = { kind: 'passphrase', passphrase: secretText(passphrase) } as const
    await using repository = await openRepository({ location, secret, cacheDir: join(home, `cache-${round}`) })
    let stem = ''
    const used = (total * 3) / 4
    await timed('backed up, of what is used', used, async () => {
      const made = await backUpDisk(repository, { size: total, name: 'disk', parentStem: null, mode: 'full' })
      stem = made.stem
    })
    await timed('restored, of what is used', used, async () => {
      await using point = await repository.openPoint(stem)
      for await (const _ of point.disk('disk').stream(0, total, signal));
    })
  }
  console.log(`${server}, ${latencyMs} ms, medians of ${ROUNDS}:`)
  const median = (what: string) => figures.get(what)?.toSorted((a, b) => a - b)[ROUNDS >> 1] ?? NaN
  for (const [what, ceiling] of [
    ['packs written', 'written by the SDK alone'],
    ['packs read', 'read by the SDK alone'],
  ] as const)
    console.log(
      `  ${what}: ${median(what).toFixed(0)} MiB/s, ${Math.round((100 * median(what)) / median(ceiling))} % of ${median(ceiling).toFixed(0)}`,
    )
  for (const what of ['backed up, of what is used', 'restored, of what is used'])
    console.log(`  ${what}: ${median(what).toFixed(0)} MiB/s`)
} finally {
  rmSync(home, { recursive: true, force: true })
}
