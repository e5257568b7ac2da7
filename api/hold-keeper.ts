import { createHash } from 'node:crypto'
import { describeError } from '../base/index.ts'
import { isWithin } from '../policy/index.ts'
import type { ApiDeps } from './deps.ts'
import { planLackingHold, planLeftHolds, type PointAct } from './requests/retention.ts'

type Deps = Pick<ApiDeps, 'catalog' | 'orchestrator' | 'now' | 'log'>

const lookEveryMs = 60_000
/** After something was asked for: it is in the catalog by then, or its repository is away. */
const againAfterMs = 600_000
const mostSeen = 1_000
const mostAsked = 20
/** Names in one request. */
const mostNames = 40

/** One thing to be done about holds; `key`: 32 hex digits, the same as long as it is the same thing. */
interface Task {
  readonly key: string
  readonly said: string
  readonly act: () => PointAct
}

/**
 * Places the holds of points on copies that do not have them yet: those that were made again or found after the hold, and
 * those whose repository was away. Until then retention leaves them alone all the same; this is for whoever removes points
 * without this catalog. And ends the holds of recovery plans whose run is over and could not end them itself: it was
 * terminated, or the repository was away. What is to be done follows from the catalog, so nothing is lost with this process.
 */
export function holdKeeper({ catalog, orchestrator, now, log }: Deps): { tick(): Promise<void> } {
  const asked = new Map<string, number>()
  let before = new Set<string>()
  let lookedMs = Number.NEGATIVE_INFINITY
  return {
    async tick() {
      if (isWithin(lookedMs, lookEveryMs, now())) return
      lookedMs = now()
      const tasks = new Map([...lacking(catalog), ...left(catalog)].map((task) => [task.key, task]))
      for (const key of asked.keys()) if (!tasks.has(key)) asked.delete(key)
      const due = [...tasks.values()].filter(({ key }) => {
        // Not at first sight: somebody may be placing or ending it at this moment, one repository after the other.
        return before.has(key) && !isWithin(asked.get(key) ?? Number.NEGATIVE_INFINITY, againAfterMs, now())
      })
      before = new Set(tasks.keys())
      for (const { key, said, act } of due.slice(0, mostAsked)) {
        asked.set(key, now())
        try {
          const { site, ...start } = act()
          await orchestrator.start({ ...start, memo: null, search: { site }, priority: 4, whenRunning: 'join' })
        } catch (error) {
          log.warn({ error: describeError(error) }, said)
        }
      }
    },
  }
}

function lacking(catalog: Deps['catalog']): Task[] {
  return catalog.retained.lackingHolds(mostSeen).map((hold) => {
    const { pointId, repositoryId, stem, type, actor, reason } = hold
    const key = keyOf(pointId, repositoryId, stem, type, actor, reason)
    const said = `a copy of the held point ${pointId} in ${repositoryId} could not be held`
    return { key, said, act: () => planLackingHold(catalog, hold, key) }
  })
}

function left(catalog: Deps['catalog']): Task[] {
  const all = catalog.retained.leftHolds(mostSeen)
  return [...Map.groupBy(all, ({ repositoryId, actor }) => `${repositoryId} ${actor}`)].map(([place, holds]) => {
    const some = holds.slice(0, mostNames)
    const key = keyOf(place, ...some.map(({ name }) => name))
    const said = `holds of a recovery plan whose run is over could not be ended: ${place}`
    return { key, said, act: () => planLeftHolds(catalog, some, key) }
  })
}

function keyOf(...parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32)
}
