import { formatDuration, isHoldfastError } from '../../base/index.ts'
import { hasMoved } from '../../policy/index.ts'
import { controlQueue } from '../../workflows/shared/queues.ts'
import type { ApiDeps } from '../deps.ts'
import { good, type Found } from './check.ts'

const minuteMs = 60_000
/** Above this collections and sweeps refuse to remove anything. */
const worstMs = 5 * minuteMs
/** Temporal forgets whoever has not asked for work for this long. */
const rememberedMs = 5 * minuteMs
/** The watchdog compares every few minutes. */
const watchedWithinMs = 30 * minuteMs
/** A test of a repository that is older says nothing of the clocks of today. */
const testedWithinMs = 86_400_000

interface Difference {
  readonly who: string
  readonly byMs: number
  readonly hint: string
}

/**
 * The server's clock against three others, as far as they are known without asking for more: one that cannot be set, by the
 * watchdog; Temporal's, by when its workers last asked; those of the stores, by the last test of each repository.
 */
export async function clockCheck(deps: ApiDeps): Promise<Found> {
  const { catalog, now } = deps
  const clock = catalog.watches.clock()
  if (clock !== undefined && clock.movedMs !== null && hasMoved(clock.driftMs)) {
    const way = clock.driftMs < 0 ? 'back' : 'forward'
    return {
      state: 'failed',
      detail: `moved ${way} by ${formatDuration(Math.abs(clock.driftMs))}, as the watchdog has seen: points and schedules that follow it are not when they say`,
      hint: 'Set the clock, and keep it by NTP: `timedatectl status`.',
    }
  }
  const engine = await engineDifference(deps)
  const [worst] = [...(engine ? [engine] : []), ...storeDifferences(deps)].sort(
    (a, b) => Math.abs(b.byMs) - Math.abs(a.byMs),
  )
  if (worst !== undefined)
    return {
      state: Math.abs(worst.byMs) > worstMs ? 'failed' : 'attention',
      detail: `${worst.who} by ${formatDuration(Math.abs(worst.byMs))}`,
      hint: worst.hint,
    }
  if (clock === undefined) return { state: 'unknown', detail: 'the watchdog has not compared it yet', hint: null }
  const agoMs = Math.max(0, now() - clock.seenMs)
  if (agoMs > watchedWithinMs)
    return {
      state: 'attention',
      detail: `the watchdog last compared it ${formatDuration(agoMs)} ago: nobody would notice that it was moved`,
      hint: 'See logs/server.log for why the watchdog stands still, or start the server again.',
    }
  return good(
    `steady; compared ${formatDuration(agoMs)} ago${engine === undefined ? '; Temporal’s was not compared' : ''}`,
  )
}

/**
 * Temporal says when each worker of the control queue last asked, by its own clock, and that was within the minutes for which
 * it remembers them: what lies outside of these by ours is a difference. Undefined: it does not answer, or knows of none.
 */
async function engineDifference({ orchestrator, now }: ApiDeps): Promise<Difference | null | undefined> {
  let lastMs: number
  try {
    const pollers = await orchestrator.pollers(controlQueue)
    lastMs = Math.max(...pollers.flatMap(({ lastSeenMs }) => (lastSeenMs === null ? [] : [lastSeenMs])))
  } catch (error) {
    // The check of Temporal itself tells that.
    if (isHoldfastError(error) && error.code === 'TemporalUnavailable') return undefined
    throw error
  }
  if (!Number.isFinite(lastMs)) return undefined
  const aheadMs = lastMs - now()
  const behindMs = -aheadMs - rememberedMs
  const hint = 'Keep the clocks of both machines by NTP: `timedatectl status`.'
  if (aheadMs > minuteMs) return { who: 'the clock of Temporal is ahead', byMs: aheadMs, hint }
  if (behindMs > minuteMs) return { who: 'the clock of Temporal is behind, at least', byMs: behindMs, hint }
  return null
}

function storeDifferences({ catalog, now }: ApiDeps): Difference[] {
  return [...catalog.repositories.all()].flatMap(({ id, name, test }) => {
    const { skewMs = null, testedMs = 0 } = test ?? {}
    if (skewMs === null || Math.abs(skewMs) <= minuteMs || now() - testedMs > testedWithinMs) return []
    const way = skewMs > 0 ? 'ahead of' : 'behind'
    const ago = formatDuration(Math.max(0, now() - testedMs))
    return [
      {
        who: `the clock of the store of ${name} was ${way} that of its worker ${ago} ago,`,
        byMs: skewMs,
        hint: `Keep both by NTP; above five minutes nothing is removed there. \`holdfast repository test ${id}\` compares them again.`,
      },
    ]
  })
}
