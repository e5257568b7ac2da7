import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { MiB } from '../base/index.ts'
import { contentAt, usedMib } from './disk.ts'
import { primitiveCost } from './primitives.ts'

const nContents = 96
const rounds = 3

/** Wall milliseconds for each MiB that one thread takes for all primitives, while `threads` of them do it at once. */
async function wallCost(threads: number): Promise<number> {
  const workers = Array.from({ length: threads }, () => new Worker(import.meta.filename, { workerData: 'together' }))
  const said = await Promise.all(
    workers.map(
      (worker) => new Promise<number>((resolve, reject) => worker.on('message', resolve).on('error', reject)),
    ),
  )
  return Math.max(...said)
}

/**
 * What the cores of this machine do at once, as a share of so many times what one of them does alone: cores share power,
 * caches and, on many hosts, are halves of one. No pipeline gets more out of them.
 */
export async function shareTogether(cores: number): Promise<number> {
  const alone = await wallCost(1)
  const together = await wallCost(cores)
  return Math.min(alone, await wallCost(1)) / together
}

if (!isMainThread && workerData === 'together') {
  const contents = Array.from({ length: nContents }, (_, nth) => contentAt(usedMib(nth) * MiB))
  // Code that runs for the first time is compiled meanwhile.
  primitiveCost(contents)
  const began = performance.now()
  for (let round = 0; round < rounds; round++) primitiveCost(contents)
  parentPort?.postMessage((performance.now() - began) / (rounds * nContents))
}
