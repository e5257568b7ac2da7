import { LruCache } from '../../repository/index.ts'

/**
 * Blocks of all disks that a worker serves, the least recently used dropped first: bounded in bytes whatever the number
 * and size of the disks. Who asks for a block that is being fetched waits for the same fetch.
 */
export class BlockCache {
  readonly #kept: LruCache<Uint8Array>
  readonly #fetching = new Map<string, Promise<Uint8Array>>()

  constructor(limitBytes: number) {
    this.#kept = new LruCache(limitBytes)
  }

  has(key: string): boolean {
    return this.#fetching.has(key) || this.#kept.get(key) !== undefined
  }

  async get(key: string, fetch: () => Promise<Uint8Array>): Promise<Uint8Array> {
    const kept = this.#kept.get(key)
    if (kept !== undefined) return kept
    let fetching = this.#fetching.get(key)
    if (fetching === undefined) {
      fetching = fetch()
      this.#fetching.set(key, fetching)
      const done = (): boolean => this.#fetching.delete(key)
      fetching.then((block) => this.#kept.set(key, block, block.byteLength)).then(done, done)
    }
    return fetching
  }
}
