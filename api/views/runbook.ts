import type { z } from '@hono/zod-openapi'
import type { Runbook } from '../../runbook/types.ts'
import type { runbookSchema } from '../schemas/runbook.ts'

/**
 * The runbook travels as it is. `schemas/runbook.ts` proves at compile time that type and schema say the same, so this
 * only takes `readonly` off, which no mutation here would notice.
 */
export function runbookView(book: Runbook): z.infer<typeof runbookSchema> {
  return book as z.infer<typeof runbookSchema>
}
