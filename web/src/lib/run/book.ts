import type { PhaseView, Runbook, Step, StepState } from '#lib/api/types.ts'
import { formatBytes, formatBytesOf, formatRate, percentOf } from '#lib/format/index.ts'

/** A step with what was undone for it drawn below. */
export interface StepRow {
  readonly step: Step
  readonly undo: readonly Step[]
}

/** States that say "nothing to see": a phase in one of them is folded, every other is open. */
const folded: ReadonlySet<StepState> = new Set<StepState>(['scheduled', 'done', 'skipped', 'compensated'])

export function isOpenByItself(phase: PhaseView, residue = 0): boolean {
  if (phase.steps.length === 0) return false
  if (phase.phase === 'cleanup' && residue > 0) return true
  return !folded.has(phase.state) || phase.steps.some((step) => step.state === 'failed' || step.state === 'residue')
}

/**
 * Compensations go under the step that they undo, wherever their own phase put them; those whose step is not in this
 * phase stay rows of their own.
 */
export function stepRows(book: Runbook, phase: PhaseView): StepRow[] {
  const all = book.phases.flatMap((p) => p.steps)
  const known = new Set(all.map((step) => step.id))
  const undone = (id: string): Step[] => all.filter((step) => step.compensates === id)
  return phase.steps
    .filter((step) => step.compensates === null || !known.has(step.compensates))
    .map((step) => ({ step, undo: undone(step.id) }))
}

export function allSteps(book: Runbook): Step[] {
  return book.phases.flatMap((phase) => phase.steps)
}

export function findStep(book: Runbook, id: string | null): Step | null {
  return id === null ? null : (allSteps(book).find((step) => step.id === id) ?? null)
}

const telling: readonly StepState[] = [
  'failed',
  'residue',
  'waiting-for-worker',
  'stalled',
  'retrying',
  'paused',
  'waiting-for-approval',
  'compensating',
  'running',
]

/** The step whose details help most when the reader has chosen none; null when nothing stands out. */
export function tellingStep(book: Runbook): Step | null {
  const steps = allSteps(book)
  for (const state of telling) {
    const found = steps.filter((step) => step.state === state)
    const best = found.find((step) => step.progress !== null) ?? found[0]
    if (best) return best
  }
  return null
}

/** A disk's bar and the words beside it. `was` is what earlier attempts had brought. */
export interface DiskLine {
  /** What stands before the bar; empty where it would repeat the words behind it. */
  readonly lead: string
  readonly percent: number
  readonly was: number
  readonly words: string
}

export function diskLine(step: Step): DiskLine | null {
  const p = step.progress
  if (p === null) return null
  const done = step.state === 'done'
  const percent = done ? 100 : percentOf(p.bytesDone, p.bytesTotal)
  const words = done
    ? step.phase === 'copy'
      ? `${formatBytes(p.bytesRead)} read, ${formatBytes(p.bytesStored)} stored`
      : `${formatBytes(p.bytesDone)} written`
    : `${formatBytesOf(p.bytesDone, p.bytesTotal)}${p.rate === null ? '' : `, ${formatRate(p.rate)}`}`
  const lead = step.detail === null || step.detail === words ? '' : step.detail
  return { lead, percent, was: p.bytesTotal > 0 ? Math.min(100, (p.bytesResumed / p.bytesTotal) * 100) : 0, words }
}

/** An attempt that has something to say: it failed, or it resumed. `note` is empty where it would repeat the error. */
export interface AttemptLine {
  readonly attempt: number
  readonly error: string | null
  readonly note: string
  readonly endedMs: number | null
}

export function attemptLines(step: Step): AttemptLine[] {
  return step.attempts.flatMap((attempt) => {
    const error = attempt.error?.message ?? null
    const note = attempt.note === null || attempt.note === error ? '' : attempt.note
    if (error === null && note === '') return []
    return [{ attempt: attempt.attempt, error, note, endedMs: attempt.endedMs }]
  })
}

/** Time a step or phase took, or has taken so far; null before it began. */
export function tookMs(
  of: { readonly startedMs: number | null; readonly endedMs: number | null },
  now: number,
): number | null {
  return of.startedMs === null ? null : Math.max(0, (of.endedMs ?? now) - of.startedMs)
}

/** `6 phases`, `stopped in phase 2 of 6`. */
export function phasesNote(book: Runbook): string {
  const n = book.phases.length
  // A drill whose check failed went on to its end all the same.
  const at = book.verdict === null ? book.phases.findIndex((phase) => phase.state === 'failed') : -1
  return at >= 0 ? `stopped in phase ${at + 1} of ${n}` : `${n} phases`
}
