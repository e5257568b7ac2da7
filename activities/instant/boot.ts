import { MiB } from '../../base/index.ts'
import type { BootReads } from './types.ts'

/** What a guest reads until it answers is far below; one that reads more gets no longer list. */
const mostBlocks = 1024
/** Blocks that are read ahead at the same time. */
const atOnce = 4

/** The first blocks of a disk that somebody reads, in the order of their first read. */
export class ReadOrder {
  readonly #limit: number
  readonly #blocks = new Set<number>()

  constructor(limit = mostBlocks) {
    this.#limit = limit
  }

  note(first: number, last: number): void {
    for (let block = first; block <= last && this.#blocks.size < this.#limit; block += 1) this.#blocks.add(block)
  }

  /** Neighbours that were read one after the other are one run: its first block, and how many. */
  get runs(): readonly (readonly [first: number, count: number])[] {
    const runs: [number, number][] = []
    for (const block of this.#blocks) {
      const last = runs.at(-1)
      if (last !== undefined && last[0] + last[1] === block) last[1] += 1
      else runs.push([block, 1])
    }
    return runs
  }
}

/** Of all disks of a VM, `mostBlocks` together at most. */
export function bootReads(disks: readonly { readonly key: string; readonly order: ReadOrder }[]): BootReads {
  let left = mostBlocks
  const listed = disks.map(({ key, order }) => {
    const runs = order.runs.flatMap(([first, count]) => {
      const taken = Math.min(count, left)
      left -= taken
      return taken > 0 ? [[first, taken] as const] : []
    })
    return { key, runs }
  })
  return { bytes: (mostBlocks - left) * MiB, disks: listed.filter(({ runs }) => runs.length > 0) }
}

/** Reads of guests that are under way. What is read ahead for one begins only while there are none. */
export class Demand {
  #reads = 0
  #quiet: PromiseWithResolvers<void> | null = null

  async during<T>(read: () => Promise<T>): Promise<T> {
    this.#reads += 1
    try {
      return await read()
    } finally {
      this.#reads -= 1
      if (this.#reads === 0) {
        this.#quiet?.resolve()
        this.#quiet = null
      }
    }
  }

  /** Returns while no guest waits for anything. */
  async quiet(): Promise<void> {
    while (this.#reads > 0) {
      this.#quiet ??= Promise.withResolvers<void>()
      await this.#quiet.promise
    }
  }
}

interface Ahead {
  /** The block is in the cache when it resolves, if it is no hole and can be read. Never throws. */
  fetchAhead(block: number): Promise<void>
}

/**
 * Reads ahead what a boot read first, in that order, `limitBytes` at most: more would push out of the cache what came
 * first. A guest goes before: nothing is begun while one of its reads is under way.
 */
export async function readAhead(
  boot: BootReads,
  disks: ReadonlyMap<string, Ahead>,
  {
    limitBytes,
    demand,
    signal,
  }: { readonly limitBytes: number; readonly demand: Demand; readonly signal: AbortSignal },
): Promise<void> {
  const queue = blocksOf(boot, disks, Math.floor(limitBytes / MiB))
  const reader = async (): Promise<void> => {
    for (;;) {
      await demand.quiet()
      if (signal.aborted) return
      const next = queue.next()
      if (next.done === true) return
      const { disk, block } = next.value
      await disk.fetchAhead(block)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, reader))
}

function* blocksOf(
  boot: BootReads,
  disks: ReadonlyMap<string, Ahead>,
  most: number,
): Generator<{ readonly disk: Ahead; readonly block: number }, void, undefined> {
  let left = most
  for (const { key, runs } of boot.disks) {
    const disk = disks.get(key)
    if (disk === undefined) continue
    for (const [first, count] of runs)
      for (let block = first; block < first + count; block += 1) {
        if (left <= 0) return
        left -= 1
        yield { disk, block }
      }
  }
}
