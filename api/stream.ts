import type { SSEMessage, SSEStreamingApi } from 'hono/streaming'
import type { ChangeEvent } from '../catalog/index.ts'
import type { ApiDeps } from './deps.ts'
import { runView } from './views/runs.ts'

/** Two messages a second for any one thing: what changed in between is read as it is then. */
export const coalesceMs = 500
export const pingMs = 15_000
const batch = 500

export interface StreamPace {
  readonly coalesceMs: number
  readonly pingMs: number
}

/** What came after `seq`, the newest of each subject only; `next` is where to go on. */
function collect(deps: ApiDeps, seq: number): { events: ChangeEvent[]; next: number } {
  const newest = new Map<string, ChangeEvent>()
  let next = seq
  for (;;) {
    const rows = deps.catalog.events.after(next, batch)
    for (const row of rows) {
      const key = `${row.type} ${row.subject ?? ''}`
      newest.delete(key)
      newest.set(key, row)
    }
    next = rows.at(-1)?.seq ?? next
    if (rows.length < batch) return { events: [...newest.values()], next }
  }
}

/**
 * Feeds one listener until it goes away. `lastSeen` is its Last-Event-ID: what came since is sent first; if some of it
 * is no longer kept, or the number is from another catalog, `resync` says that everything is to be read again. Asked
 * before each message: a listener who `mayListen` no longer (logged out, token withdrawn) gets nothing more.
 */
export async function feed(
  deps: ApiDeps,
  stream: SSEStreamingApi,
  lastSeen: number | null,
  mayListen: () => boolean,
  pace: StreamPace = { coalesceMs, pingMs },
): Promise<void> {
  const { events } = deps.catalog
  let seq = lastSeen ?? events.newest()
  let wake: () => void = () => undefined
  let woken = false
  let over = false
  const unsubscribe = events.subscribe(() => {
    woken = true
    wake()
  })
  stream.onAbort(() => {
    unsubscribe()
    wake()
  })
  const pause = (ms: number, untilWoken: boolean): Promise<void> =>
    new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer)
        resolve()
      }
      const timer = setTimeout(done, ms)
      wake = untilWoken || stream.aborted ? done : () => stream.aborted && done()
      if (stream.aborted || (untilWoken && woken)) done()
    })
  const send = async (type: string, subject: string | null, at: number): Promise<void> => {
    if (!mayListen()) over = true
    if (!over) await stream.writeSSE(messageOf(deps, type, subject, at))
  }
  try {
    if (lastSeen !== null && (lastSeen > events.newest() || lastSeen < events.oldest() - 1)) {
      seq = events.newest()
      await send('resync', null, seq)
    } else {
      await send('ping', null, seq)
    }
    while (!stream.aborted && !over) {
      woken = false
      const { events: changes, next } = collect(deps, seq)
      seq = next
      for (const change of changes) await send(change.type, change.subject, change.seq)
      if (changes.length > 0) await pause(pace.coalesceMs, false)
      else {
        await pause(pace.pingMs, true)
        if (!woken && !stream.aborted) await send('ping', null, seq)
      }
    }
  } finally {
    unsubscribe()
  }
}

function messageOf(deps: ApiDeps, type: string, subject: string | null, seq: number): SSEMessage {
  const run = type === 'run' && subject !== null ? deps.catalog.runs.find(subject) : undefined
  const data = { type, id: subject, ms: deps.now(), data: run ? runView(run, deps.now()) : null }
  return { id: String(seq), event: type, data: JSON.stringify(data) }
}
