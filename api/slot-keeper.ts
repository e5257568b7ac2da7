import { describeError, isHoldfastError } from '../base/index.ts'
import type { SlotClaimRow } from '../catalog/index.ts'
import { slotsGrantedSignal } from '../workflows/shared/contract.ts'
import type { ApiDeps } from './deps.ts'

type KeeperDeps = Pick<ApiDeps, 'catalog' | 'orchestrator' | 'log'>

/**
 * The half of the capacity governor that speaks with the engine: tells runs of their grants, and takes back what runs hold
 * that are no longer there. Everything it knows is in the catalog, so that it goes on where a killed server stood.
 */
export interface SlotKeeper {
  tick(): Promise<void>
  /** Until the signal: soon after every change of the claims, and every fifteen seconds. */
  run(signal: AbortSignal): Promise<void>
}

const everyMs = 15_000
/** Changes come in swarms; one look serves many. */
const shortestMs = 50

export function slotKeeper(deps: KeeperDeps, paceMs = everyMs): SlotKeeper {
  const tick = async (): Promise<void> => {
    const { slots } = deps.catalog
    const problems: unknown[] = []
    const eachOf = async (claims: readonly SlotClaimRow[], look: typeof tell): Promise<void> => {
      for (const claim of claims) {
        try {
          await look(deps, claim)
        } catch (error) {
          // The others need not wait for one that the engine refuses; an engine that is away answers none of them.
          if (isHoldfastError(error) && error.code === 'TemporalUnavailable') throw error
          problems.push(error)
        }
      }
    }
    await eachOf(slots.untold(), tell)
    await eachOf(slots.expired(), lookAfter)
    if (problems.length > 0) throw problems[0]
  }
  return {
    tick,
    async run(signal) {
      let isAway = false
      while (!signal.aborted) {
        // Heard from here on: what changes during the look is looked at by the next one.
        const change = nextChange(deps, signal, paceMs, () => !isAway)
        try {
          await tick()
          isAway = false
        } catch (error) {
          if (!isAway) deps.log.warn({ error: describeError(error) }, 'slots cannot be looked after')
          isAway = true
        }
        await change
      }
    },
  }
}

/** Resolves when the catalog has changed and `isHeard`, after `paceMs`, or with the signal. */
function nextChange(
  { catalog }: KeeperDeps,
  signal: AbortSignal,
  paceMs: number,
  isHeard: () => boolean,
): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer)
      clearTimeout(soon)
      unsubscribe()
      signal.removeEventListener('abort', end)
      resolve()
    }
    let soon: NodeJS.Timeout | undefined
    const timer = setTimeout(end, paceMs)
    const unsubscribe = catalog.events.subscribe(() => {
      soon ??= setTimeout(() => {
        soon = undefined
        if (isHeard() && catalog.slots.untold().length > 0) end()
      }, shortestMs)
    })
    signal.addEventListener('abort', end)
    if (signal.aborted) end()
  })
}

async function tell({ catalog, orchestrator }: KeeperDeps, claim: SlotClaimRow): Promise<void> {
  try {
    await orchestrator.signal(claim, slotsGrantedSignal, null)
    catalog.slots.told(claim.runId)
  } catch (error) {
    if (!isHoldfastError(error) || error.code !== 'RunEnded') throw error
    catalog.slots.release(claim.runId)
  }
}

/** Only what the engine proves to have ended loses its slot: an engine that does not answer changes nothing. */
async function lookAfter({ catalog, orchestrator, log }: KeeperDeps, claim: SlotClaimRow): Promise<void> {
  const run = await orchestrator.describe(claim.workflowId, claim.runId)
  if (run?.status === 'running') {
    catalog.slots.renew(claim.runId)
    return
  }
  catalog.slots.release(claim.runId)
  log.warn({ run: claim.workflowId, status: run?.status ?? 'unknown to the engine' }, 'a slot was taken back')
}
