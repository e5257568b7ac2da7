import type { z } from '@hono/zod-openapi'
import type { ScrubRow } from '../../catalog/index.ts'
import type { scrubSchema } from '../schemas/scrubs.ts'

export function scrubView(row: ScrubRow | undefined): z.infer<typeof scrubSchema> {
  const { level, budgetBytes = null, countedMs = null, bytes = null } = row ?? {}
  return {
    level: level ?? 'data',
    budgetBytes,
    countedMs,
    packs: row?.packs ?? null,
    bytes,
    readPacks: row?.readPacks ?? null,
    readBytes: row?.readBytes ?? null,
    oldestMs: row?.oldestMs ?? null,
    roundDays: budgetBytes === null || bytes === null ? null : Math.max(1, Math.ceil(bytes / budgetBytes)),
  }
}
