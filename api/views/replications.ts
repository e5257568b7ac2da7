import type { z } from '@hono/zod-openapi'
import { formatDuration } from '../../base/index.ts'
import type { ReplicationView } from '../../catalog/index.ts'
import { replicationLagMs, standingStill } from '../../policy/index.ts'
import type { replicationSchema } from '../schemas/replications.ts'

type Replication = z.infer<typeof replicationSchema>

export function replicationView(row: ReplicationView, nowMs: number): Replication {
  const { id, vmId, vmName, endpointId, endpointName, sourceEndpointName, name, rpoMs, isPaused, state } = row
  const { runId, headMs, links, storedBytes, cycleMs, cycleBytes, failures, error, fence, movedMs, lostMs } = row
  const lagMs = replicationLagMs({ nowMs, ...row })
  const isLate = lagMs !== null && lagMs > rpoMs
  return {
    ...{ id, vmId, vmName, name, rpoMs, isPaused, state, runId, headMs, lagMs, isLate, links, storedBytes },
    ...{ cycleMs, cycleBytes, failures, error, fence, movedMs, lostMs },
    ...{ testedMs: row.testedMs, testOutcome: row.testOutcome, createdMs: row.createdMs },
    sourceHypervisorName: sourceEndpointName,
    hypervisorId: endpointId,
    hypervisorName: endpointName,
    doing: row.isActing ? row.act : null,
    todo: todoOf(row, lagMs, isLate),
  }
}

function todoOf(row: ReplicationView, lagMs: number | null, isLate: boolean): string {
  const { state, isPaused, error, isActing, fence, vmName, name, sourceEndpointName } = row
  switch (state) {
    case 'failing-over':
      return isActing ? 'Nothing: a failover is under way.' : unsure(row, 'failover')
    case 'failing-back':
      return isActing ? 'Nothing: the guest goes back to its source.' : unsure(row, 'failback')
    case 'failed-over': {
      const two = `${vmName} could not be switched off on ${sourceEndpointName}: make sure that it does not run. `
      return `${fence === 'unreachable' ? two : ''}${name} runs, and nothing follows it: fail back, or accept that it stays.`
    }
    case 'seeding':
    case 'following': {
      const still = standingStill(row.siblings)
      if (still !== null) return `It stands still: ${still}. It goes on when ${vmName} is back at its source.`
      const behind = `${formatDuration(lagMs ?? 0)} behind`
      if (isPaused) return `It is paused, ${behind}: resume it.`
      if (error !== null) return `The last cycle failed, ${behind}; it is tried again by itself.`
      if (isLate) return `It is ${behind}, longer than promised${isActing ? '; a cycle is under way.' : '.'}`
      return state === 'seeding' ? 'Nothing: it is being seeded.' : 'Nothing: it follows.'
    }
  }
}

/** Its standby's own record refuses what does not fit, so all of it may be tried. */
function unsure({ vmName, name, sourceEndpointName }: ReplicationView, act: string): string {
  return `The ${act} ended without saying who runs. If ${vmName} runs on ${sourceEndpointName}, begin a cycle; if ${name} runs, fail back or accept it; if neither does, start ${vmName} or fail over. Never let both run.`
}
