import { formatDuration } from '../../base/index.ts'
import type { Schemas } from '../client/index.ts'
import { plain, type Style } from './style.ts'
import { at, bar, progressText, runWord, sign, stepTone } from './words.ts'

type Runbook = Schemas['Runbook']
type Step = Schemas['Step']

/** The run page as text: sentence, phases, what failed and what to do, what is left. */
export function runbookText(book: Runbook, style: Style, nowMs: number): string {
  const took = formatDuration(Math.max(0, (book.endedMs ?? nowMs) - book.startedMs))
  const resumed =
    book.resumedTimes > 0 ? ` · resumed ${book.resumedTimes === 1 ? 'once' : `${book.resumedTimes} times`}` : ''
  const { word, tone } = runWord({ ...book, said: book.verdict })
  const lines = [
    `${style.bold(plain(book.title))}  ${style.tone(tone, word)} · ${took}${resumed}`,
    plain(book.sentence),
    style.dim(`${book.workflowId} · ${book.runId} · started ${at(book.startedMs)}`),
  ]
  if (book.progress && book.endedMs === null) {
    lines.push(`${bar(book.progress.bytesDone, book.progress.bytesTotal)}  ${progressText(book.progress)}`)
  }
  if (book.error) lines.push('', ...errorLines(book.error, style))
  lines.push('')
  for (const phase of book.phases) {
    const head = `${sign(phase.state)} ${phase.title}`
    lines.push(`${style.tone(stepTone(phase.state), head.padEnd(12))} ${plain(phase.summary)}`)
    const open = phase.state !== 'done' && phase.state !== 'scheduled' && phase.state !== 'skipped'
    if (open)
      for (const step of phase.steps) if (!step.quiet || step.error) lines.push(...stepLines(step, style, nowMs))
  }
  if (book.residue.length > 0) {
    lines.push('', style.tone('attention', 'Left behind:'))
    for (const item of book.residue)
      lines.push(`  ${item.kind} ${plain(item.id)}: ${plain(item.error)}. ${plain(item.hint)}`)
  }
  if (book.notes.length > 0) {
    lines.push('')
    for (const note of book.notes) {
      lines.push(
        `  ${at(note.ms)}  ${plain(note.what)}${note.who ? ` by ${plain(note.who)}` : ''}${note.reason ? `: “${plain(note.reason)}”` : ''}`,
      )
    }
  }
  const actions = book.actions.filter((action) => action.command !== null)
  if (actions.length > 0) {
    lines.push('', 'What you can do:')
    for (const action of actions)
      lines.push(`  ${action.label}. ${action.explanation} (${action.who})`, `    ${action.command ?? ''}`)
  }
  return lines.join('\n')
}

function errorLines(error: Schemas['Error'], style: Style): string[] {
  return [
    style.tone('failed', plain(error.message)),
    plain(error.hint),
    ...error.causes.map((cause) => style.dim(`  because: ${plain(cause)}`)),
    style.dim(`  ${error.code} · docs/${error.docs}`),
  ]
}

function stepLines(step: Step, style: Style, nowMs: number): string[] {
  const took =
    step.startedMs === null ? '' : ` · ${formatDuration(Math.max(0, (step.endedMs ?? nowMs) - step.startedMs))}`
  const attempt =
    step.attempt > 1 ? ` · attempt ${step.attempt}${step.maxAttempts ? ` of ${step.maxAttempts}` : ''}` : ''
  const undo = step.compensates === null ? '' : 'undo: '
  const lines = [
    `  ${style.tone(stepTone(step.state), sign(step.state))} ${undo}${plain(step.title)}${style.dim(`${took}${attempt}`)}`,
  ]
  if (step.detail) lines.push(`      ${plain(step.detail)}`)
  if (step.progress && step.endedMs === null) {
    lines.push(`      ${bar(step.progress.bytesDone, step.progress.bytesTotal, 16)}  ${progressText(step.progress)}`)
  }
  for (const one of step.attempts) {
    if (one.error)
      lines.push(
        style.dim(
          `      ↻ attempt ${one.attempt} failed ${at(one.endedMs)}: ${plain(one.error.message)}${one.note ? ` — ${plain(one.note)}` : ''}`,
        ),
      )
    else if (one.note) lines.push(style.dim(`      ↻ attempt ${one.attempt}: ${plain(one.note)}`))
  }
  return lines
}

/** One line for logs and pipes. */
export function runbookLine(book: Runbook, nowMs: number): string {
  const step = book.phases.flatMap((phase) => phase.steps).find((one) => one.endedMs === null && one.startedMs !== null)
  const took = formatDuration(Math.max(0, (book.endedMs ?? nowMs) - book.startedMs))
  const rest =
    book.progress && book.endedMs === null
      ? progressText(book.progress)
      : step
        ? plain(step.title)
        : plain(book.sentence)
  return `${new Date(nowMs).toISOString().slice(11, 19)} ${book.workflowId} ${book.state} · ${took} · ${rest}`
}
