import type { z } from '@hono/zod-openapi'
import type { VerifyFindingRow, VerifyRunView } from '../../catalog/index.ts'
import type { verifyFindingSchema, verifyRunSchema } from '../schemas/verify.ts'

export function verifyRunView(run: VerifyRunView): z.infer<typeof verifyRunSchema> {
  return { ...run, verdict: verdictOf(run), notes: [...run.notes] }
}

/** A run that failed could not read what it was to judge: that is unreadable, never damaged or absent. */
function verdictOf({ state, damages, unreadable }: VerifyRunView): z.infer<typeof verifyRunSchema>['verdict'] {
  if (state === 'failed') return 'unreadable'
  if (state !== 'completed') return null
  return damages > 0 ? 'damaged' : unreadable > 0 ? 'unreadable' : 'sound'
}

export function verifyFindingView({
  runId: _run,
  number: _number,
  ...finding
}: VerifyFindingRow): z.infer<typeof verifyFindingSchema> {
  return { ...finding, affects: finding.affects.map((one) => ({ ...one, ranges: [...one.ranges] })) }
}
