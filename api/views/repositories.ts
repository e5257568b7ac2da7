import type { z } from '@hono/zod-openapi'
import type { Catalog, RepositoryTestRecord, RepositoryView, UsageRecord } from '../../catalog/index.ts'
import type {
  repositoryDetailSchema,
  repositorySchema,
  repositoryTestSchema,
  usageSchema,
} from '../schemas/repositories.ts'
import { scrubView } from './scrubs.ts'

const dayMs = 86_400_000
type Growth = readonly { readonly day: string; readonly storedBytes: number }[]

export function repositoryTestView(test: RepositoryTestRecord): z.infer<typeof repositoryTestSchema> {
  return {
    state: test.error === null && test.passed ? 'ok' : 'failed',
    testedMs: test.testedMs,
    repositoryUuid: test.repositoryUuid,
    checks: test.checks.map((check) => ({ ...check })),
    writeRate: test.writeRate,
    readRate: test.readRate,
    staleMs: test.staleMs,
    skewMs: test.skewMs,
    error: test.error,
  }
}

function usageView(usage: UsageRecord): z.infer<typeof usageSchema> {
  const ratio = (a: number, b: number): number | null => (b > 0 ? Math.round((a / b) * 100) / 100 : null)
  return {
    ...usage,
    dedupRatio: ratio(usage.logicalBytes, usage.uniqueBytes),
    compressionRatio: ratio(usage.uniqueBytes, usage.storedBytes),
  }
}

/** At the growth between the oldest and the newest day kept; null without growth, capacity, or at least two days. */
export function fullByMs(usage: UsageRecord | null, growth: Growth): number | null {
  const [first, last] = [growth.at(0), growth.at(-1)]
  if (!usage || usage.freeBytes === null || !first || !last || first.day === last.day) return null
  const days = (Date.parse(last.day) - Date.parse(first.day)) / dayMs
  const perDay = (last.storedBytes - first.storedBytes) / days
  return perDay > 0 ? Math.round(usage.measuredMs + (usage.freeBytes / perDay) * dayMs) : null
}

export function repositoryView(catalog: Catalog, repository: RepositoryView): z.infer<typeof repositorySchema> {
  return {
    id: repository.id,
    name: repository.name,
    site: repository.site,
    location: { ...repository.location },
    credentialRef: repository.credentialRef,
    createdMs: repository.createdMs,
    points: repository.points,
    vms: repository.vms,
    newestPointMs: repository.newestPointMs,
    usage: repository.usage && usageView(repository.usage),
    measuring: { triedMs: repository.measureTriedMs, error: repository.measureError },
    fullByMs: fullByMs(repository.usage, catalog.repositories.growth(repository.id, 30)),
    test: repository.test && repositoryTestView(repository.test),
    scrub: scrubView(catalog.scrubs.find(repository.id)),
  }
}

export function repositoryDetailView(
  catalog: Catalog,
  repository: RepositoryView,
): z.infer<typeof repositoryDetailSchema> {
  return {
    ...repositoryView(catalog, repository),
    consumption: catalog.repositories
      .consumption(repository.id, 50)
      .map(({ verified, ...row }) => ({ ...row, verifiedShare: verified / row.points })),
    growth: catalog.repositories.growth(repository.id, 30),
  }
}
