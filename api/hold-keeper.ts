import { createHash } from 'node:crypto'
import { describeError } from '../base/index.ts'
import type { LackingHold } from '../catalog/index.ts'
import type { ApiDeps } from './deps.ts'
import { planLackingHold } from './requests/retention.ts'

type Deps = Pick<ApiDeps, 'catalog' | 'orchestrator' | 'now' | 'log'>

const lookEveryMs = 60_000
/** After a hold was asked for: it is in the catalog by then, or its repository is away. */
const againAfterMs = 600_000
const mostSeen = 1_000
const mostAsked = 20

/**
 * Places the holds of points on copies that do not have them yet: those that were made again or found after the hold, and
 * those whose repository was away. Until then retention leaves them alone all the same; this is for whoever removes points
 * without this catalog. What is missing follows from the catalog, so nothing is lost with this process.
 */
export function holdKeeper({ catalog, orchestrator, now, log }: Deps): { tick(): Promise<void> } {
  const asked = new Map<string, number>()
  let before = new Set<string>()
  let lookedMs = Number.NEGATIVE_INFINITY
  return {
    async tick() {
      if (now() - lookedMs < lookEveryMs) return
      lookedMs = now()
      const lacking = new Map(catalog.retained.lackingHolds(mostSeen).map((one) => [keyOf(one), one]))
      for (const key of asked.keys()) if (!lacking.has(key)) asked.delete(key)
      const due = [...lacking].filter(([key]) => {
        // Not at first sight: somebody may be placing or ending it at this moment, one repository after the other.
        return before.has(key) && now() - (asked.get(key) ?? Number.NEGATIVE_INFINITY) >= againAfterMs
      })
      before = new Set(lacking.keys())
      for (const [key, hold] of due.slice(0, mostAsked)) {
        asked.set(key, now())
        try {
          const { site, ...act } = planLackingHold(catalog, hold, key)
          await orchestrator.start({ ...act, memo: null, search: { site }, priority: 4, whenRunning: 'join' })
        } catch (error) {
          const { pointId, repositoryId } = hold
          log.warn({ pointId, repositoryId, error: describeError(error) }, 'a copy of a held point could not be held')
        }
      }
    },
  }
}

/** 32 hex digits. */
function keyOf({ pointId, repositoryId, stem, type, actor, reason }: LackingHold): string {
  const all = JSON.stringify([pointId, repositoryId, stem, type, actor, reason])
  return createHash('sha256').update(all).digest('hex').slice(0, 32)
}
