import { HoldfastError, type SerializedError } from '../base/index.ts'
import type { ProbeRecord, RepositoryTestRecord, SiteTestRecord } from '../catalog/index.ts'
import type { DiscoverResult, TestRepositoryResult, TestSiteResult } from '../workflows/inventory/contract.ts'
import { controlQueue, siteQueue } from '../workflows/shared/queues.ts'
import type { ApiDeps } from './deps.ts'
import { workersOn } from './facts.ts'
import type { StartSpec } from './orchestrator.ts'

/** Longest wait for an answer of a site; the workflow itself gives up a little earlier. */
const answerWithinMs = 120_000

/**
 * Asks the workers of a site and waits. A site without workers is said at once (NoWorker), not after the wait. A second
 * wish with the same workflow id joins the first.
 */
export async function askSite(
  deps: Pick<ApiDeps, 'orchestrator' | 'now'>,
  question: Pick<StartSpec, 'workflow' | 'workflowId' | 'input' | 'summary'> & { readonly site: string },
): Promise<unknown> {
  await requireWorker(
    deps,
    controlQueue,
    'no server works on the control queue',
    'Start the server: `holdfast server`.',
  )
  await requireWorker(
    deps,
    siteQueue(question.site),
    `no worker is connected for site ${question.site}`,
    `Start one there: \`holdfast worker --site ${question.site}\`.`,
  )
  const { site, ...spec } = question
  const run = await deps.orchestrator.start({ ...spec, memo: null, search: { site }, priority: 2, whenRunning: 'join' })
  return deps.orchestrator.result(run, answerWithinMs)
}

async function requireWorker(
  deps: Pick<ApiDeps, 'orchestrator' | 'now'>,
  queue: string,
  message: string,
  hint: string,
): Promise<void> {
  if ((await workersOn(deps, queue)).workers.length === 0) throw new HoldfastError('NoWorker', message, { hint })
}

export function errorNote(error: SerializedError | null): ProbeRecord['error'] {
  return error && { code: error.code, message: error.message, hint: error.hint, docs: error.docs }
}

/** What the catalog keeps of a look at an endpoint. */
export function probeRecordOf(result: DiscoverResult, testedMs: number): ProbeRecord {
  const { version, identity, evidence, capabilities, findings } = result
  return { testedMs, version, identity, evidence, capabilities, findings, error: errorNote(result.error) }
}

/** What the catalog keeps of a test of a site. */
export function siteTestRecordOf({ worker, checks, error }: TestSiteResult, testedMs: number): SiteTestRecord {
  return {
    ...{ testedMs, worker, error: errorNote(error) },
    checks: checks.map((check) => ({ ...check, error: errorNote(check.error) })),
  }
}

/** What the catalog keeps of a connection test. */
export function testRecordOf(result: TestRepositoryResult, testedMs: number): RepositoryTestRecord {
  return {
    testedMs,
    repositoryUuid: result.repositoryUuid,
    passed: result.probe?.passed === true && result.error === null,
    checks: result.probe?.checks ?? [],
    writeRate: result.probe?.writeRate ?? null,
    readRate: result.probe?.readRate ?? null,
    staleMs: result.probe?.staleMs ?? null,
    skewMs: result.probe?.skewMs ?? null,
    security: result.security ?? null,
    error: errorNote(result.error),
  }
}
