import { randomBytes } from 'node:crypto'
import { MiB } from '../../base/index.ts'
import { expectIdentical, ModelBackup, noSignal, type ModelDisk } from '../../repository/testing/index.ts'
import { mirror } from '../../repository/mirror/index.ts'
import { drawDisk } from './disks.ts'
import { isOneOf, type World } from './world.ts'

/** What a store that fails, and other actors, may do to each. Everything else is a violation. */
const outage = ['StoreUnavailable'] as const
const refusals = ['CommitRefused', 'SessionInvalid', 'SessionFenced', 'PointNotRestorable'] as const
/** The parent may be pruned and collected while it is read; an abandoned manifest may be gone when its writer looks. */
const gone = ['ChunkLost', 'ObjectAbsent', 'ListingIncomplete'] as const

const ATTEMPTS = 4

/** Backs one VM, by default of its own name, up again and again; a process that dies is followed by one that resumes. */
export async function writer(world: World, name: string, backups: number, vm = name): Promise<void> {
  const { random } = world
  let parent = world.newest(vm)
  for (let backup = 0; backup < backups; backup++) {
    const from = parent !== undefined && random.chance(0.7) ? parent : undefined
    const model = drawDisk(random, world.contents, from?.model ?? parent?.model)
    const snap = randomBytes(16).toString('hex')
    world.expect(snap, model)
    const options = {
      session: randomBytes(16).toString('hex'),
      snap,
      createdMs: world.scheduler.nowMs,
      vm,
      // So that it lapses within a schedule: nothing may rest on it.
      leaseSec: 1,
      parent: from?.stem ?? null,
      ...(from !== undefined && {
        source: { readable: 'changed', extents: changedExtents(from.model, model) } as const,
      }),
      configs: [0, 1].map((no) => ({
        name: `c${no}`,
        type: 'native' as const,
        content: Buffer.from(`configuration ${random.below(world.contents)}`),
      })),
    }
    let attempt = 0
    while (attempt < ATTEMPTS) {
      attempt += 1
      try {
        await world.inProcess(name, async (repository) => {
          const one = new ModelBackup(repository, model, options)
          await one.open(repository)
          await one.copy(repository, attempt)
          const { stem } = await one.commit(repository, attempt, attempt)
          world.report(stem, vm)
          parent = { stem, model }
          await repository.endSession(options.session, 'committed')
        })
        break
      } catch (error) {
        if (isOneOf(error, outage)) continue
        if (!world.mayEnd(error, [...refusals, ...gone])) throw error
        // Its parent is no longer one: the next backup is a full one.
        parent = undefined
        break
      }
    }
  }
}

function changedExtents(before: ModelDisk, after: ModelDisk) {
  const extents: { offset: number; length: number; kind: 'data' }[] = []
  for (let at = 0; at < after.size; at += MiB) {
    const length = Math.min(MiB, after.size - at)
    if (Buffer.compare(before.bytes(at, length), after.bytes(at, length)) !== 0) {
      extents.push({ offset: at, length, kind: 'data' })
    }
  }
  return extents
}

/**
 * Waiting times of a run: none, and mostly not even for packs of the time of live sessions. Where sessions are kept out of the
 * way by age, nothing that matters happens within a schedule; safety must not rest on it.
 */
const DECADE = 10 * 365 * 24 * 3_600_000
const noWaits = { minAgeMs: 0, sessionSlackMs: -DECADE, deleteDelayMs: 0, retireDelayMs: 0, abandonedMs: 0 }
const laterDeletion = { ...noWaits, deleteDelayMs: 3_600_000 }

/** Collects beside everything else; `fixed`: without waiting, and packs below that share are emptied. */
export async function collector(
  world: World,
  name: string,
  runs: number,
  fixed?: { readonly compactBelow: number },
): Promise<void> {
  for (let run = 0; run < runs; run++) {
    const compactBelow = fixed?.compactBelow ?? world.random.pick([0, 0.6, 1])
    const waits = fixed ? noWaits : world.random.pick([noWaits, noWaits, noWaits, laterDeletion, 'none' as const])
    try {
      await world.inProcess(name, async (repository) => {
        await repository.collect({ waits, compactBelow, signal: noSignal, onProgress: () => undefined })
      })
    } catch (error) {
      // An alarm that no outage explains is a false one.
      const isOutage = isOneOf(error, outage) || (error instanceof Error && isOneOf(error.cause, outage))
      if (!isOutage && !world.mayEnd(error, [])) throw error
    }
  }
}

/** Puts tombstones on points drawn at random, abandons manifests at once, removes what is tombstoned. */
export async function pruner(world: World, name: string, runs: number, share = 0.4): Promise<void> {
  for (let run = 0; run < runs; run++) {
    const remove = world.stems().flatMap((stem) => (world.random.chance(share) ? [{ stem }] : []))
    try {
      await world.inProcess(name, async (repository) => {
        const fields = { reason: 'operator', actor: name, maxShare: 1, abandonAfterMs: 0, signal: noSignal } as const
        await repository.prune({ remove, ...fields })
      })
    } catch (error) {
      if (!world.mayEnd(error, [...outage, ...gone])) throw error
    }
  }
}

/** Holds points drawn at random, and lets most of them go again. */
export async function holder(world: World, name: string, holds: number): Promise<void> {
  const { random } = world
  for (let hold = 0; hold < holds; hold++) {
    const stems = world.stems()
    if (stems.length === 0) return
    const stem = random.pick(stems)
    try {
      await world.inProcess(name, async (repository) => {
        const request = { stem, type: 'pin', actor: name, reason: '' } as const
        const placed = await repository.hold(request, noSignal)
        world.confirm(placed, stem)
        if (random.chance(0.3)) return
        for (let looks = random.below(30); looks > 0; looks--) await repository.engine.store.now()
        world.letGo(placed)
        await repository.release(placed)
      })
    } catch (error) {
      if (!world.mayEnd(error, [...outage, 'HoldRefused'])) throw error
    }
  }
}

/** Restores points while all this goes on: what is a recovery point before and after must have read right. */
export async function reader(world: World, name: string, reads: number): Promise<void> {
  for (let read = 0; read < reads; read++) {
    const stems = world.stems()
    if (stems.length === 0) return
    const stem = world.random.pick(stems)
    try {
      await world.inProcess(name, async (repository) => {
        const model = world.modelOf(stem)
        if (model !== undefined) await expectIdentical(repository, stem, model)
      })
    } catch (error) {
      if (!world.mayEnd(error, [...outage, ...refusals, ...gone, 'NotFound'])) throw error
      const isLoss = world.weather.flip === 0 && isOneOf(error, ['ChunkLost', 'ObjectAbsent'])
      if (isLoss && world.isPromised(stem)) throw error
    }
  }
}

/** Brings points of another repository over: a writer like any other (lesson 27). */
export async function mirrorer(world: World, name: string, runs: number): Promise<void> {
  const { source } = world.base
  for (let run = 0; run < runs; run++) {
    // By name also what was removed here: it comes back under a fresh one.
    const points = world.random.chance(0.5) ? [world.random.pick(source.stems)] : undefined
    try {
      await world.inProcess(name, async (repository) => {
        const to = { engine: repository.engine, points: repository.points, writer: repository }
        const options = { ...(points && { points }), all: true, signal: noSignal, onProgress: () => undefined }
        const report = await mirror(source.repository, to, options)
        for (const { outcome, target } of report.points) if (outcome === 'mirrored') world.report(target, name)
      })
    } catch (error) {
      if (!world.mayEnd(error, [...outage, ...refusals, ...gone])) throw error
    }
  }
}

/** Looks for damage, and quarantines what it finds; in a store that gives what it was given there is none. */
export async function scrubber(world: World, name: string, runs: number): Promise<void> {
  for (let run = 0; run < runs; run++) {
    const level = world.random.pick(['quick', 'quick', 'full'] as const)
    try {
      await world.inProcess(name, async (repository) => {
        const report = await repository.verify({
          level,
          quarantine: true,
          signal: noSignal,
          onProgress: () => undefined,
        })
        const [false_] = world.weather.flip > 0 ? [] : report.damages.filter(({ proved }) => proved)
        if (false_ !== undefined) throw new Error(`verify finds damage where there is none: ${false_.message}`)
      })
    } catch (error) {
      if (!world.mayEnd(error, [...outage, ...gone])) throw error
    }
  }
}
