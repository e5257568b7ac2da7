import type { z } from '@hono/zod-openapi'
import type { Catalog, RepositoryView } from '../../catalog/index.ts'
import {
  expectedRates,
  forecastUsage,
  type MeasuredRate,
  rulesInWords,
  whatIf,
  type Forecast,
  type UsageSample,
} from '../../policy/index.ts'
import type { capacityDetailSchema, capacitySchema, whatIfBody, whatIfSchema } from '../schemas/capacity.ts'

/** As many as a forecast looks at. */
const forecastDays = 120
const year = 366

export function samplesOf(catalog: Catalog, repositoryId: string, days: number): UsageSample[] {
  return catalog.repositories
    .growth(repositoryId, days)
    .map(({ day, storedBytes: bytes }) => ({ ms: Date.parse(day), bytes }))
}

export function forecastOf(catalog: Catalog, { id, usage }: Pick<RepositoryView, 'id' | 'usage'>): Forecast {
  return forecastUsage(samplesOf(catalog, id, forecastDays), usage?.freeBytes ?? null)
}

export function capacityView(catalog: Catalog, repository: RepositoryView): z.infer<typeof capacitySchema> {
  const { id, name, site, usage } = repository
  return {
    repositoryId: id,
    repositoryName: name,
    site,
    measuredMs: usage?.measuredMs ?? null,
    storedBytes: usage?.storedBytes ?? null,
    logicalBytes: usage?.logicalBytes ?? null,
    capacityBytes: usage?.capacityBytes ?? null,
    freeBytes: usage?.freeBytes ?? null,
    storedShare: usage === null || usage.logicalBytes === 0 ? null : usage.storedBytes / usage.logicalBytes,
    forecast: forecastOf(catalog, repository),
  }
}

export function capacityDetailView(catalog: Catalog, repository: RepositoryView): z.infer<typeof capacityDetailSchema> {
  return {
    ...capacityView(catalog, repository),
    samples: catalog.repositories.growth(repository.id, year).map(({ day, storedBytes }) => ({ day, storedBytes })),
  }
}

/** Of each VM with an incremental point of the last week. */
function measuredRates(catalog: Catalog): MeasuredRate[] {
  const rates = catalog.policy.changeRates()
  return catalog.policy.candidates().flatMap(({ id, sizeBytes }) => {
    const rate = rates.get(id)
    return rate === undefined || sizeBytes === 0
      ? []
      : [{ changeShare: rate.readPerDay / sizeBytes, storedShare: rate.storedShare }]
  })
}

export function whatIfView(
  catalog: Catalog,
  repository: RepositoryView,
  wish: z.infer<typeof whatIfBody>,
  nowMs: number,
): z.infer<typeof whatIfSchema> {
  const { keep, everyMs, rpoMs } = catalog.categories.get(wish.category)
  const rates = expectedRates(measuredRates(catalog))
  const { storedShare = rates.storedShare, changeShare = rates.changeShare } = wish
  const { usage } = repository
  const capacityBytes = usage?.capacityBytes ?? null
  const forecast = forecastOf(catalog, repository)
  const from = { nowMs, storedBytes: usage?.storedBytes ?? 0, forecast }
  // On demand: as often as the promise needs it.
  const asked = { ...wish, storedShare, changeShare, keep: { ...keep, timeZone: 'UTC' }, everyMs: everyMs ?? rpoMs }
  const { marks, fullMs } = whatIf(asked, from, capacityBytes)
  return {
    repositoryId: repository.id,
    storedShare,
    changeShare,
    measuredVms: rates.measuredVms,
    keep: rulesInWords(asked.keep),
    capacityBytes,
    fullMs,
    marks: marks.map((mark) => ({ ...mark })),
  }
}
