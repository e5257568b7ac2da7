import type { z } from '@hono/zod-openapi'
import { HoldfastError } from '../base/index.ts'
import type { RunHistory } from '../runbook/types.ts'
import type { historyPageSchema } from './schemas/runs.ts'

/** `EVENT_TYPE_ACTIVITY_TASK_SCHEDULED` → `ActivityTaskScheduled`. */
function typeOf(eventType: string): string {
  return eventType
    .replace(/^EVENT_TYPE_/, '')
    .toLowerCase()
    .replaceAll(/(?:^|_)([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
}

/** Raw events, oldest first. The cursor is the id of the last event of the page before. */
export function historyPage(
  history: RunHistory,
  page: { readonly limit: number; readonly cursor?: string | undefined },
): z.infer<typeof historyPageSchema> {
  if (page.cursor !== undefined && !/^\d{1,9}$/.test(page.cursor)) {
    throw new HoldfastError('InvalidRequest', 'the cursor is not one of this list', {
      hint: 'Start at the first page again.',
    })
  }
  const after = Number(page.cursor ?? 0)
  const rest = history.events.filter((event) => Number(event.eventId) > after)
  const kept = rest.slice(0, page.limit)
  const last = kept.at(-1)
  return {
    items: kept.map((event) => ({
      eventId: Number(event.eventId),
      ms: Date.parse(event.eventTime),
      type: typeOf(event.eventType),
      attributes: Object.entries(event).find(([name]) => name.endsWith('Attributes'))?.[1] ?? null,
    })),
    nextCursor: rest.length > kept.length && last ? last.eventId : null,
    total: history.events.length,
  }
}
