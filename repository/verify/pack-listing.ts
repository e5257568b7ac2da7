import type { StoredEngine } from '../engine.ts'
import { names, parseName } from '../format/index.ts'
import { inParallel, type ObjectInfo } from '../store/index.ts'
import type { LedgerPass, ReadCoverage, VerifyLedger } from '../types.ts'
import type { Context } from './context.ts'
import { Coverage, lastReadMs } from './coverage.ts'
import { IndexedPacks, type IndexedPack } from './indexed.ts'
import { isJudged, LedgerCursor, planScrub, type ScrubPlan } from './ledger.ts'
import { PackChecker } from './packs.ts'

/** A pack as the listing shows it. `modified`: Unix milliseconds by the store's clock. */
export interface ListedPack {
  readonly sha: string
  readonly size: number
  readonly modified: number
}

/** Which packs are to be read, and where their passes are kept. */
export interface PackWork {
  /** Packs that will be looked into. */
  readonly count: number
  /** undefined: all of them. */
  readonly plan: ScrubPlan | undefined
  readonly ledger: VerifyLedger | undefined
  /** When the first attempt of this verify began; undefined: this is the first. */
  readonly since: number | undefined
}

/** Packs that are checked at the same time: one more than there are threads. Their memory comes from the process's budget. */
const parallel = ({ engine }: Context) => engine.pool.size + 1

/** Before the first pack is read: how many there are, and with a budget, which of them are due. */
export async function preparePacks(
  context: Context,
  options: { readonly budget?: number; readonly ledger?: VerifyLedger; readonly since?: number },
): Promise<PackWork> {
  const { engine, level, signal, log } = context
  const ledger = level === 'quick' ? undefined : options.ledger
  const since = ledger && options.since
  if (options.budget === undefined || level === 'quick') {
    let count = 0
    for await (const page of packPages(engine, signal)) count += page.length
    return { count, plan: undefined, ledger, since }
  }
  const plan = await planScrub(packPages(engine, signal), {
    level: level === 'full' ? 'L4' : 'L3',
    budget: options.budget,
    ledger,
    before: await oldEnough(engine),
    since,
    signal,
  })
  if (plan.later > 0) {
    const oldest = plan.oldestMs === 0 ? 'never' : `last on ${new Date(plan.oldestMs).toISOString().slice(0, 10)}`
    log.note(
      `${plan.later} packs were left for later by the byte budget; of what was due the oldest was read ${oldest}`,
    )
  }
  if (plan.young > 0) log.note(`${plan.young} packs are younger than their lock's generation and were left out`)
  return { count: plan.count + plan.judged, plan, ledger, since }
}

/**
 * L1, L2 (L3, L4): the listing of `pack/` beside the pack tables of the index, both in the order of names. Where there is a
 * ledger, counts how far reading has come.
 */
export async function checkAllPacks(context: Context, work: PackWork): Promise<ReadCoverage | null> {
  const { engine, level, signal, log } = context
  const checker = await PackChecker.create(context)
  const indexed = new IndexedPacks(context.segments)
  const passLevel = level === 'full' ? 'L4' : 'L3'
  await using cursor = work.ledger && LedgerCursor.over(work.ledger, signal)
  const coverage = new Coverage()
  let orphans = 0
  const absent = (packs: readonly IndexedPack[]) => () => checker.absent(packs[0]?.pack.sha ?? '', packs)
  const look = async (
    { sha, size }: ListedPack,
    known: readonly IndexedPack[],
    pass: LedgerPass | undefined,
  ): Promise<void> => {
    if (!(await checker.present(sha, size, known))) return coverage.add(size, lastReadMs(pass))
    const atMs = engine.clock()
    await work.ledger?.record([{ pack: sha, level: passLevel, atMs }])
    coverage.add(size, atMs)
  }
  for await (const page of packPages(engine, signal)) {
    const jobs: (() => Promise<void>)[] = []
    for (const pack of page) {
      const { sha, size } = pack
      for (const missing of indexed.before(sha)) jobs.push(absent(missing))
      const known = indexed.take(sha)
      if (known.length === 0) orphans += 1
      const pass = await cursor?.at(sha)
      if (isJudged(pass, passLevel, work.since)) {
        // What was found in one that is quarantined now belongs into this report too.
        if (context.quarantine.knows(sha)) jobs.push(() => look(pack, known, pass))
        else {
          checker.resumed(sha, size, known)
          coverage.add(size, lastReadMs(pass))
        }
      } else if (work.plan?.isDue(pack, pass) === false) {
        checker.listed(sha, size, known)
        coverage.add(size, lastReadMs(pass))
      } else jobs.push(() => look(pack, known, pass))
    }
    await inParallel(jobs, parallel(context), (job) => job())
  }
  await inParallel([...indexed.before(undefined)].map(absent), parallel(context), (job) => job())
  if (orphans > 0) log.note(`${orphans} packs are in no index: of a run under way or cut off, or the index lost a part`)
  return work.ledger === undefined ? null : coverage.counted()
}

/** As checkAllPacks for these packs, sorted. One that is gone is for L1r to judge: its blobs may have other homes. */
export async function checkSomePacks(context: Context, packs: readonly string[]): Promise<void> {
  const checker = await PackChecker.create(context)
  const indexed = new IndexedPacks(context.segments)
  const jobs = packs.map((pack) => {
    for (const _skipped of indexed.before(pack)) continue
    return { pack, known: indexed.take(pack) }
  })
  await inParallel(jobs, parallel(context), async ({ pack, known }) => {
    const name = names.pack(pack)
    const reading = await context.reread.read(name, (store) => store.head(name))
    if (reading.sound && reading.value !== undefined) await checker.present(pack, reading.value.size, known)
    else context.step(name)
  })
}

/** §12.1: with object lock, packs younger than one generation are left out of L3 and above. */
async function oldEnough({ store, fmt }: StoredEngine): Promise<number> {
  if (store.capabilities.objectLock === 'none') return Infinity
  return (await store.now()) - fmt.generationDays * 86_400_000
}

async function* packPages(engine: StoredEngine, signal: AbortSignal): AsyncGenerator<ListedPack[]> {
  for (let cursor: string | undefined; ;) {
    signal.throwIfAborted()
    const { objects, next } = await engine.store.list('pack/', cursor)
    yield objects.flatMap(({ name, size, modified }: ObjectInfo) => {
      const parsed = parseName(name)
      return parsed?.kind === 'pack' ? [{ sha: parsed.sha, size, modified }] : []
    })
    if (next === undefined) return
    cursor = next
  }
}
