import type { PhaseView, Runbook, Step } from '#lib/api/types.ts'
import { clock, formatDuration } from '#lib/format/index.ts'
import { stepLooks } from '#lib/state/looks.ts'
import type { Look } from '#lib/state/tone.ts'
import { axisOf, ticksOf, type Tick } from './axis.ts'
import { stepRows } from './book.ts'

/** `kept`: an attempt that failed but whose bytes the next one went on from. `guess`: expected, not happened. */
export type BarKind = 'ok' | 'run' | 'fail' | 'warn' | 'kept' | 'idle' | 'undo-bar' | 'guess'

/** From `a` to `b`, in percent of the axis. */
interface Span {
  readonly a: number
  readonly b: number
  readonly kind: BarKind
}

interface Label {
  readonly text: string
  readonly a: number
  readonly b: number
  /** Beside the bar where there is room, else on its end. */
  readonly side: 'after' | 'before' | 'on'
}

interface TimelineRow {
  readonly id: string
  readonly title: string
  readonly look: Look
  readonly level: 'phase' | 'step'
  readonly spans: readonly Span[]
  readonly label: Label | null
}

export interface Timeline {
  readonly fromMs: number
  readonly ticks: readonly Tick[]
  /** Distance of the lines in the lanes, in percent; null where the axis is cut. */
  readonly tick: number | null
  /** Where now is; null once the run has ended. */
  readonly now: number | null
  readonly rows: readonly TimelineRow[]
  /** `axis cut after 02:11:25`, or null. */
  readonly note: string | null
  /** Kinds that occur, for the key. */
  readonly kinds: ReadonlySet<BarKind>
}

/** Bars that show waiting, not work: an axis may be cut through them. */
const waits: ReadonlySet<BarKind> = new Set<BarKind>(['idle', 'warn', 'undo-bar', 'guess'])

interface Piece {
  readonly from: number
  readonly to: number
  readonly kind: BarKind
}

function barOf(of: { readonly state: Step['state']; readonly compensates?: string | null }): BarKind {
  if (of.compensates) return 'undo-bar'
  if (of.state === 'waiting-for-worker' || of.state === 'paused') return 'idle'
  const { tone } = stepLooks[of.state]
  return tone === 'unknown' ? 'idle' : tone
}

/** What is drawn of one step: a piece per attempt, and what is expected of it after now. */
function piecesOf(step: Step, now: number): Piece[] {
  if (step.startedMs === null) return []
  const end = step.endedMs ?? now
  const kind = barOf(step)
  if (step.attempts.length === 0 || kind === 'undo-bar') return [{ from: step.startedMs, to: end, kind }]
  const pieces: Piece[] = []
  step.attempts.forEach((attempt, index) => {
    if (attempt.startedMs === null) return
    const last = index === step.attempts.length - 1
    const resumed = !last && (step.progress?.bytesResumed ?? 0) > 0
    const to = attempt.endedMs ?? end
    pieces.push({ from: attempt.startedMs, to, kind: last ? kind : resumed ? 'kept' : 'fail' })
    // What was kept is no success: its end is marked as lost.
    if (resumed) pieces.push({ from: to, to, kind: 'fail' })
  })
  if (step.state === 'running' && step.progress?.secondsLeft) {
    pieces.push({ from: now, to: now + step.progress.secondsLeft * 1000, kind: 'guess' })
  }
  return pieces
}

function labelOf(text: string, a: number, b: number): Label {
  const side = b < 80 ? 'after' : a > 14 ? 'before' : 'on'
  return { text, a, b, side }
}

/** A disk's row begins with its name; its size and mode stand in the runbook above. */
function shortTitle(title: string): string {
  return title.split(' · ')[0] ?? title
}

/**
 * The run on an axis from its first to its last instant, or only one phase of it (`zoom`). Steps that are quiet are
 * left out; the table has them all.
 */
export function timelineOf(book: Runbook, now: number, zoom: PhaseView['phase'] | null = null): Timeline {
  const zoomed = book.phases.find((phase) => phase.phase === zoom && phase.startedMs !== null)
  const open = zoomed ? zoomed.endedMs === null : book.endedMs === null
  const left = open ? (book.progress?.secondsLeft ?? 0) * 1000 : 0
  const fromMs = zoomed?.startedMs ?? book.startedMs
  const endMs = (zoomed ? zoomed.endedMs : book.endedMs) ?? now + left
  const toMs = fromMs + Math.max(1000, (endMs - fromMs) * (open ? 1.04 : 1))

  const drawn = (zoomed ? [zoomed] : book.phases).map((phase) => ({
    phase,
    pieces: phase.startedMs === null ? [] : [{ from: phase.startedMs, to: phase.endedMs ?? now, kind: barOf(phase) }],
    steps: stepRows(book, phase)
      .flatMap((row) => [row.step, ...row.undo])
      .filter((step) => !step.quiet && step.startedMs !== null)
      .map((step) => ({ step, pieces: piecesOf(step, now) })),
  }))
  const works = drawn.flatMap((d) => d.steps.flatMap((s) => s.pieces))
  const events = [...drawn.flatMap((d) => d.pieces), ...works].flatMap((piece) => [piece.from, piece.to])
  const axis = axisOf(
    fromMs,
    toMs,
    open ? [...events, now] : events,
    (from, to) =>
      (!open || to <= now) && works.every((piece) => waits.has(piece.kind) || piece.to <= from || piece.from >= to),
  )
  const inside = (ms: number): number => Math.min(100, Math.max(0, axis.at(ms)))
  const place = (pieces: readonly Piece[]): Span[] =>
    pieces
      .filter((piece) => piece.to >= fromMs && piece.from <= toMs)
      .map((piece) => ({ a: inside(piece.from), b: inside(piece.to), kind: piece.kind }))

  const rowOf = (
    of: Step | PhaseView,
    level: TimelineRow['level'],
    id: string,
    pieces: readonly Piece[],
  ): TimelineRow => {
    const spans = place(pieces)
    const [first] = spans
    const last = spans.filter((span) => span.kind !== 'guess').at(-1)
    const label =
      first && last && of.startedMs !== null && of.endedMs !== null
        ? labelOf(formatDuration(of.endedMs - of.startedMs), first.a, last.b)
        : null
    return {
      id,
      title: level === 'phase' ? of.title : shortTitle(of.title),
      look: stepLooks[of.state],
      level,
      spans,
      label,
    }
  }
  const rows = drawn.flatMap(({ phase, pieces, steps }) => [
    rowOf(phase, 'phase', `phase-${phase.phase}`, pieces),
    ...steps.map(({ step, pieces: own }) => rowOf(step, 'step', step.id, own)),
  ])
  const nowAt = open ? inside(now) : null
  const { ticks, distance } = ticksOf(axis, nowAt)
  return {
    fromMs,
    ticks,
    rows,
    now: nowAt,
    tick: axis.cut ? null : (distance / (toMs - fromMs)) * 100,
    note: axis.cut ? `axis cut after ${clock(axis.cut.fromMs)}` : null,
    kinds: new Set(rows.flatMap((row) => row.spans.map((span) => span.kind))),
  }
}
