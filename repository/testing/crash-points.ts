import { howToRepeat, isExhaustive, places } from '../../tests/support/sampling.ts'

/** Does `die` at every `stride`-th of so many points, counted from 1. What fails says at which, and how to see it again. */
export async function atCrashPoints(
  points: number,
  stride: number,
  die: (n: number) => Promise<unknown>,
): Promise<void> {
  for (const k of places(stride)) {
    if (k >= points) return
    try {
      await die(k + 1)
    } catch (error) {
      throw new Error(`at point ${k + 1} of ${points} (again: ${howToRepeat}): ${String(error)}`, { cause: error })
    }
  }
}

/** How often what is drawn at random is drawn: so often, or as often as it takes minutes for. */
export const runsOf = (usual: number, exhaustive: number): number => (isExhaustive ? exhaustive : usual)

console.info(`crash points: ${howToRepeat}`)
