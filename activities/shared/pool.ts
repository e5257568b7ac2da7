/**
 * Things that are expensive to open and safe to share: one per key and process, opened at the first use. An entry that
 * turned out unusable is evicted: whoever still uses it finishes, the next one opens it anew.
 */
export class Pool<V extends AsyncDisposable> implements AsyncDisposable {
  readonly #entries = new Map<string, Entry<V>>()
  readonly #retired = new Set<Promise<void>>()
  readonly #mustEvict: (error: unknown) => boolean

  constructor(mustEvict: (error: unknown) => boolean) {
    this.#mustEvict = mustEvict
  }

  async use<T>(key: string, open: () => Promise<V>, work: (value: V) => Promise<T>): Promise<T> {
    const entry = this.#entry(key, open)
    entry.users += 1
    try {
      return await work(await entry.value)
    } catch (error) {
      if (this.#mustEvict(error)) this.#evict(key, entry)
      throw error
    } finally {
      entry.users -= 1
      this.#retireIfIdle(entry)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const [key, entry] of this.#entries) {
      this.#evict(key, entry)
      this.#retireIfIdle(entry)
    }
    const ended = await Promise.allSettled(this.#retired)
    const errors = ended.filter((end) => end.status === 'rejected').map((end): unknown => end.reason)
    if (errors.length > 0) throw new AggregateError(errors, 'connections could not be closed')
  }

  #entry(key: string, open: () => Promise<V>): Entry<V> {
    const known = this.#entries.get(key)
    if (known !== undefined) return known
    const entry: Entry<V> = { value: open(), users: 0, evicted: false, retired: false }
    this.#entries.set(key, entry)
    // A failed opening is not kept: the next use tries again.
    entry.value.catch(() => this.#evict(key, entry))
    return entry
  }

  #evict(key: string, entry: Entry<V>): void {
    entry.evicted = true
    if (this.#entries.get(key) === entry) this.#entries.delete(key)
  }

  #retireIfIdle(entry: Entry<V>): void {
    if (!entry.evicted || entry.retired || entry.users > 0) return
    entry.retired = true
    const closing = entry.value.then(
      (value) => value[Symbol.asyncDispose](),
      () => null, // never opened: there is nothing to close
    )
    const ended = closing.then(() => {
      this.#retired.delete(ended)
    })
    this.#retired.add(ended)
  }
}

interface Entry<V> {
  readonly value: Promise<V>
  users: number
  evicted: boolean
  retired: boolean
}
