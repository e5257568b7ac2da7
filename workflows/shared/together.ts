import { CancellationScope } from '@temporalio/workflow'

/**
 * Runs work side by side, at most `atOnce` at a time. As soon as one fails the others are cancelled; when all have
 * ended the first failure is thrown. Results are in the order of the work.
 */
export async function together<T>(work: readonly (() => Promise<T>)[], atOnce: number): Promise<T[]> {
  const results: T[] = []
  const failures: unknown[] = []
  const queue = work.entries()
  const scope = new CancellationScope({ cancellable: true })
  const lane = async (): Promise<void> => {
    for (const [index, start] of queue) {
      try {
        results[index] = await start()
      } catch (thrown) {
        failures.push(thrown)
        scope.cancel()
      }
      if (failures.length > 0) return
    }
  }
  await scope.run(async () => {
    await Promise.all(Array.from({ length: Math.min(atOnce, work.length) }, lane))
  })
  if (failures.length > 0) throw failures[0]
  return results
}
