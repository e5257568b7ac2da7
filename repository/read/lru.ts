/** Values by key, the least recently used dropped first when their sizes exceed `limit` bytes. */
export class LruCache<V> {
  readonly #limit: number
  readonly #items = new Map<string, { readonly value: V; readonly bytes: number }>()
  #bytes = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  get(key: string): V | undefined {
    const item = this.#items.get(key)
    if (item === undefined) return undefined
    this.#items.delete(key)
    this.#items.set(key, item)
    return item.value
  }

  delete(key: string): void {
    this.#bytes -= this.#items.get(key)?.bytes ?? 0
    this.#items.delete(key)
  }

  set(key: string, value: V, bytes: number): void {
    this.#bytes += bytes - (this.#items.get(key)?.bytes ?? 0)
    this.#items.delete(key)
    this.#items.set(key, { value, bytes })
    for (const [oldest, item] of this.#items) {
      if (this.#bytes <= this.#limit || oldest === key) break
      this.#items.delete(oldest)
      this.#bytes -= item.bytes
    }
  }
}
