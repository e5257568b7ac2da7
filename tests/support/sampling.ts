/**
 * Tests that would take minutes over all places take every n-th, beginning with one that a seed draws, so that some runs
 * together meet all of them. HOLDFAST_EXHAUSTIVE=1 takes all in one run; HOLDFAST_SEED takes the same ones again.
 */
export const isExhaustive = process.env['HOLDFAST_EXHAUSTIVE'] === '1'
export const seed = Number(process.env['HOLDFAST_SEED'] ?? Math.floor(Date.now() / 1000) % 100_000)

/** How to meet the same places again; for the message of what failed there. */
export const howToRepeat = isExhaustive ? 'HOLDFAST_EXHAUSTIVE=1' : `HOLDFAST_SEED=${seed}`

/** Every `stride`-th number from 0, without end: whoever asks knows the last. */
export function* places(stride: number): Generator<number, never> {
  const step = isExhaustive ? 1 : stride
  for (let k = isExhaustive ? 0 : seed % stride; ; k += step) yield k
}
