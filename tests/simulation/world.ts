import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isHoldfastError, MiB } from '../../base/index.ts'
import { names, parseName, parseStem } from '../../repository/format/index.ts'
import type { OpenedRepository } from '../../repository/repository.ts'
import {
  deriveOnce,
  expectIdentical,
  type ModelDisk,
  RepositoryLab,
  type MemoryBucket,
} from '../../repository/testing/index.ts'
import { BufferBudget } from '../../repository/workers/index.ts'
import { InlinePool } from './inline-pool.ts'
import { MirrorSource } from './mirror-source.ts'
import type { Mutant } from './mutants.ts'
import { seedRandomness, type Random } from './random.ts'
import { Scheduler, SimProcess } from './scheduler.ts'
import { SimStore, type SimWorld, type Weather } from './sim-store.ts'

/** What the oracle found: the claim of §10.1 does not hold. */
export class Violation extends Error {}

/** Repositories of simulations begin as this one, made once: the key slots take their time. */
export class SimulationBase implements AsyncDisposable {
  readonly lab: RepositoryLab
  readonly folder: string
  readonly pool: InlinePool
  /** What the mirror of every schedule brings over. */
  readonly source: MirrorSource
  readonly #budgets: BufferBudget[] = []
  /** Repositories with a past, by number: made once, each schedule goes on from a copy. */
  readonly pasts = new Map<number, Past>()
  #caches = 0

  private constructor(lab: RepositoryLab, folder: string, pool: InlinePool, source: MirrorSource) {
    this.lab = lab
    this.folder = folder
    this.pool = pool
    this.source = source
  }

  static async create(): Promise<SimulationBase> {
    using _random = seedRandomness(1)
    const lab = await RepositoryLab.create()
    const pool = new InlinePool(1)
    const source = await MirrorSource.create(lab, pool)
    return new SimulationBase(lab, mkdtempSync(join(tmpdir(), 'holdfast-simulation-')), pool, source)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.source[Symbol.asyncDispose]()
    await this.lab[Symbol.asyncDispose]()
    rmSync(this.folder, { recursive: true, force: true })
  }

  /** Buffers of one process; they are used again, a mapping of 32 MiB costs more than a schedule. */
  takeBudget(): BufferBudget {
    return this.#budgets.pop() ?? new BufferBudget(192 * MiB)
  }

  giveBudget(budget: BufferBudget): void {
    if (budget.used === 0) this.#budgets.push(budget)
  }

  nextCache(): string {
    return `simulation-${(this.#caches += 1)}`
  }
}

/** What a schedule goes on from: points, and garbage that the index still knows. */
export interface Past {
  readonly bucket: MemoryBucket
  readonly nowMs: number
  readonly models: ReadonlyMap<string, ModelDisk>
  readonly reported: ReadonlySet<string>
  readonly buried: ReadonlySet<string>
  readonly newest: ReadonlyMap<string, string>
}

/** One schedule: a store, its processes, and what must hold whatever they do. */
export class World implements SimWorld {
  readonly base: SimulationBase
  readonly bucket: MemoryBucket
  readonly scheduler: Scheduler
  weather: Weather
  readonly late: { readonly step: number; readonly work: () => void }[] = []
  readonly ghosts: SimWorld['ghosts'] = new Map()
  readonly #mutant: Mutant | undefined
  readonly #processes = new Set<SimProcess>()
  /** What each snapshot must restore as, by UUID. */
  readonly #models = new Map<string, ModelDisk>()
  /** Stems that a writer has reported as recovery points. */
  readonly #reported = new Set<string>()
  /** Last stem of each VM. */
  readonly #newest = new Map<string, string>()
  /** Stems that got a tombstone, ever. */
  readonly #buried = new Set<string>()
  /** Stems by confirmed hold. */
  readonly #held = new Map<string, string>()
  /** Different contents that disks of this schedule are made of. */
  readonly contents: number
  /** When the sleeper of a mutant's scene has fallen asleep, or has ended. */
  readonly asleep = Promise.withResolvers<void>()
  /** Whether processes die and fall asleep. */
  isCalm = false
  checks = 0
  /** Packs that went while everybody was at work. */
  deletedPacks = 0

  constructor(
    base: SimulationBase,
    random: Random,
    options: {
      readonly weather: Weather
      readonly mutant?: Mutant | undefined
      readonly contents: number
      readonly past?: Past
    },
  ) {
    const { weather, mutant, contents, past } = options
    this.base = base
    this.bucket = (past?.bucket ?? base.lab.bucket).clone()
    this.scheduler = new Scheduler(random)
    this.weather = weather
    this.#mutant = mutant
    this.contents = contents
    if (past === undefined) return
    this.scheduler.nowMs = past.nowMs
    for (const [snap, model] of past.models) this.#models.set(snap, model)
    for (const stem of past.reported) this.#reported.add(stem)
    for (const stem of past.buried) this.#buried.add(stem)
    for (const [writer, stem] of past.newest) this.#newest.set(writer, stem)
  }

  /** What another schedule can go on from. */
  past(): Past {
    const { bucket, scheduler } = this
    return {
      bucket,
      nowMs: scheduler.nowMs,
      models: this.#models,
      reported: this.#reported,
      buried: this.#buried,
      newest: this.#newest,
    }
  }

  /** Points that writers have reported. */
  get points(): number {
    return this.#reported.size
  }

  get random(): Random {
    return this.scheduler.random
  }

  view: SimWorld['view'] = (prefix, objects, process) => this.#mutant?.view(prefix, objects, process) ?? objects

  /** Who is about to publish is the one whose sleep matters: others go on as if it were not there. */
  beforePut(process: SimProcess, name: string): void {
    if (this.isCalm) return
    if (this.#mutant !== undefined) {
      const { scene } = this.#mutant
      if (scene === undefined || process.actor !== scene.sleeper || !scene.before.test(name)) return
      process.asleepUntil = Infinity
      this.asleep.resolve()
      return
    }
    if (!/\.(m|ok|c|f)$|^floor\//.test(name) || !this.random.chance(0.2)) return
    process.asleepUntil = this.scheduler.step + this.random.pick([50, 200, 800])
  }

  onPut(process: SimProcess, name: string): void {
    this.#mutant?.onPut(process, name)
    const parsed = parseName(name)
    if (parsed?.kind === 'tombstone') this.#buried.add(parsed.stem)
  }

  onDelete(name: string): void {
    if (name.startsWith('pack/')) this.deletedPacks += 1
  }

  expect(snap: string, model: ModelDisk): void {
    this.#models.set(snap, model)
  }

  modelOf(stem: string): ModelDisk | undefined {
    return this.#models.get(stem.slice(-32)) ?? this.base.source.models.get(parseStem(stem).createdMs)
  }

  /** A recovery point that nobody has ever begun to remove. */
  isPromised(stem: string): boolean {
    return this.#reported.has(stem) && !this.#buried.has(stem)
  }

  report(stem: string, vm: string): void {
    this.#reported.add(stem)
    this.#newest.set(vm, stem)
  }

  /** The last point of a VM that was reported, if nobody has begun to remove it. */
  newest(vm: string): { readonly stem: string; readonly model: ModelDisk } | undefined {
    const stem = this.#newest.get(vm)
    const model = stem === undefined ? undefined : this.modelOf(stem)
    return stem === undefined || model === undefined || this.#buried.has(stem) ? undefined : { stem, model }
  }

  /** Whether an actor may end so. Where bits flip, whoever reads a wrong one must say so, and whatever it says is right. */
  mayEnd(error: unknown, codes: readonly string[]): boolean {
    if (isOneOf(error, codes)) return true
    // What is listed and gone again and again contradicts itself: whoever deletes stops, and nothing is lost.
    if (this.weather.ghosts > 0 && isOneOf(error, ['ListingIncomplete', 'CollectionAborted'])) return true
    return this.weather.flip > 0 && isHoldfastError(error) && error.code !== 'Internal'
  }

  confirm(hold: string, stem: string): void {
    this.#held.set(hold, stem)
  }

  letGo(hold: string): void {
    this.#held.delete(hold)
  }

  /** Stems with a manifest, whatever their state. */
  stems(): string[] {
    return this.bucket.names('snap/').flatMap((name) => (name.endsWith('.m') ? [name.slice(0, -2)] : []))
  }

  /** Runs `work` in a process of its own, which may die or fall asleep at any store call. */
  async inProcess(actor: string, work: (repository: OpenedRepository) => Promise<void>): Promise<void> {
    const process = new SimProcess(actor)
    this.#processes.add(process)
    const budget = this.base.takeBudget()
    try {
      await using repository = await this.base.lab.over(this.bucket).open({
        connect: () => {
          const store = new SimStore(this, process)
          this.#mutant?.reorder?.(store, process, this)
          return store
        },
        pool: this.base.pool,
        budget,
        clock: () => this.scheduler.nowMs,
        cache: this.base.nextCache(),
        warn: () => undefined,
        derive: deriveOnce,
      })
      this.#mutant?.spoil?.(repository, process)
      await work(repository)
    } finally {
      this.#processes.delete(process)
      this.base.giveBudget(budget)
    }
  }

  async run(): Promise<void> {
    await this.scheduler.run(async () => this.#between())
    for (const { work } of this.late.splice(0)) work()
  }

  /** Between two calls: late requests arrive, processes die or fall asleep, and now and then the oracle looks. */
  async #between(): Promise<void> {
    const { random, step } = this.scheduler
    for (const request of this.late.filter((each) => each.step <= step)) {
      this.late.splice(this.late.indexOf(request), 1)
      request.work()
    }
    if (this.isCalm || this.#mutant?.scene !== undefined) return
    const processes = [...this.#processes]
    if (processes.length > 0 && random.chance(0.004)) this.scheduler.kill(random.pick(processes))
    if (processes.length > 0 && random.chance(0.03)) {
      random.pick(processes).asleepUntil = step + random.pick([20, 100, 400])
    }
    if (random.chance(0.002)) await this.check()
  }

  /** Every validated point restores byte-identical from the store alone (§10.1), and so does what is held. */
  async check(): Promise<void> {
    this.checks += 1
    const has = (name: string) => this.bucket.objects.has(name)
    const held = new Set(this.#held.values())
    for (const stem of this.#reported) {
      const isThere = has(names.snap(stem, 'manifest')) && has(names.snap(stem, 'validated'))
      if (!isThere && (!this.#buried.has(stem) || held.has(stem)))
        throw new Violation(`${stem} was reported and is gone`)
    }
    const stems = this.stems().filter((stem) => {
      return has(names.snap(stem, 'validated')) && (!has(names.snap(stem, 'tombstone')) || held.has(stem))
    })
    if (stems.length === 0) return
    const copy = this.bucket.clone()
    await using reader = await this.base.lab.over(copy).open({
      pool: this.base.pool,
      cache: this.base.nextCache(),
      warn: () => undefined,
      derive: deriveOnce,
    })
    for (const stem of stems) {
      const model = this.modelOf(stem)
      if (model === undefined) throw new Violation(`${stem} is nobody's`)
      try {
        await expectIdentical(reader, stem, model)
        await using point = await reader.openPoint(stem)
        for (const { name } of point.info.configs) for await (const _ of point.config(name)) continue
      } catch (error) {
        throw new Violation(`step ${this.scheduler.step}: ${stem} does not restore: ${String(error)}`, { cause: error })
      }
    }
  }
}

/** An outcome that an actor must live with; anything else ends the schedule. */
export function isOneOf(error: unknown, codes: readonly string[]): boolean {
  return isHoldfastError(error) && codes.includes(error.code)
}
