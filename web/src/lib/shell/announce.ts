import type { Run, RunState } from '#lib/api/types.ts'
import { runLook } from '#lib/state/looks.ts'

/**
 * What the live region says when a row of a run arrives: states, never percent. Null if the state is the one that was
 * known. The first sight of a run that has ended says nothing: it is old news.
 */
export function announcement(known: RunState | undefined, run: Run): string | null {
  if (known === run.state) return null
  if (known === undefined && run.endedMs !== null) return null
  return `${run.title}: ${runLook({ ...run, said: run.summary }).word}`
}
