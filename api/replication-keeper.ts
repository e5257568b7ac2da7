import type { z } from '@hono/zod-openapi'
import { describeError, formatDuration, isHoldfastError, shellWord } from '../base/index.ts'
import type { ReplicationView } from '../catalog/index.ts'
import { replicationLagMs } from '../policy/index.ts'
import type { ApiDeps } from './deps.ts'
import { planCycle } from './requests/replication.ts'
import { startOnce } from './requests/start.ts'
import type { attentionSchema } from './schemas/overview.ts'
import { cycleBody } from './schemas/replications.ts'

type Attention = z.infer<typeof attentionSchema>

/** Cycles that are due (ADR 0713): by the catalog alone, so nothing is lost with this process. */
export async function startDueCycles(
  deps: Pick<ApiDeps, 'catalog' | 'orchestrator' | 'live' | 'now' | 'log'>,
): Promise<void> {
  const { catalog, log, now } = deps
  for (const row of catalog.replications.due(now())) {
    try {
      const wish = cycleBody.parse({ reason: 'the standby follows' })
      await startOnce(deps, planCycle(catalog, row, wish, 'holdfast'), { key: undefined, request: '' })
    } catch (error) {
      if (isHoldfastError(error) && error.code === 'AlreadyRunning') continue
      log.warn({ replication: row.id, error: describeError(error) }, 'a cycle could not be started')
    }
  }
}

/** Standbys that are further behind than promised, and pairs that wait for a person. */
export function replicationTrouble({ catalog, now }: Pick<ApiDeps, 'catalog' | 'now'>): Attention[] {
  return catalog.replications.list().flatMap((row): Attention[] => {
    const tested = testTrouble(row)
    const { id, vmId, vmName, name, state, rpoMs, headMs, createdMs, error, isPaused, movedMs, fence } = row
    const subject = { kind: 'vm' as const, id: vmId }
    if (state === 'failed-over')
      return [
        ...tested,
        {
          kind: 'failed-over',
          severity: fence === 'unreachable' ? 'failed' : 'attention',
          title: `${vmName} runs on its standby, and nothing follows it`,
          detail:
            fence === 'unreachable'
              ? `Its source on ${row.sourceEndpointName} could not be switched off and may run as well.`
              : `Its source on ${row.sourceEndpointName} is off.`,
          sinceMs: movedMs,
          subject,
          part: id,
          action: { label: 'Fail back', command: `holdfast replication failback ${shellWord(id)}` },
        },
      ]
    if (state === 'failing-over' || state === 'failing-back') {
      if (row.isActing) return tested
      return [
        ...tested,
        {
          kind: 'failed-over',
          severity: 'failed',
          title: `Nobody knows whether ${vmName} or its standby runs`,
          detail: `The ${state === 'failing-over' ? 'failover' : 'failback'} has ended without saying so, and nothing follows meanwhile. Look at ${vmName} on ${row.sourceEndpointName} and at ${name} on ${row.endpointName}: never let both run.`,
          sinceMs: row.endedMs ?? movedMs,
          subject,
          part: id,
          action: { label: 'See the standby', command: `holdfast replication show ${shellWord(id)}` },
        },
      ]
    }
    const lagMs = replicationLagMs({ nowMs: now(), state, headMs, createdMs, siblings: row.siblings })
    // A seed takes as long as the disks are large.
    if (lagMs === null || lagMs <= rpoMs || (headMs === null && error === null && row.isActing)) return tested
    const why = isPaused ? ' It is paused.' : error === null ? '' : ` The last cycle failed: ${error.message}.`
    return [
      ...tested,
      {
        kind: 'replication-lag',
        severity: 'failed',
        title: `The standby of ${vmName} is ${formatDuration(lagMs)} behind`,
        detail: `${name} on ${row.endpointName} may be ${formatDuration(rpoMs)} behind.${why}`,
        sinceMs: (headMs ?? createdMs) + rpoMs,
        subject,
        part: id,
        action: { label: 'See the standby', command: `holdfast replication show ${shellWord(id)}` },
      },
    ]
  })
}

/** Until a test answers: a standby whose copy did not come up will hardly do better itself. */
function testTrouble({ id, vmId, vmName, name, testOutcome, testedMs }: ReplicationView): Attention[] {
  if (testOutcome !== 'silent' && testOutcome !== 'failed') return []
  return [
    {
      kind: 'drill-failed',
      severity: 'failed',
      title: `The last test of the standby of ${vmName} ${testOutcome === 'silent' ? 'got no answer' : 'failed'}`,
      detail:
        testOutcome === 'silent'
          ? `The guest of the copy of ${name} did not answer in its time. Hold the next test and look at its console.`
          : `The copy of ${name} could not be booted: its run says why.`,
      sinceMs: testedMs,
      subject: { kind: 'vm', id: vmId },
      part: id,
      action: { label: 'Test it again', command: `holdfast replication test ${shellWord(id)}` },
    },
  ]
}
