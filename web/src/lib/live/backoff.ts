/** Wait before the n-th attempt to reconnect (first is 0), in ms: 1, 2, 4, 8 s, then every 15 s. */
export function backoffMs(attempt: number): number {
  return Math.min(15_000, 1000 * 2 ** attempt)
}
