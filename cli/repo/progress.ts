import { formatBytes, formatDuration } from '../../base/index.ts'
import type { Io } from '../io.ts'
import { bar } from '../render/words.ts'

const liveMs = 500
const lineMs = 10_000

/** A bar on a terminal, else a plain line per ten seconds; always on stderr. */
export class Progress {
  readonly #io: Io
  readonly #what: string
  readonly #startedMs: number
  #shownMs: number
  #drawn = false

  constructor(io: Io, what: string) {
    this.#io = io
    this.#what = what
    this.#startedMs = this.#shownMs = io.world.now()
  }

  bytes(done: number, total: number, what = ''): void {
    const seconds = (this.#io.world.now() - this.#startedMs) / 1000
    const rate = seconds > 0 ? done / seconds : 0
    const left = rate > 0 ? ` · ${formatDuration(((total - done) / rate) * 1000)} left` : ''
    this.#show(
      done,
      total,
      () =>
        `${formatBytes(done)} of ${formatBytes(total)} · ${formatBytes(rate)}/s${left}${what === '' ? '' : ` · ${what}`}`,
    )
  }

  count(done: number, total: number, what: string): void {
    this.#show(done, total, () => `${done} of ${total} · ${what}`)
  }

  end(): void {
    if (this.#drawn) this.#io.world.stderr.write('\r\u001B[0K')
    this.#drawn = false
  }

  #show(done: number, total: number, text: () => string): void {
    const now = this.#io.world.now()
    if (now - this.#shownMs < (this.#io.isLive ? liveMs : lineMs)) return
    this.#shownMs = now
    if (this.#io.isLive) {
      this.#io.world.stderr.write(`\r\u001B[0K${this.#what} ${bar(done, total, 20)}  ${text()}`)
      this.#drawn = true
    } else this.#io.say(`${this.#what} ${text()}`)
  }
}
