/**
 * Peak RSS of each who works on a repository, in a process of its own: two disks are written (and a third point, of which most
 * is garbage later), one is read as a whole, the garbage is collected, and everything is mirrored under other keys. Node is
 * started as for a mover.
 *
 *   node bench/memory.ts [GiB=4] [directory]
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { GiB, MiB } from '../base/index.ts'
import { createRepository, mirrorRepository, openRepository, type Repository } from '../repository/index.ts'
import { backUpDisk } from './disk.ts'

const [, , gib = '4', place = tmpdir(), role] = process.argv
const size = Number(gib) * GiB
const { signal } = new AbortController()
const passphrase = 'bench'
const onProgress = () => undefined

const open = (folder: string, name: string): Promise<Repository> =>
  openRepository({
    location: { kind: 'posix', path: join(folder, name) },
    secret: { kind: 'passphrase', passphrase },
    cacheDir: join(folder, `cache-${role}`),
  })

async function newest(repository: Repository): Promise<string> {
  let stem = ''
  let ms = -1
  for await (const point of repository.listPoints()) if (point.createdMs > ms) ({ stem, createdMs: ms } = point)
  return stem
}

const roles: { readonly [role: string]: (folder: string) => Promise<string> } = {
  async init(folder) {
    for (const name of ['main', 'mirror']) {
      const location = { kind: 'posix', path: join(folder, name) } as const
      await createRepository({ location, passphrase, argon2: { m: 19_456, t: 2, p: 1 } })
    }
    return 'both repositories, probed'
  },
  async writer(folder) {
    await using repository = await open(folder, 'main')
    const first = await backUpDisk(repository, { size, name: 'full', parentStem: null, mode: 'full' })
    await backUpDisk(repository, { size, name: 'next', parentStem: first.stem, mode: 'incremental' })
    return `${Math.round(first.result.readBytes / MiB)} MiB read, ${Math.round(first.result.newBytes / MiB)} MiB stored`
  },
  async reader(folder) {
    await using repository = await open(folder, 'main')
    await using point = await repository.openPoint(await newest(repository))
    const hash = createHash('sha256')
    let bytes = 0
    for await (const { data } of point.disk('disk').stream(0, size, signal)) {
      bytes += data.length
      hash.update(data)
    }
    return `${Math.round(bytes / MiB)} MiB of data, ${hash.digest('hex').slice(0, 8)}`
  },
  async mirror(folder) {
    await using from = await open(folder, 'main')
    await using to = await open(folder, 'mirror')
    const points: string[] = []
    for await (const { stem } of from.listPoints()) points.push(stem)
    await mirrorRepository(from, to, { points, signal, onProgress })
    return `${points.length} points under other keys`
  },
  async collector(folder) {
    await using repository = await open(folder, 'main')
    const remove: { stem: string }[] = []
    const last = await newest(repository)
    for await (const { stem } of repository.listPoints()) if (stem !== last) remove.push({ stem })
    await repository.prune({ remove, reason: 'operator', actor: 'bench', maxShare: 1, signal })
    const { listed, deleted, copied } = await repository.collect({ waits: 'none', compactBelow: 1, signal, onProgress })
    return `${listed.packs} packs looked at, ${deleted.packs} deleted, ${copied.packs} copied out`
  },
}

if (role === undefined) {
  // Not in the processes that are measured: all of the server would be loaded there.
  const { nodeFlags } = await import('../server/index.ts')
  const folder = await mkdtemp(join(place, 'holdfast-memory-'))
  try {
    for (const one of Object.keys(roles)) {
      execFileSync(process.execPath, [...nodeFlags('worker'), fileURLToPath(import.meta.url), gib, folder, one], {
        stdio: 'inherit',
      })
    }
  } finally {
    await rm(folder, { recursive: true })
  }
} else {
  const began = performance.now()
  const detail = await roles[role]?.(place)
  const seconds = ((performance.now() - began) / 1000).toFixed(1)
  const rss = Math.round(process.resourceUsage().maxRSS / 1024)
  console.log(`${role.padEnd(10)} peak RSS ${String(rss).padStart(4)} MiB  ${seconds.padStart(6)} s  ${detail}`)
}
