/**
 * Beyond one image: the same disk backed up from its file and through NBD (qemu-nbd over a UNIX socket, on the same cores), with
 * what the main thread had of a core; restored into a file and through NBD, compared and still sparse; served as an instant restore
 * is, and read at random; eight disks at once against one that is as large as all of them; and an incremental whose changes are known. Medians of
 * three rounds, MiB/s of what is in use.
 *
 *   node bench/beyond.ts [GiB=2] [directory]
 */
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Serving } from '../activities/instant/serving.ts'
import { DiskFill } from '../activities/restore/fill.ts'
import { bytes, GiB, KiB, MiB, secretText, type RepositoryLocation } from '../base/index.ts'
import { exportDisk } from '../cli/repo/export.ts'
import { openImage } from '../cli/repo/image.ts'
import { importDisk } from '../cli/repo/import.ts'
import type { RangeWriter } from '../drivers/index.ts'
import { connectNbd } from '../nbd/index.ts'
import { createRepository, openRepository, type Repository } from '../repository/index.ts'
import { backUpDisk, contentAt, usedMib } from './disk.ts'

const size = Number(process.argv[2] ?? 2) * GiB
const root = mkdtempSync(join(process.argv[3] ?? tmpdir(), 'hf-'))
const used = (size / MiB / 16) * 12
const ROUNDS = 3
const { signal } = new AbortController()
const quiet = (): void => undefined
const secret = { kind: 'passphrase', passphrase: secretText('bench') } as const
const figures = new Map<string, number[]>()
let made = 0
const operation = 'b'.repeat(32)

async function timed<T>(what: string, mib: number, work: () => Promise<T>): Promise<T> {
  const [main, all] = [process.threadCpuUsage(), process.cpuUsage()]
  const began = performance.now()
  const result = await work()
  const ms = performance.now() - began
  const share = (of: NodeJS.CpuUsage): string => `${((of.user + of.system) / 10 / ms).toFixed(0)} %`
  const speed = mib / (ms / 1000)
  figures.set(what, [...(figures.get(what) ?? []), speed])
  const cpu = `main thread ${share(process.threadCpuUsage(main))} of a core, the process ${share(process.cpuUsage(all))}`
  console.log(`  ${what.padEnd(34)} ${speed.toFixed(0).padStart(5)} MiB/s, ${cpu}`)
  return result
}

/** A repository of its own, as nobody has written into. */
async function fresh<T>(work: (repository: Repository, location: RepositoryLocation) => Promise<T>): Promise<T> {
  const folder = join(root, `repository-${(made += 1)}`)
  const location = { kind: 'posix', path: folder } as const
  await createRepository({ location, passphrase: 'bench', argon2: { m: 19_456, t: 2, p: 1 } })
  try {
    await using repository = await openRepository({ location, secret, cacheDir: join(root, `cache-${made}`) })
    return await work(repository, location)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const raw = join(root, 'disk.raw')
async function makeImage(): Promise<void> {
  await using file = await open(raw, 'w')
  for (let nth = 0; nth < used; nth += 1) await file.write(contentAt(usedMib(nth) * MiB), 0, MiB, usedMib(nth) * MiB)
  await file.truncate(size)
  await file.sync()
}

async function backUpImage(repository: Repository, file: string): Promise<string> {
  await using image = await openImage(file, signal)
  const { stem } = await importDisk(repository, image.source, {
    ...{ vm: 'disk', disk: 'disk', name: null, compressionLevel: 1, nowMs: Date.now(), signal },
    ...{ onProgress: quiet, warn: quiet },
  })
  return stem
}

/** Into a raw file that qemu-nbd has open, as restores on the hypervisors' side go. */
async function restoreByNbd(repository: Repository, stem: string, file: string): Promise<void> {
  await using target = await open(file, 'w')
  await target.truncate(size)
  const path = `${file}.sock`
  const args = ['-t', '-f', 'raw', '--cache', 'none', '--discard', 'unmap', '-k', path, file]
  const server = spawn('qemu-nbd', args, { stdio: 'ignore' })
  try {
    while (!existsSync(path)) await sleep(10)
    await using client = await connectNbd({ address: { kind: 'unix', path }, exportName: '', maxInFlight: 8 })
    const writer: RangeWriter = {
      ...{ kind: 'nbd', size: bytes(size), alignment: bytes(1), maxInFlight: 8, order: 'random', startsZero: true },
      write: (at, data, until) => client.write(at, data, until ? { signal: until } : {}),
      zero: (range, until) => client.writeZeroes(range, until ? { signal: until } : {}),
      finish: () => client.flush(),
      [Symbol.asyncDispose]: async () => {},
    }
    await using point = await repository.openPoint(stem)
    const disk = point.disk('disk')
    await using fill = new DiskFill(writer, signal, { launched: quiet, written: quiet, durable: quiet })
    await fill.write(disk, { start: 0, size, every: 128 * MiB })
  } finally {
    server.kill('SIGTERM')
  }
}

async function readServed(serving: Serving, operation: string): Promise<void> {
  const path = serving.socket(operation)
  await using client = await connectNbd({ address: { kind: 'unix', path }, exportName: 'disk', maxInFlight: 8 })
  const memory = Array.from({ length: 8 }, () => new Uint8Array(MiB))
  let nth = 0
  const reader = async (into: Uint8Array): Promise<void> => {
    for (let mine = nth++; mine < used; mine = nth++) await client.read(bytes(usedMib(mine) * MiB), into)
  }
  await Promise.all(memory.map(reader))
}

/** Of 4 KiB, each in another chunk; then in the ones that were read last. */
async function randomReads(repository: Repository, stem: string): Promise<void> {
  await using point = await repository.openPoint(stem)
  const disk = point.disk('disk')
  const into = new Uint8Array(4 * KiB)
  const reads = async (places: readonly number[]): Promise<number> => {
    const took: number[] = []
    for (const at of places) {
      const began = performance.now()
      await disk.read(at, into)
      took.push(performance.now() - began)
    }
    return took.toSorted((a, b) => a - b)[took.length >> 1] ?? NaN
  }
  // 7 shares no factor with a power of two times three: each place comes once, and no two that follow are neighbours.
  const places = Array.from({ length: 400 }, (_, n) => usedMib((n * 7) % used) * MiB + ((n * 37) % 256) * 4 * KiB)
  const cold = await reads(places)
  const warm = await reads(Array.from({ length: 400 }, (_, n) => (places.at(-1 - (n % 4)) ?? 0) ^ (4 * KiB)))
  console.log(`  random 4 KiB: ${cold.toFixed(2)} ms cold, ${warm.toFixed(3)} ms warm (medians)`)
}

function compare(file: string, what: string): void {
  execFileSync('qemu-img', ['compare', '-f', 'raw', '-F', 'raw', raw, file], { stdio: 'ignore' })
  const took = (statSync(file).blocks * 512) / MiB
  if (took > used + 1) throw new Error(`${what}: ${took} MiB for ${used} in use: it is not sparse any more`)
}

try {
  await makeImage()
  const qcow2 = join(root, 'disk.qcow2')
  execFileSync('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', raw, qcow2])
  for (let round = 1; round <= ROUNDS; round += 1) {
    console.log(`round ${round}`)
    await fresh((repository) => timed('backed up through NBD', used, () => backUpImage(repository, qcow2)))
    await fresh(async (repository, location) => {
      const stem = await timed('backed up from its file', used, () => backUpImage(repository, raw))
      const [byFile, byNbd] = [join(root, 'restored.raw'), join(root, 'restored-nbd.raw')]
      await timed('restored into a file', used, async () => {
        await using point = await repository.openPoint(stem)
        await exportDisk(point.disk('disk'), { file: byFile, force: true }, signal, quiet)
      })
      compare(byFile, 'restored into a file')
      await timed('restored through NBD', used, () => restoreByNbd(repository, stem, byNbd))
      compare(byNbd, 'restored through NBD')
      await randomReads(repository, stem)
      const served = join(root, `served-${round}`)
      const log = { info: quiet, warn: console.warn, error: console.error }
      await using serving = new Serving({
        ...{ dir: served, cacheBytes: 256 * MiB, log },
        repository: (_, work) => work(repository),
      })
      const ref = { ...{ id: 'main', name: 'main', site: 'local', credentialRef: '' }, location }
      await serving.serve({ v: 1, operation, repository: ref, stem, disks: [{ key: 'disk', size }] })
      await timed('served, read once', used, () => readServed(serving, operation))
    })
    await fresh(async (repository) => {
      const first = { size, name: 'one', parentStem: null, mode: 'full' } as const
      let { stem } = await timed('one disk', used, () => backUpDisk(repository, first))
      for (const percent of [0, 1, 5, 25]) {
        const next = { size, name: 'next', parentStem: stem, mode: 'incremental', salt: `${percent}` } as const
        const changed = Math.round((used * percent) / 100)
        ;({ stem } = await timed(`its ${percent} % that changed`, used, () =>
          backUpDisk(repository, { ...next, changed }),
        ))
      }
    })
    await fresh((repository) =>
      timed('eight disks at once', used, () =>
        Promise.all(
          Array.from({ length: 8 }, (_, n) =>
            backUpDisk(repository, {
              ...{ size: size / 8, name: 'many', vm: `disk-${n}`, salt: `${n}` },
              parentStem: null,
              mode: 'full',
            }),
          ),
        ),
      ),
    )
  }
  const median = (what: string): number => figures.get(what)?.toSorted((a, b) => a - b)[ROUNDS >> 1] ?? NaN
  const share = (what: string, of: string): string => `${Math.round((100 * median(what)) / median(of))} % of ${of}`
  console.log('medians')
  for (const what of figures.keys()) console.log(`  ${what.padEnd(34)} ${median(what).toFixed(0).padStart(5)} MiB/s`)
  console.log(`through NBD: ${share('backed up through NBD', 'backed up from its file')}`)
  console.log(`eight disks at once: ${share('eight disks at once', 'one disk')}`)
} finally {
  rmSync(root, { recursive: true, force: true })
}
