/**
 * Backs up an image-like disk, runs it again unchanged (in full: everything is found; incrementally: nothing changed) and
 * restores it, all in one process. Prints MiB/s of disk, the peak RSS of the process, and for what is in use how far that is from
 * the pipeline's ceiling: every core doing only the prescribed primitives, as fast as one thread alone did them in this run; and
 * how much of that ceiling the cores reach when they do them all at once.
 *
 *   node bench/repository.ts [GiB=2] [directory]
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { GiB, MiB } from '../base/index.ts'
import { openRepository, type Repository } from '../repository/index.ts'
import { backUpDisk, contentAt, usedMib } from './disk.ts'
import { primitiveCost } from './primitives.ts'
import { shareTogether } from './together.ts'

const size = Number(process.argv[2] ?? 2) * GiB
const folder = await mkdtemp(join(process.argv[3] ?? tmpdir(), 'holdfast-bench-'))
const { signal } = new AbortController()
const cores = availableParallelism()
const sample = (): ReturnType<typeof primitiveCost> =>
  primitiveCost(Array.from({ length: 192 }, (_, nth) => contentAt(usedMib(nth) * MiB)))

const steps: { readonly name: string; readonly made: 'write' | 'find' | 'read'; readonly speed: number }[] = []
// The first is of code that is not compiled yet.
sample()
const before = sample()

async function backUp(repository: Repository, name: string, parentStem: string | null, mode: 'full' | 'incremental') {
  const began = performance.now()
  const { stem, result } = await backUpDisk(repository, { size, name, parentStem, mode })
  print(
    name,
    began,
    mode === 'incremental' ? null : parentStem === null ? 'write' : 'find',
    `read ${Math.round(result.readBytes / MiB)} MiB, stored ${Math.round(result.newBytes / MiB)} MiB`,
  )
  return stem
}

function print(name: string, began: number, made: 'write' | 'find' | 'read' | null, detail: string): void {
  const seconds = (performance.now() - began) / 1000
  if (made !== null) steps.push({ name, made, speed: (size * 0.75) / MiB / seconds })
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
  print('restore', began, 'read', `${Math.round(bytes / MiB)} MiB of data`)
  const after = sample()
  const together = await shareTogether(cores)
  console.log(
    `${cores} cores at once do ${(100 * together).toFixed(0)} % of ${cores} times what one does alone: no more can be reached`,
  )
  for (const { name, made, speed } of steps) {
    const ceiling = (cores * 1000) / Math.min(before[made], after[made])
    const share = (of: number): string => ((100 * speed) / of).toFixed(0)
    console.log(
      `${name.padEnd(22)} ${speed.toFixed(0).padStart(6)} MiB/s of what is in use: ${share(ceiling)} % of the ceiling, ${ceiling.toFixed(0)} MiB/s on ${cores} cores; ${share(ceiling * together)} % of what they reach`,
    )
  }
} finally {
  await rm(folder, { recursive: true })
}
