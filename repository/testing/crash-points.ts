/** Store calls at which a process dies, for tests that would take minutes over all of them. */
const isExhaustive = process.env['HOLDFAST_EXHAUSTIVE'] === '1'
const seed = Number(process.env['HOLDFAST_SEED'] ?? Math.floor(Date.now() / 1000) % 100_000)

/**
 * Does `die` at every `stride`-th of so many points, beginning with one that the seed draws: over some runs, at all of them.
 * With HOLDFAST_EXHAUSTIVE=1 at every point. What fails says at which, and how to see it again.
 */
export async function atCrashPoints(
  points: number,
  stride: number,
  die: (n: number) => Promise<unknown>,
): Promise<void> {
  const step = isExhaustive ? 1 : stride
  console.info(`${isExhaustive ? 'all' : `HOLDFAST_SEED=${seed}: every ${stride}th`} of ${points} points`)
  for (let n = 1 + (isExhaustive ? 0 : seed % stride); n <= points; n += step) {
    try {
      await die(n)
    } catch (error) {
      const again = isExhaustive ? 'HOLDFAST_EXHAUSTIVE=1' : `HOLDFAST_SEED=${seed}`
      throw new Error(`at point ${n} of ${points} (again: ${again}): ${String(error)}`, { cause: error })
    }
  }
}

/** How often what is drawn at random is drawn: so often, or as often as it takes minutes for. */
export const runsOf = (usual: number, exhaustive: number): number => (isExhaustive ? exhaustive : usual)
