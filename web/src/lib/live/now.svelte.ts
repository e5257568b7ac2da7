import { createSubscriber } from 'svelte/reactivity'

/** How far the server's clock is ahead of this browser's, in ms; ages are counted in the server's time. */
let skew = 0

const subscribe = createSubscriber((update) => {
  const timer = setInterval(update, 1000)
  return () => clearInterval(timer)
})

/** The present in the server's time, in Unix ms; for what is written down once. */
export function serverNow(): number {
  return Date.now() + skew
}

/** The present in the server's time, in Unix ms. Whatever reads it in markup is drawn again each second. */
export function now(): number {
  subscribe()
  return serverNow()
}

/** Called with each answer that carries the server's time. Small differences are travel time, not skew. */
export function learnServerTime(serverMs: number): void {
  const difference = serverMs - Date.now()
  skew = Math.abs(difference) < 2000 ? 0 : difference
}
