import { ApiError } from '#lib/api/problem.ts'
import type { StreamEvent } from '#lib/api/types.ts'
import { serverNow } from '#lib/live/now.svelte.ts'
import { live, type Topic } from '#lib/live/stream.svelte.ts'

/** Something read from the API and kept current while a component shows it. */
export interface Resource<T> {
  /** The newest answer; stays while a newer one is on its way or fails. */
  readonly value: T | undefined
  /** Why the last attempt failed; null after one that did not. */
  readonly error: ApiError | null
  /** No answer yet. */
  readonly loading: boolean
  /** Since when `value` could not be renewed. */
  readonly staleSince: number | null
  reload(): void
}

interface Options {
  /** Events that make it worth reading again. */
  readonly on?: readonly Topic[]
  /** Further condition on such an event. */
  readonly when?: (event: StreamEvent) => boolean
  /** Read again only by hand or when what `load` reads changes: for answers that cost work, or never change. */
  readonly once?: boolean
}

/** At most two readings a second, however many events come. */
const gapMs = 500

/**
 * Reads when the component mounts, when anything reactive that `load` reads synchronously changes, when the stream says
 * so, and once a minute. Call it while a component initialises. An answer that a newer question has overtaken is dropped.
 */
export function resource<T>(load: (signal: AbortSignal) => Promise<T>, options: Options = {}): Resource<T> {
  let value = $state.raw<T | undefined>()
  let error = $state.raw<ApiError | null>(null)
  let loading = $state(true)
  let staleSince = $state<number | null>(null)
  let soon: () => void = () => undefined

  $effect(() => {
    const stop = new AbortController()
    let busy = false
    let again = false
    let lastMs = 0
    let timer: ReturnType<typeof setTimeout> | undefined

    const read = async (): Promise<void> => {
      busy = true
      lastMs = Date.now()
      try {
        const answer = await load(stop.signal)
        if (stop.signal.aborted) return
        value = answer
        error = null
        staleSince = null
      } catch (cause) {
        if (stop.signal.aborted) return
        if (!(cause instanceof ApiError)) throw cause
        error = cause
        staleSince ??= value === undefined ? null : serverNow()
      } finally {
        busy = false
        if (!stop.signal.aborted) {
          loading = false
          if (again) soon()
        }
      }
    }

    soon = () => {
      if (busy) {
        again = true
        return
      }
      again = false
      clearTimeout(timer)
      timer = setTimeout(() => void read(), Math.max(0, lastMs + gapMs - Date.now()))
    }

    void read()
    const wanted: readonly Topic[] = options.once ? [] : ['resync', ...(options.on ?? [])]
    const forget = live.listen((event) => {
      if (wanted.includes(event.type) && (event.type === 'resync' || (options.when?.(event) ?? true))) soon()
    })
    return () => {
      stop.abort()
      clearTimeout(timer)
      forget()
    }
  })

  return {
    get value() {
      return value
    },
    get error() {
      return error
    },
    get loading() {
      return loading
    },
    get staleSince() {
      return staleSince
    },
    reload: () => soon(),
  }
}
