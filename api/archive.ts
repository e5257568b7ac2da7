import type { RunHistory } from '../runbook/types.ts'
import { HoldfastError } from '../base/index.ts'
import type { ApiDeps } from './deps.ts'
import type { RunHandle } from './orchestrator.ts'

const closing = /^EVENT_TYPE_WORKFLOW_EXECUTION_(COMPLETED|FAILED|CANCELED|TERMINATED|TIMED_OUT|CONTINUED_AS_NEW)$/

export function isClosed(history: RunHistory): boolean {
  const last = history.events.at(-1)
  return last !== undefined && closing.test(last.eventType)
}

/** From the archive if it is there, else from the engine; undefined: both have proved that they do not have it. */
export async function readHistory(
  { catalog, orchestrator }: Pick<ApiDeps, 'catalog' | 'orchestrator'>,
  run: RunHandle,
): Promise<RunHistory | undefined> {
  const kept = await catalog.histories.read(run.runId)
  return kept === undefined ? orchestrator.history(run) : parseHistory(kept)
}

function parseHistory(json: string): RunHistory {
  const parsed: unknown = JSON.parse(json)
  if (typeof parsed === 'object' && parsed !== null && 'events' in parsed && Array.isArray(parsed.events))
    return parsed as RunHistory
  throw new HoldfastError('FormatError', 'an archived history is damaged')
}

/** Keeps a closed history for as long as the catalog lives. */
export async function archiveHistory(
  { catalog }: Pick<ApiDeps, 'catalog'>,
  run: RunHandle,
  history: RunHistory,
): Promise<void> {
  await catalog.histories.archive({ ...run, eventCount: history.events.length }, JSON.stringify(history))
}
