import { MiB } from '../../base/index.ts'
import type { OpenedRepository } from '../../repository/repository.ts'
import { backUp, deriveOnce, RepositoryLab, type ModelDisk } from '../../repository/testing/index.ts'
import { BufferBudget } from '../../repository/workers/index.ts'
import { drawDisk } from './disks.ts'
import type { InlinePool } from './inline-pool.ts'
import { Random } from './random.ts'

const POINTS = 3
const FIRST_MS = 1_600_000_000_000

/** Another repository with the ids of the simulated one, that stays as it is: what a mirror brings over. */
export class MirrorSource implements AsyncDisposable {
  readonly #lab: RepositoryLab
  readonly repository: OpenedRepository
  readonly stems: readonly string[]
  /** What each must restore as, by `createdMs`: one that was removed there comes back under a fresh name. */
  readonly models: ReadonlyMap<number, ModelDisk>

  private constructor(
    lab: RepositoryLab,
    repository: OpenedRepository,
    stems: readonly string[],
    models: ReadonlyMap<number, ModelDisk>,
  ) {
    this.#lab = lab
    this.repository = repository
    this.stems = stems
    this.models = models
  }

  static async create(simulated: RepositoryLab, pool: InlinePool): Promise<MirrorSource> {
    const lab = await sibling(simulated)
    const random = new Random(7)
    const repository = await lab.open({ pool, budget: new BufferBudget(192 * MiB), derive: deriveOnce })
    const stems: string[] = []
    const models = new Map<number, ModelDisk>()
    for (let point = 0; point < POINTS; point++) {
      // A few of the contents that everybody's disks are made of.
      const model = drawDisk(random, 6, [...models.values()].at(-1))
      const createdMs = FIRST_MS + point * 60_000
      models.set(createdMs, model)
      stems.push((await backUp(repository, model, { vm: 'mirrored', createdMs })).stem)
    }
    return new MirrorSource(lab, repository, stems, models)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.repository[Symbol.asyncDispose]()
    await this.#lab[Symbol.asyncDispose]()
  }
}

async function sibling(simulated: RepositoryLab): Promise<RepositoryLab> {
  await using repository = await simulated.open({ derive: deriveOnce })
  return await RepositoryLab.create(repository.engine.ring.identityKey())
}
