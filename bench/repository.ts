/**
 * Backs up an image-like disk, runs it again unchanged (in full: everything is found; incrementally: nothing changed) and
 * restores it, all in one process. Prints MiB/s of disk and the peak RSS of the process.
 *
 *   node bench/repository.ts [GiB=2] [directory]
 */
import { execFileSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { GiB, MiB } from '../base/index.ts'
import { openRepository, type DiskSource, type Repository, type SourceExtent } from '../repository/index.ts'

const size = Number(process.argv[2] ?? 2) * GiB
const folder = await mkdtemp(join(process.argv[3] ?? tmpdir(), 'holdfast-bench-'))
const { signal } = new AbortController()
const uuid = () => randomBytes(16).toString('hex')

/** A quarter holes, a quarter incompressible, the rest text-like; every chunk differs. */
const noise = randomBytes(4 * MiB)
const words = Buffer.from(Array.from({ length: 64 }, () => randomBytes(3).toString('hex')).join(' '))
const text = Buffer.alloc(4 * MiB)
for (let at = 0, i = 0; at < text.length; i++) {
  const from = (i * 7919) % (words.length - 40)
  at += words.copy(text, at, from, from + 8 + (i % 32))
}
const isHole = (mib: number) => mib % 16 < 4

function source(changed: boolean): DiskSource {
  return {
    size,
    readable: 'all',
    maxInFlight: 8,
    async *extents(start: number, end: number): AsyncGenerator<SourceExtent> {
      for (let at = start; changed && at < end; at += MiB) {
        yield { offset: at, length: Math.min(MiB, end - at), kind: isHole(at / MiB) ? 'zero' : 'data' }
      }
    },
    async read(at: number, into: Uint8Array): Promise<void> {
      const from = (at * 13) % (3 * MiB)
      into.set((Math.floor(at / MiB) % 16 < 8 ? noise : text).subarray(from, from + into.length))
      Buffer.from(into.buffer, into.byteOffset, into.length).write(`chunk ${at}`)
    },
  }
}

async function backUp(repository: Repository, name: string, parentStem: string | null, mode: 'full' | 'incremental') {
  const began = performance.now()
  const session = uuid()
  const series = repository.series({ platform: 'image', scope: 'bench', vm: 'disk' })
  const nPages = Math.ceil(size / GiB)
  const parts = [{ part: 1, disk: 'disk', firstPage: 0, nPages }]
  const owner = uuid()
  await repository.openSession(
    { session, snap: uuid(), series, createdMs: Date.now(), parentStem, owner, parts, point: null },
    signal,
  )
  const result = await repository.copyPart({
    session,
    part: 1,
    attempt: 1,
    diskBytes: size,
    source: source(mode === 'full'),
    mode,
    signal,
    onProgress: () => undefined,
  })
  const { stem } = await repository.commit({
    session,
    attempt: 1,
    results: [{ part: 1, attempt: 1 }],
    vm: { id: 'disk', name: 'disk', platform: 'image', scope: 'bench', tags: [] },
    point: { origin: 'manual', startedMs: Date.now(), run: name },
    consistency: { level: 'crash', detail: '' },
    hypervisor: { platform: 'image', version: '', host: '' },
    disks: [{ id: 'disk', label: '', bytes: size, sectorSize: 512, changeRef: null, mode, why: '' }],
    configs: [],
    retention: { class: '', policy: '' },
    signal,
    onProgress: () => undefined,
  })
  await repository.endSession(session, 'committed')
  print(name, began, `read ${Math.round(result.readBytes / MiB)} MiB, stored ${Math.round(result.newBytes / MiB)} MiB`)
  return stem
}

function print(name: string, began: number, detail: string): void {
  const seconds = (performance.now() - began) / 1000
  const rss = Math.round(process.resourceUsage().maxRSS / 1024)
  console.log(
    `${name.padEnd(22)} ${(size / MiB / seconds).toFixed(0).padStart(6)} MiB/s  peak RSS ${rss} MiB  ${detail}`,
  )
}

try {
  const location = { kind: 'posix', path: join(folder, 'repository') } as const
  // In a process of its own: the probe's large objects are not part of a mover's memory.
  const program = `import('${import.meta.resolve('../repository/index.ts')}').then((room) => room.createRepository(${JSON.stringify({ location, passphrase: 'bench', argon2: { m: 19_456, t: 2, p: 1 } })}))`
  execFileSync(process.execPath, ['--input-type=module', '-e', program], { stdio: 'inherit' })
  await using repository = await openRepository({
    location,
    secret: { kind: 'passphrase', passphrase: 'bench' },
    cacheDir: join(folder, 'cache'),
  })
  const first = await backUp(repository, 'first, full', null, 'full')
  await backUp(repository, 'again, full', first, 'full')
  const last = await backUp(repository, 'again, incremental', first, 'incremental')

  const began = performance.now()
  await using point = await repository.openPoint(last)
  const hash = createHash('sha256')
  let bytes = 0
  for await (const { data } of point.disk('disk').stream(0, size, signal)) {
    bytes += data.length
    if (bytes < 64 * MiB) hash.update(data)
  }
  print('restore', began, `${Math.round(bytes / MiB)} MiB of data`)
} finally {
  await rm(folder, { recursive: true })
}
