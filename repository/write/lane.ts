import type { PageMemory } from '../store/index.ts'
import type { PackMemory } from './part-buffers.ts'

/** One memory for one pack after the other: the next waits until the last one has been put. */
export class Lane {
  #free: Promise<void> = Promise.resolve()

  async take(memory: PageMemory): Promise<PackMemory> {
    await this.#free
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#free = promise
    return { bytes: memory, release: () => resolve() }
  }
}
