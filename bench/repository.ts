/**
 * Backs up an image-like disk, runs it again unchanged (in full: everything is found; incrementally: nothing changed) and
 * restores it, all in one process. Prints MiB/s of disk and the peak RSS of the process.
 *
 *   node bench/repository.ts [GiB=2] [directory]
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { GiB, MiB } from '../base/index.ts'
import { openRepository, type Repository } from '../repository/index.ts'
import { backUpDisk } from './disk.ts'

const size = Number(process.argv[2] ?? 2) * GiB
const folder = await mkdtemp(join(process.argv[3] ?? tmpdir(), 'holdfast-bench-'))
const { signal } = new AbortController()

async function backUp(repository: Repository, name: string, parentStem: string | null, mode: 'full' | 'incremental') {
  const began = performance.now()
  const { stem, result } = await backUpDisk(repository, { size, name, parentStem, mode })
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
