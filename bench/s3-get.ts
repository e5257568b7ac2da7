/**
 * Reads packs of 32 MiB from an S3 store on this machine, four at a time, as a verify or a mirror does, and says how long the
 * event loop of the process stood still, and for what: collections of garbage are counted apart.
 *
 *   node bench/s3-get.ts [server=seaweedfs|versitygw|minio] [GiB=2]
 */
import { createHash, randomBytes } from 'node:crypto'
import { monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks'
import { GiB, MiB } from '../base/index.ts'
import { S3Lab, type S3Server } from '../lab/stores/index.ts'
import { connectTo, inParallel, parseLocation } from '../repository/store/index.ts'

const server = (process.argv[2] ?? 'seaweedfs') as S3Server
const total = Number(process.argv[3] ?? 2) * GiB
const PACK = 32 * MiB
const { signal } = new AbortController()

await using lab = await S3Lab.start(server)
const { url } = await lab.bucket()
const store = connectTo(parseLocation(url))()
const names = Array.from({ length: 8 }, (_, index) => `pack/00/${index}`)
for (const name of names) {
  const body = randomBytes(PACK)
  await store.putIfAbsent(name, body, { sha256: createHash('sha256').update(body).digest(), signal })
}

const pauses: number[] = []
const observer = new PerformanceObserver((list) => {
  for (const { duration } of list.getEntries()) pauses.push(duration)
})
observer.observe({ entryTypes: ['gc'] })
const delay = monitorEventLoopDelay({ resolution: 5 })
delay.enable()
const began = performance.now()
const cpu = process.cpuUsage()
let rss = 0
await inParallel(
  Array.from({ length: total / PACK }, (_, index) => index),
  4,
  async (index) => {
    await store.getRange(names[index % names.length] ?? '', 0, PACK, signal)
    rss = Math.max(rss, process.memoryUsage.rss())
  },
)
const ms = performance.now() - began
delay.disable()
observer.disconnect()
const { user, system } = process.cpuUsage(cpu)
const at = (percentile: number) => `${(delay.percentile(percentile) / 1e6).toFixed(0)} ms`
pauses.sort((a, b) => b - a)
console.log(
  `${server}: ${(total / MiB / (ms / 1000)).toFixed(0)} MiB/s, CPU ${((user + system) / 1e3 / (total / GiB)).toFixed(0)} ms/GiB`,
)
console.log(`event loop: p50 ${at(50)}, p90 ${at(90)}, p99 ${at(99)}, longest ${(delay.max / 1e6).toFixed(0)} ms`)
console.log(
  `garbage collections: ${pauses.length}, ${pauses.reduce((sum, one) => sum + one, 0).toFixed(0)} ms of ${ms.toFixed(0)}; longest ${pauses
    .slice(0, 5)
    .map((one) => one.toFixed(0))
    .join(', ')} ms`,
)
console.log(`peak RSS ${(rss / MiB).toFixed(0)} MiB`)
