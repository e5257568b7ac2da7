import { createHash } from 'node:crypto'
import type { Runbook, Step, StepState } from '../../runbook/index.ts'

type Value = { readonly stringValue: string } | { readonly intValue: string }
interface Attribute {
  readonly key: string
  readonly value: Value
}
interface Span {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly kind: 1
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly attributes: readonly Attribute[]
  readonly events?: readonly {
    readonly name: string
    readonly timeUnixNano: string
    readonly attributes: readonly Attribute[]
  }[]
  readonly status: { readonly code?: 1 | 2; readonly message?: string }
}

/** What a collector takes: ExportTraceServiceRequest of OTLP, as JSON. */
export interface TraceRequest {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] }
    readonly scopeSpans: readonly {
      readonly scope: { readonly name: string; readonly version: string }
      readonly spans: readonly Span[]
    }[]
  }[]
}

interface Ended {
  readonly vmId: string | null
  readonly repositoryId: string | null
  readonly bytesRead: number | null
  readonly bytesStored: number | null
}

const bad = new Set<StepState>(['failed', 'residue'])

/**
 * One trace of a run that has ended: the run, its phases, their steps, and in each step the attempts that failed. Ids follow
 * from the run's own, so that one told twice is the same trace. Inputs, results and people are not in it.
 */
export function traceOf(
  book: Runbook,
  run: Ended,
  { resource, version }: { readonly resource: { readonly [name: string]: string }; readonly version: string },
): TraceRequest {
  const traceId = idOf(book.runId, '', 32)
  const endMs = book.endedMs ?? book.startedMs
  const span = (
    of: Pick<Span, 'name' | 'attributes' | 'status'> & Partial<Span>,
    id: string,
    from: number | null,
    to: number | null,
  ): Span => ({
    ...{ traceId, spanId: idOf(book.runId, id, 16), kind: 1 as const },
    startTimeUnixNano: nanos(from ?? book.startedMs),
    // What was cut off has no end of its own.
    endTimeUnixNano: nanos(Math.max(to ?? endMs, from ?? book.startedMs)),
    ...of,
  })
  const root = span(
    {
      name: `holdfast ${book.kind}`,
      attributes: attributes({
        ...{ 'holdfast.run.kind': book.kind, 'holdfast.run.state': book.state, 'holdfast.run.title': book.title },
        ...{ 'holdfast.workflow_id': book.workflowId, 'holdfast.run_id': book.runId },
        ...{ 'holdfast.vm': run.vmId, 'holdfast.repository': run.repositoryId },
        ...{ 'holdfast.bytes_read': run.bytesRead, 'holdfast.bytes_stored': run.bytesStored },
      }),
      status: book.state === 'failed' || book.state === 'terminated' ? failure(book.error?.message) : { code: 1 },
    },
    'run',
    book.startedMs,
    endMs,
  )
  const spans = [root]
  for (const { phase, title, state, startedMs, endedMs, steps } of book.phases) {
    if (startedMs === null) continue
    const own = span(
      {
        parentSpanId: root.spanId,
        name: title,
        attributes: attributes({ 'holdfast.phase': phase }),
        status: bad.has(state) ? failure() : {},
      },
      `phase/${phase}`,
      startedMs,
      endedMs,
    )
    spans.push(own)
    for (const step of steps)
      if (step.startedMs !== null)
        spans.push(span({ parentSpanId: own.spanId, ...stepOf(step) }, `step/${step.id}`, step.startedMs, step.endedMs))
  }
  const scope = { name: 'holdfast', version }
  return {
    resourceSpans: [
      {
        resource: { attributes: attributes({ ...resource, 'service.version': version }) },
        scopeSpans: [{ scope, spans }],
      },
    ],
  }
}

function stepOf({ title, phase, state, attempt, worker, queue, progress, attempts, error }: Step) {
  return {
    name: title,
    attributes: attributes({
      ...{ 'holdfast.phase': phase, 'holdfast.step.state': state, 'holdfast.step.attempts': attempt },
      ...{ 'holdfast.worker': worker, 'holdfast.queue': queue },
      ...{ 'holdfast.bytes_read': progress?.bytesRead, 'holdfast.bytes_stored': progress?.bytesStored },
    }),
    events: attempts.flatMap((one) =>
      one.error === null || one.endedMs === null
        ? []
        : [
            {
              name: 'exception',
              timeUnixNano: nanos(one.endedMs),
              attributes: attributes({
                ...{ 'exception.type': one.error.code, 'exception.message': one.error.message },
                ...{ 'holdfast.attempt': one.attempt, 'holdfast.worker': one.worker },
              }),
            },
          ],
    ),
    status: bad.has(state) ? failure(error?.message) : {},
  }
}

function failure(message?: string): Span['status'] {
  return { code: 2, ...(message !== undefined && { message }) }
}

function attributes(of: { readonly [key: string]: string | number | null | undefined }): Attribute[] {
  return Object.entries(of).flatMap(([key, value]): Attribute[] =>
    value === null || value === undefined
      ? []
      : [{ key, value: typeof value === 'number' ? { intValue: String(Math.round(value)) } : { stringValue: value } }],
  )
}

/** So many hexadecimal digits, never all of them zero. */
function idOf(runId: string, what: string, digits: 16 | 32): string {
  return createHash('sha256').update(`${runId}\n${what}`).digest('hex').slice(0, digits)
}

/** Beyond what a number holds exactly. */
function nanos(ms: number): string {
  return String(BigInt(Math.round(ms)) * 1_000_000n)
}
