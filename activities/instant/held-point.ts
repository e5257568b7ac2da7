import type { DiskReader, OpenPoint, Repository } from '../../repository/index.ts'

/** A point of a shared repository, opened when it is first needed and again after a failure, until it is closed. */
export class HeldPoint {
  readonly #use: <T>(work: (repository: Repository) => Promise<T>) => Promise<T>
  readonly #stem: string
  readonly #over = Promise.withResolvers<void>()
  #point: Promise<OpenPoint> | undefined
  #holding: Promise<void> | undefined

  constructor(use: <T>(work: (repository: Repository) => Promise<T>) => Promise<T>, stem: string) {
    this.#use = use
    this.#stem = stem
  }

  async disk(key: string): Promise<DiskReader> {
    this.#point ??= this.#open()
    return (await this.#point).disk(key)
  }

  async close(): Promise<void> {
    this.#over.resolve()
    await Promise.allSettled([this.#holding])
  }

  #open(): Promise<OpenPoint> {
    const opened = Promise.withResolvers<OpenPoint>()
    this.#holding = this.#use(async (repository) => {
      await using point = await repository.openPoint(this.#stem)
      opened.resolve(point)
      await this.#over.promise
    })
    this.#holding.catch((error: unknown) => {
      this.#point = undefined
      opened.reject(error)
    })
    return opened.promise
  }
}
