import type { z } from '@hono/zod-openapi'
import type { Catalog, RepositoryTestRecord, RepositoryView, UsageRecord } from '../../catalog/index.ts'
import { forecastOf } from './capacity.ts'
import type {
  repositoryDetailSchema,
  repositorySchema,
  repositoryTestSchema,
  usageSchema,
} from '../schemas/repositories.ts'
import { scrubView } from './scrubs.ts'

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
    security: test.security ? { ...test.security, slots: test.security.slots.map((slot) => ({ ...slot })) } : null,
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

export function repositoryView(catalog: Catalog, repository: RepositoryView): z.infer<typeof repositorySchema> {
  return {
    id: repository.id,
    name: repository.name,
    site: repository.site,
    location: { ...repository.location },
    media: repository.media,
    standsAt: repository.standsAt,
    credentialRef: repository.credentialRef,
    createdMs: repository.createdMs,
    points: repository.points,
    vms: repository.vms,
    newestPointMs: repository.newestPointMs,
    usage: repository.usage && usageView(repository.usage),
    measuring: { triedMs: repository.measureTriedMs, error: repository.measureError },
    fullByMs: forecastOf(catalog, repository).fullMs,
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
    growth: catalog.repositories.growth(repository.id, 30).map(({ day, storedBytes }) => ({ day, storedBytes })),
  }
}
