export function formatCount(n: number): string {
  return n.toLocaleString('en-GB')
}

/** `count(3, 'VM')` is `3 VMs`; the plural is given where it is not an s. */
export function count(n: number, one: string, many = `${one}s`): string {
  return `${formatCount(n)} ${n === 1 ? one : many}`
}

/** Whole percent, never 100 before all is done and never 0 after the first byte. */
export function percentOf(done: number, total: number): number {
  if (total <= 0) return 0
  if (done >= total) return 100
  return Math.min(99, Math.max(done > 0 ? 1 : 0, Math.floor((done / total) * 100)))
}

/** `3.6 ×`, or null where there is nothing to compare. */
export function formatRatio(whole: number, part: number): string | null {
  if (whole <= 0 || part <= 0) return null
  const ratio = whole / part
  return `${ratio >= 100 ? Math.round(ratio).toLocaleString('en-GB') : ratio.toFixed(1)} ×`
}

/** `a, b and c`. */
export function listOf(words: readonly string[]): string {
  if (words.length < 2) return words[0] ?? ''
  return `${words.slice(0, -1).join(', ')} and ${words.at(-1) ?? ''}`
}
