/**
 * A guard against a pipeline that gets slower: what a backup, one that finds everything, a restore and the deepest look at
 * the point cost all threads together, as a multiple of what the prescribed primitives cost one thread on the same contents in the same process. CPU
 * time in both, so that it says the same on a slow machine and beside other work; never an absolute time.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { MiB } from '../../base/index.ts'
import { backUpDisk, contentAt, usedMib } from '../../bench/disk.ts'
import { primitiveCost, type Cost } from '../../bench/primitives.ts'
import { createRepository, openRepository, type Repository } from '../../repository/index.ts'

const size = 192 * MiB
/** Holes cost nothing. */
const used = (size / MiB) * 0.75
const { signal } = new AbortController()
let folder: string
let repository: Repository
let primitives: Cost

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hf-cost-'))
  const location = { kind: 'posix', path: join(folder, 'repository') } as const
  await createRepository({ location, passphrase: 'cost', argon2: { m: 19_456, t: 2, p: 1 } })
  const secret = { kind: 'passphrase', passphrase: 'cost' } as const
  repository = await openRepository({ location, secret, cacheDir: join(folder, 'cache') })
  // Warm: code that runs for the first time is compiled meanwhile.
  await backUpDisk(repository, { size: 64 * MiB, name: 'warm', parentStem: null, mode: 'full', salt: 'warm' })
  primitives = primitiveCost(Array.from({ length: 96 }, (_, at) => contentAt(usedMib(at) * MiB)))
})
afterAll(async () => {
  await repository?.[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

/** CPU milliseconds for each MiB in use. */
async function costOf(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000 / used
}

interface Ratios {
  readonly full: number
  readonly again: number
  readonly restore: number
  readonly verify: number
}

async function measure(salt: string): Promise<Ratios> {
  const disk = { size, parentStem: null, mode: 'full', salt } as const
  let stem = ''
  const full = await costOf(async () => {
    ;({ stem } = await backUpDisk(repository, { ...disk, name: 'full' }))
  })
  const again = await costOf(() => backUpDisk(repository, { ...disk, name: 'again', parentStem: stem }))
  await using point = await repository.openPoint(stem)
  const restore = await costOf(async () => {
    for await (const _ of point.disk('disk').stream(0, size, signal)) continue
  })
  const { read } = primitives
  let verified = 0
  const verify = await costOf(async () => {
    const report = await repository.verify({ level: 'full', stems: [stem], signal, onProgress: () => undefined })
    expect(report.damages).toEqual([])
    verified = report.chunks
  })
  expect(verified).toBeGreaterThan(0)
  return {
    verify: verify / read,
    full: full / primitives.write,
    again: again / primitives.find,
    restore: restore / primitives.read,
  }
}

test('a backup, one that finds everything, a restore and a verify cost little more than the primitives they are made of', async () => {
  const rounds: Ratios[] = []
  for (const salt of ['a', 'b', 'c']) rounds.push(await measure(salt))
  // The least: what else goes on in the machine only ever adds.
  const least = (step: keyof Ratios): number => Math.min(...rounds.map((round) => round[step]))
  const found = { full: least('full'), again: least('again'), restore: least('restore'), verify: least('verify') }
  console.info(
    Object.entries(found)
      .map(([step, ratio]) => `${step} ${ratio.toFixed(2)} ×`)
      .join(', '),
  )
  // A quarter above what was measured: 1.3, 2.3, 1.3 and, as it opens every chunk twice and hashes it once more, 3.3.
  expect(found.full).toBeLessThan(1.65)
  expect(found.again).toBeLessThan(2.9)
  expect(found.restore).toBeLessThan(1.65)
  expect(found.verify).toBeLessThan(4.2)
})
