import type { StreamEvent } from '#lib/api/types.ts'
import { backoffMs } from './backoff.ts'
import { learnServerTime, serverNow } from './now.svelte.ts'

export type Topic = StreamEvent['type']
type Listener = (event: StreamEvent) => void

const topics: readonly Topic[] = [
  'run',
  'point',
  'drill',
  'vm',
  'hypervisor',
  'repository',
  'sweep',
  'verify',
  'watch',
  'instant',
  'replication',
  'recovery',
  'audit',
  'alert',
  'workers',
  'policy',
  'own-backup',
  'settings',
  'slots',
  'resync',
  'ping',
]
/** The server pings every 15 s; after two that did not come the stream counts as broken, whatever the socket says. */
const silenceMs = 35_000
/** Time itself changes what is true (a point grows older than its promise) and sends no event. */
const liveMs = 60_000
const brokenMs = 5000

/**
 * The event stream. Everything is read again once a minute while it is whole, every five seconds while it is broken, so
 * that a page is late, not wrong. Reconnects by itself; after a gap it sends a `resync`.
 */
class Live {
  status = $state<'off' | 'connecting' | 'live' | 'broken'>('off')
  /** Server time of the newest event. */
  lastMs = $state<number | null>(null)
  /** Since when the stream is broken, and when the next attempt to reconnect comes. */
  brokenSince = $state<number | null>(null)
  nextTryMs = $state<number | null>(null)

  #source: EventSource | null = null
  #listeners = new Set<Listener>()
  #attempt = 0
  #timer: ReturnType<typeof setTimeout> | undefined
  #watchdog: ReturnType<typeof setTimeout> | undefined
  #poll: ReturnType<typeof setInterval> | undefined

  listen(listener: Listener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  open(): void {
    if (this.#source) return
    if (this.status === 'off') this.status = 'connecting'
    const source = new EventSource('/api/v1/events')
    this.#source = source
    source.addEventListener('open', () => this.#opened())
    source.addEventListener('error', () => this.#broke())
    for (const topic of topics) {
      source.addEventListener(topic, (message: MessageEvent<string>) => this.#received(topic, message.data))
    }
    this.#watch()
  }

  close(): void {
    this.#drop()
    clearTimeout(this.#timer)
    clearInterval(this.#poll)
    this.#poll = undefined
    this.#attempt = 0
    this.status = 'off'
    this.brokenSince = null
    this.nextTryMs = null
  }

  /** Now instead of after the wait. */
  reconnect(): void {
    clearTimeout(this.#timer)
    this.#drop()
    this.open()
  }

  #opened(): void {
    const gap = this.brokenSince !== null
    if (this.status !== 'live') this.#pollEvery(liveMs)
    this.#attempt = 0
    this.status = 'live'
    this.brokenSince = null
    this.nextTryMs = null
    this.#watch()
    if (gap) this.#resync()
  }

  #broke(): void {
    this.#drop()
    const wait = backoffMs(this.#attempt)
    this.#attempt += 1
    if (this.status !== 'broken') this.#pollEvery(brokenMs)
    this.status = 'broken'
    this.brokenSince ??= serverNow()
    this.nextTryMs = serverNow() + wait
    this.#timer = setTimeout(() => this.open(), wait)
  }

  #pollEvery(ms: number): void {
    clearInterval(this.#poll)
    this.#poll = setInterval(() => this.#resync(), ms)
  }

  #resync(): void {
    this.#tell({ type: 'resync', id: null, ms: serverNow(), data: null })
  }

  #received(topic: Topic, text: string): void {
    const parsed: unknown = JSON.parse(text)
    const event: StreamEvent = {
      id: null,
      ms: serverNow(),
      data: null,
      ...(parsed as Partial<StreamEvent>),
      type: topic,
    }
    this.lastMs = event.ms
    if (topic === 'ping') learnServerTime(event.ms)
    this.#watch()
    this.#tell(event)
  }

  #tell(event: StreamEvent): void {
    for (const listener of this.#listeners) listener(event)
  }

  #watch(): void {
    clearTimeout(this.#watchdog)
    this.#watchdog = setTimeout(() => this.#broke(), silenceMs)
  }

  #drop(): void {
    clearTimeout(this.#watchdog)
    this.#source?.close()
    this.#source = null
  }
}

export const live = new Live()
