import { z } from '@hono/zod-openapi'
import { orNull } from './common.ts'
import type { SerializedError } from '../../base/index.ts'
import type {
  NextAction,
  OperatorNote,
  PhaseView,
  ResidueRow,
  RunFacts,
  Runbook,
  Step,
  StepAttempt,
  StepProgress,
} from '../../runbook/types.ts'
import { runKinds } from '../../runbook/kinds.ts'

/** The schemas mirror `runbook/types.ts`; `Same` at the end of this file fails to compile when one of the two moves. */

export const errorSchema = z
  .object({
    code: z.string(),
    message: z.string(),
    hint: z.string(),
    retry: z.enum(['transient', 'after', 'full', 'degrade', 'operator', 'never']),
    docs: z.string(),
    native: z.object({ code: z.string(), text: z.string() }).optional(),
    retryAfter: z.number().optional(),
    data: z.record(z.string(), z.unknown()).optional(),
    causes: z.array(z.string()),
  })
  .openapi('Error')

export const phaseSchema = z.enum([
  'prepare',
  'quiesce',
  'copy',
  'commit',
  'verify',
  'restore',
  'boot',
  'prove',
  'backups',
  'tiers',
  'survey',
  'approve',
  'remove',
  'collect',
  'look',
  'cleanup',
])

export const stepStateSchema = z
  .enum([
    'scheduled',
    'waiting-for-worker',
    'running',
    'retrying',
    'stalled',
    'paused',
    'waiting-for-approval',
    'done',
    'skipped',
    'failed',
    'compensating',
    'compensated',
    'cancelled',
    'residue',
  ])
  .openapi('StepState')

export const runStateSchema = z
  .enum(['running', 'paused', 'waiting', 'completed', 'completed-with-residue', 'failed', 'cancelled', 'terminated'])
  .openapi('RunState')

export const runKindSchema = z.enum(runKinds).openapi('RunKind')

export const nextActionSchema = z
  .object({
    id: z.enum([
      'approve',
      'step-done',
      'choose',
      'pause',
      'resume',
      'cancel',
      'retry',
      'retry-now',
      'start-again',
      'open-docs',
      'start-worker',
      'free-space',
      'restore',
      'drill',
    ]),
    label: z.string(),
    explanation: z.string(),
    command: z.string().nullable(),
    who: z.enum(['viewer', 'operator', 'restorer', 'admin']),
    primary: z.boolean(),
  })
  .openapi('NextAction')

export const progressSchema = z
  .object({
    bytesDone: z.number(),
    bytesTotal: z.number(),
    bytesRead: z.number(),
    bytesStored: z.number(),
    bytesResumed: z.number(),
    durableOffset: z.number(),
    rate: z.number().nullable(),
    secondsLeft: z.number().nullable(),
    bottleneck: z.enum(['source', 'mover', 'repository', 'target']).nullable(),
    seenMs: z.number(),
  })
  .openapi('Progress')

export const stepAttemptSchema = z
  .object({
    attempt: z.number(),
    startedMs: z.number().nullable(),
    endedMs: z.number().nullable(),
    worker: z.string().nullable(),
    error: orNull(errorSchema),
    note: z.string().nullable(),
  })
  .openapi('StepAttempt')

export const stepSchema = z
  .object({
    id: z.string(),
    title: z.string(),
    detail: z.string().nullable(),
    phase: phaseSchema,
    state: stepStateSchema,
    startedMs: z.number().nullable(),
    endedMs: z.number().nullable(),
    attempt: z.number(),
    maxAttempts: z.number().nullable(),
    nextAttemptMs: z.number().nullable(),
    worker: z.string().nullable(),
    queue: z.string().nullable(),
    progress: orNull(progressSchema),
    attempts: z.array(stepAttemptSchema),
    error: orNull(errorSchema),
    compensates: z.string().nullable(),
    input: z.unknown(),
    result: z.unknown(),
    events: z.array(z.number()),
    actions: z.array(nextActionSchema),
    quiet: z.boolean(),
  })
  .openapi('Step')

export const phaseViewSchema = z
  .object({
    phase: phaseSchema,
    title: z.string(),
    state: stepStateSchema,
    summary: z.string(),
    startedMs: z.number().nullable(),
    endedMs: z.number().nullable(),
    steps: z.array(stepSchema),
  })
  .openapi('PhaseView')

export const operatorNoteSchema = z
  .object({ ms: z.number(), what: z.string(), who: z.string().nullable(), reason: z.string().nullable() })
  .openapi('OperatorNote')

export const residueSchema = z
  .object({ kind: z.string(), id: z.string(), error: z.string(), hint: z.string() })
  .openapi('Residue')

export const runFactsSchema = z
  .object({
    vmName: z.string().nullable(),
    repositoryName: z.string().nullable(),
    platform: z.string().nullable(),
    driverEvidence: z.string().nullable(),
    pollers: z.record(z.string(), z.object({ count: z.number(), lastSeenMs: z.number().nullable() })),
    nowMs: z.number(),
  })
  .openapi('RunFacts')

export const runbookSchema = z
  .object({
    v: z.literal(1),
    workflowId: z.string(),
    runId: z.string(),
    kind: runKindSchema,
    title: z.string(),
    sentence: z.string(),
    state: runStateSchema,
    verdict: z.enum(['passed', 'failed', 'inconclusive']).nullable(),
    startedMs: z.number(),
    endedMs: z.number().nullable(),
    resumedTimes: z.number(),
    progress: orNull(progressSchema),
    phases: z.array(phaseViewSchema),
    notes: z.array(operatorNoteSchema),
    error: orNull(errorSchema),
    residue: z.array(residueSchema),
    actions: z.array(nextActionSchema),
    eventCount: z.number(),
    facts: runFactsSchema,
  })
  .openapi('Runbook')

/** `readonly` taken off at every level: what JSON gives back. */
type Writable<T> = T extends readonly (infer Item)[]
  ? Writable<Item>[]
  : T extends object
    ? { -readonly [K in keyof T]: Writable<T[K]> }
    : T
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : never) : never
/** The error's code is open in the schema: an archived run may carry one that a later version dropped. */
type OpenCode<T> = T extends readonly (infer Item)[]
  ? OpenCode<Item>[]
  : T extends SerializedError
    ? Omit<T, 'code'> & { code: string }
    : T extends object
      ? { [K in keyof T]: OpenCode<T[K]> }
      : T
/** An optional member is absent, never undefined: JSON knows no other. */
type Exact<T> = T extends (infer Item)[]
  ? Exact<Item>[]
  : T extends object
    ? { [K in keyof T]: Exact<Exclude<T[K], undefined>> }
    : T
type Mirrors<Type, Schema extends z.ZodType> = Same<OpenCode<Writable<Type>>, Exact<z.infer<Schema>>>

const mirrors: readonly true[] = [
  true satisfies Mirrors<SerializedError, typeof errorSchema>,
  true satisfies Mirrors<NextAction, typeof nextActionSchema>,
  true satisfies Mirrors<StepProgress, typeof progressSchema>,
  true satisfies Mirrors<StepAttempt, typeof stepAttemptSchema>,
  true satisfies Mirrors<Step, typeof stepSchema>,
  true satisfies Mirrors<PhaseView, typeof phaseViewSchema>,
  true satisfies Mirrors<OperatorNote, typeof operatorNoteSchema>,
  true satisfies Mirrors<ResidueRow, typeof residueSchema>,
  true satisfies Mirrors<RunFacts, typeof runFactsSchema>,
  true satisfies Mirrors<Runbook, typeof runbookSchema>,
]
void mirrors
