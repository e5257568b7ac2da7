import type { SerializedError } from '../../base/index.ts'
import type { Catalog, ErrorNote } from '../../catalog/index.ts'
import type { InventoryRecordActivities } from './types.ts'

/** What looks have found, into the catalog. */
export function createInventoryRecordActivities(catalog: Catalog): InventoryRecordActivities {
  return {
    recordProbe: async ({ endpointId, atMs, facts, error }) => {
      catalog.endpoints.recordProbe(endpointId, {
        testedMs: atMs,
        version: facts?.version ?? null,
        identity: facts?.identity ?? null,
        evidence: facts?.evidence ?? null,
        capabilities: facts?.capabilities ?? null,
        findings: facts?.findings ?? [],
        error: error && noteOf(error),
      })
    },
    recordDiscovered: async ({ endpointId, listing, vms }) => catalog.vms.recordDiscovered(endpointId, listing, vms),
    closeListing: async ({ endpointId, listing }) => catalog.vms.closeListing(endpointId, listing),
    recordRepositoryTest: async ({ repositoryId, atMs, result }) => {
      const { probe, usage, error, repositoryUuid } = result
      catalog.transaction(() => {
        catalog.repositories.recordTest(repositoryId, {
          testedMs: atMs,
          repositoryUuid,
          passed: error === null && probe?.passed === true,
          checks: probe?.checks ?? [],
          writeRate: probe?.writeRate ?? null,
          readRate: probe?.readRate ?? null,
          staleMs: probe?.staleMs ?? null,
          skewMs: probe?.skewMs ?? null,
          security: result.security ?? null,
          error: error && noteOf(error),
        })
        if (usage !== null) catalog.repositories.recordUsage(repositoryId, { measuredMs: atMs, ...usage })
      })
    },
    recordSiteTest: async ({ site, atMs, result: { worker, checks, error } }) => {
      catalog.sites.recordTest(site, {
        testedMs: atMs,
        worker,
        checks: checks.map((check) => ({ ...check, error: check.error && noteOf(check.error) })),
        error: error && noteOf(error),
      })
    },
  }
}

function noteOf({ code, message, hint, docs }: SerializedError): ErrorNote {
  return { code, message, hint, docs }
}
