import type { PhaseView, Runbook, Step } from '#lib/api/types.ts'
import { clock, clockShort, formatDuration } from '#lib/format/index.ts'
import { stepLooks } from '#lib/state/looks.ts'
import type { Look } from '#lib/state/tone.ts'
import { stepRows } from './book.ts'

/** `kept`: an attempt that failed but whose bytes the next one went on from. `guess`: expected, not happened. */
export type BarKind = 'ok' | 'run' | 'fail' | 'warn' | 'kept' | 'idle' | 'undo-bar' | 'guess'

/** From `a` to `b`, in percent of the axis. */
export interface Span {
  readonly a: number
  readonly b: number
  readonly kind: BarKind
}

export interface TimelineRow {
  readonly id: string
  readonly title: string
  readonly look: Look
  readonly level: 'phase' | 'step'
  readonly spans: readonly Span[]
  readonly label: { readonly text: string; readonly a: number; readonly b: number; readonly left: boolean } | null
}

export interface Timeline {
  readonly fromMs: number
  readonly toMs: number
  readonly ticks: readonly { readonly at: number; readonly text: string }[]
  /** Distance of the ticks in percent, for the lines of the lanes. */
  readonly tick: number
  /** Where now is; null once the run has ended. */
  readonly now: number | null
  readonly rows: readonly TimelineRow[]
}

const niceSteps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 43_200, 86_400].map(
  (s) => s * 1000,
)

/** The smallest round distance that leaves at most eight ticks. */
export function tickMs(spanMs: number): number {
  return niceSteps.find((step) => spanMs / step <= 8) ?? Math.ceil(spanMs / 8)
}

/** Spans of one step: one per attempt, and what is expected of it after now. */
function stepSpans(step: Step, now: number): { from: number; to: number; kind: BarKind }[] {
  if (step.startedMs === null) return []
  const end = step.endedMs ?? now
  const kind = barOf(step)
  if (step.attempts.length === 0 || kind === 'undo-bar') return [{ from: step.startedMs, to: end, kind }]
  const spans: { from: number; to: number; kind: BarKind }[] = []
  step.attempts.forEach((attempt, index) => {
    if (attempt.startedMs === null) return
    const last = index === step.attempts.length - 1
    const resumed = !last && (step.progress?.bytesResumed ?? 0) > 0
    const to = attempt.endedMs ?? end
    spans.push({ from: attempt.startedMs, to, kind: last ? kind : resumed ? 'kept' : 'fail' })
    // What was kept is no success: its end is marked as lost.
    if (resumed) spans.push({ from: to, to, kind: 'fail' })
  })
  if (step.state === 'running' && step.progress?.secondsLeft) {
    spans.push({ from: now, to: now + step.progress.secondsLeft * 1000, kind: 'guess' })
  }
  return spans
}

function barOf(step: { readonly state: Step['state']; readonly compensates?: string | null }): BarKind {
  if (step.compensates) return 'undo-bar'
  const { tone } = stepLooks[step.state]
  return tone === 'unknown' ? 'idle' : tone
}

function labelOf(text: string, a: number, b: number): TimelineRow['label'] {
  return { text, a, b, left: b > 78 }
}

/**
 * The run on an axis from its first to its last instant, or only one phase of it (`zoom`). Steps that are quiet are
 * left out; the table has them all.
 */
export function timelineOf(book: Runbook, now: number, zoom: PhaseView['phase'] | null = null): Timeline {
  const zoomed = book.phases.find((phase) => phase.phase === zoom)
  const ended = book.endedMs
  const expected = book.progress?.secondsLeft ? now + book.progress.secondsLeft * 1000 : now
  const fromMs = zoomed?.startedMs ?? book.startedMs
  const endMs = zoomed ? (zoomed.endedMs ?? Math.max(now, expected)) : (ended ?? Math.max(now, expected))
  const toMs = fromMs + Math.max(1000, (endMs - fromMs) * (ended === null ? 1.04 : 1))
  const at = (ms: number): number => ((ms - fromMs) / (toMs - fromMs)) * 100
  const inside = (ms: number): number => Math.min(100, Math.max(0, at(ms)))

  const place = (spans: readonly { from: number; to: number; kind: BarKind }[]): Span[] =>
    spans
      .filter((span) => span.to >= fromMs && span.from <= toMs)
      .map((span) => ({ a: inside(span.from), b: inside(span.to), kind: span.kind }))

  const rowOf = (step: Step): TimelineRow => {
    const spans = place(stepSpans(step, now))
    const last = spans.filter((span) => span.kind !== 'guess').at(-1)
    const done = step.startedMs !== null && step.endedMs !== null
    const label =
      last && done
        ? labelOf(formatDuration((step.endedMs ?? 0) - (step.startedMs ?? 0)), spans[0]?.a ?? last.a, last.b)
        : null
    return { id: step.id, title: step.title, look: stepLooks[step.state], level: 'step', spans, label }
  }

  const rows: TimelineRow[] = []
  for (const phase of zoomed ? [zoomed] : book.phases) {
    const spans =
      phase.startedMs === null ? [] : place([{ from: phase.startedMs, to: phase.endedMs ?? now, kind: barOf(phase) }])
    const [bar] = spans
    const label =
      bar && phase.endedMs !== null && phase.startedMs !== null
        ? labelOf(formatDuration(phase.endedMs - phase.startedMs), bar.a, bar.b)
        : null
    rows.push({
      id: `phase-${phase.phase}`,
      title: phase.title,
      look: stepLooks[phase.state],
      level: 'phase',
      spans,
      label,
    })
    for (const row of stepRows(book, phase)) {
      for (const step of [row.step, ...row.undo]) {
        if (!step.quiet && step.startedMs !== null) rows.push(rowOf(step))
      }
    }
  }

  const distance = tickMs(toMs - fromMs)
  const name = distance >= 60_000 ? clockShort : clock
  const ticks = [{ at: 0, text: clock(fromMs) }]
  for (let ms = Math.ceil(fromMs / distance) * distance; ms < toMs; ms += distance) {
    // The first label is the start itself; ticks too near to it, to now or to the end are left to the lines.
    const clear = at(ms) > 11 && at(ms) < 96 && (ended !== null || Math.abs(at(ms) - at(now)) > 8)
    if (clear) ticks.push({ at: at(ms), text: name(ms) })
  }
  return {
    fromMs,
    toMs,
    ticks,
    rows,
    tick: (distance / (toMs - fromMs)) * 100,
    now: ended === null ? inside(now) : null,
  }
}
