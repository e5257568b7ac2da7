import { GiB, isHoldfastError, MiB } from '../../base/index.ts'
import type { OpenedRepository } from '../repository.ts'
import { FaultClock, FaultyStore } from '../store/index.ts'
import { expectIdentical, ModelBackup, type BackupOptions, type RepositoryLab } from './lab.ts'
import type { MemoryBucket } from './memory-store.ts'
import { ModelDisk, seededBytes } from './model-disk.ts'

/** Two pages that matter, a few chunks, a short last one. */
export function smallDisk(seed: number): ModelDisk {
  const model = new ModelDisk(GiB + MiB + 512)
  model.write(MiB, seededBytes(seed, 2 * MiB))
  model.write(GiB - 4096, seededBytes(seed + 1, 2 * 4096))
  model.write(GiB + MiB, seededBytes(seed + 2, 512))
  return model
}

type Step = (repository: OpenedRepository, backup: ModelBackup, attempt: number) => Promise<unknown>
const steps: readonly Step[] = [
  (repository, backup) => backup.open(repository),
  (repository, backup, attempt) => backup.copy(repository, attempt),
  (repository, backup, attempt) => backup.commit(repository, attempt, attempt),
  (repository, backup) => repository.endSession(backup.spec.session, 'committed'),
]

/**
 * Runs all steps, each process dying at its n-th store call: that call and every later one fail, what was deferred is
 * lost. The next process repeats all steps, as a workflow does, with a higher attempt.
 */
export async function runDying(
  lab: RepositoryLab,
  bucket: MemoryBucket,
  options: BackupOptions,
  model: ModelDisk,
  diesAt: readonly number[],
): Promise<{ readonly calls: number }> {
  const own = lab.over(bucket)
  for (const [index, n] of [...diesAt, Infinity].entries()) {
    const clock = new FaultClock()
    let armed = false
    let base = 0
    const connect = () =>
      new FaultyStore(
        bucket.connect(),
        (call) => (armed && call.n - base >= n ? { kind: 'fail', code: 'StoreUnavailable' } : undefined),
        clock,
      )
    await using repository = await own.open({ connect })
    armed = true
    base = clock.calls.length
    const backup = new ModelBackup(repository, model, options)
    try {
      for (const step of steps) await step(repository, backup, index + 1)
    } catch (error) {
      if (!isHoldfastError(error) || error.code !== 'StoreUnavailable') throw error
      continue
    }
    return { calls: clock.calls.length - base }
  }
  throw new Error('the last process did not finish')
}

/** One recovery point, and it restores as the model. */
export async function expectOnePoint(lab: RepositoryLab, bucket: MemoryBucket, model: ModelDisk): Promise<void> {
  await using reader = await lab.over(bucket).open()
  const points = (await Array.fromAsync(reader.listPoints())).filter(({ state }) => state === 'recovery-point')
  if (points.length !== 1) throw new Error(`${points.length} recovery points instead of one`)
  await expectIdentical(reader, points[0]?.stem ?? '', model)
}
