import { createHash } from 'node:crypto'
import { HoldfastError, isHoldfastError } from '../../base/index.ts'
import type { RepositoryView } from '../../catalog/index.ts'
import type { ApiDeps } from '../deps.ts'
import { kindOf } from '../../runbook/kinds.ts'
import type { RunHandle, RunMemo, StartSpec } from '../orchestrator.ts'

/** What a person wants to be started; the workflow id is fixed before anything happens. */
export interface StartPlan {
  readonly workflowId: string
  /** Made from the id that counts: a repeated request uses the one of its first attempt. */
  readonly spec: (workflowId: string) => Omit<StartSpec, 'workflowId' | 'memo' | 'whenRunning'>
  readonly memo: Omit<RunMemo, 'v' | 'idempotencyKey'>
}

/** A run that is about one repository, and no VM. */
export function planAtRepository(
  { id: repositoryId, site }: Pick<RepositoryView, 'id' | 'site'>,
  requestedBy: RunMemo['requestedBy'],
  {
    workflowId,
    title,
    ...start
  }: Pick<StartSpec, 'workflow' | 'input' | 'summary' | 'priority'> & {
    readonly workflowId: string
    readonly title: string
  },
): StartPlan {
  return {
    workflowId,
    memo: { title, vmId: null, repositoryId, pointId: null, requestedBy },
    spec: () => ({ ...start, search: { repository: repositoryId, site } }),
  }
}

export type StartDeps = Pick<ApiDeps, 'catalog' | 'orchestrator' | 'live' | 'now'>

/** `key`: Idempotency-Key, if one was given; `request`: method, path and body in one string. */
export interface StartContext {
  readonly key: string | undefined
  readonly request: string
}

/**
 * Starts a run at most once per Idempotency-Key. The key and the workflow id are written down before the start, and the
 * key rides on the run's memo: after a crash anywhere in between, the repetition finds the run instead of a second one.
 */
export async function startOnce(deps: StartDeps, plan: StartPlan, { key, request }: StartContext): Promise<RunHandle> {
  if (key === undefined) return start(deps, plan, plan.workflowId, null)
  const { idempotency } = deps.catalog
  const reserved = idempotency.reserve(key, hashOf(request), plan.workflowId)
  if (reserved.state === 'answered' && reserved.response !== null) return JSON.parse(reserved.response) as RunHandle
  const known = deps.catalog.runs.findByIdempotencyKey(key)
  const run = known ?? (await startReserved(deps, plan, reserved.workflowId, key))
  const handle = { workflowId: run.workflowId, runId: run.runId }
  idempotency.answer(key, 202, JSON.stringify(handle))
  return handle
}

/** The run that an earlier request with this key has started; undefined: none has. Throws InvalidRequest if it was another request. */
export async function startedBefore(
  { catalog, orchestrator }: Pick<StartDeps, 'catalog' | 'orchestrator'>,
  { key, request }: StartContext,
): Promise<RunHandle | undefined> {
  const known = key === undefined ? undefined : catalog.idempotency.find(key, hashOf(request))
  if (key === undefined || known === undefined) return undefined
  if (known.response !== null) return JSON.parse(known.response) as RunHandle
  const run = catalog.runs.findByIdempotencyKey(key)
  if (run !== undefined) return { workflowId: run.workflowId, runId: run.runId }
  // Nobody has written down that it was started, but it may have been.
  const running = await orchestrator.describe(known.workflowId)
  return running?.memo?.idempotencyKey === key ? { workflowId: running.workflowId, runId: running.runId } : undefined
}

async function startReserved(deps: StartDeps, plan: StartPlan, workflowId: string, key: string): Promise<RunHandle> {
  try {
    return await start(deps, plan, workflowId, key)
  } catch (error) {
    if (isHoldfastError(error) && error.code === 'AlreadyRunning') {
      const running = await deps.orchestrator.describe(workflowId)
      if (running?.memo?.idempotencyKey === key) return running
    }
    // An engine that did not answer may still have started it: only a refusal frees the key.
    if (isHoldfastError(error) && error.code !== 'TemporalUnavailable' && error.code !== 'Internal')
      deps.catalog.idempotency.release(key)
    throw error
  }
}

function hashOf(request: string): string {
  return createHash('sha256').update(request).digest('hex')
}

async function start(deps: StartDeps, plan: StartPlan, workflowId: string, key: string | null): Promise<RunHandle> {
  const kind = kindOf(workflowId)
  if (!kind) throw new HoldfastError('Internal', `${workflowId} is not the id of a run`)
  const memo: RunMemo = { v: 1, ...plan.memo, idempotencyKey: key }
  const run = await deps.orchestrator.start({ ...plan.spec(workflowId), workflowId, memo, whenRunning: 'fail' })
  deps.catalog.runs.started({
    ...run,
    kind,
    title: memo.title,
    vmId: memo.vmId,
    repositoryId: memo.repositoryId,
    pointId: memo.pointId,
    startedMs: deps.now(),
    requestedUser: memo.requestedBy.user,
    requestedReason: memo.requestedBy.reason,
    idempotencyKey: key,
  })
  deps.live.nudge()
  return run
}
