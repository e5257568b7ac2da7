/** Looks at hypervisors and repositories. They change nothing but the catalog. */
import type { SerializedError } from '../../base/index.ts'
import type { Endpoint, Finding, LooseImage, VmFacts } from '../../drivers/values.ts'
import type {
  CheckRestoreInput,
  CheckRestoreResult,
  DiscoverPage,
  DiscoverResult,
  TestRepositoryInput,
  TestRepositoryResult,
  TestSiteInput,
  TestSiteResult,
} from '../../workflows/inventory/contract.ts'

export interface EndpointFacts {
  readonly version: string
  readonly identity: string
  readonly evidence: DiscoverResult['evidence']
  readonly capabilities: { readonly [name: string]: unknown }
  readonly findings: readonly Finding[]
}

/** On the site. */
export interface InventoryActivities {
  readonly probeEndpoint: (input: { readonly endpoint: Endpoint }) => Promise<EndpointFacts>
  /** One page of the listing; `after` is `next` of the page before, null for the first. */
  readonly discoverVms: (input: { readonly endpoint: Endpoint; readonly after: string | null }) => Promise<DiscoverPage>
  /** Images in the folder of an endpoint of the platform image; Unsupported for others. */
  readonly listImages: (input: { readonly endpoint: Endpoint }) => Promise<readonly LooseImage[]>
  /** These images of the folder are the disks of a VM from now on; the same ones again are the same VM. */
  readonly describeImages: (input: {
    readonly endpoint: Endpoint
    readonly name: string
    readonly files: readonly string[]
  }) => Promise<void>
  /** Opens with its secret, probes the store, measures. What is wrong is in the result. */
  readonly inspectRepository: (input: TestRepositoryInput) => Promise<TestRepositoryResult>
  /** Tries everything of the site, many at a time. What cannot be reached is in the result. */
  readonly reachAll: (input: TestSiteInput) => Promise<TestSiteResult>
  readonly inspectRestore: (input: CheckRestoreInput) => Promise<CheckRestoreResult>
}

export interface ProbeNote {
  readonly endpointId: string
  readonly atMs: number
  readonly facts: EndpointFacts | null
  readonly error: SerializedError | null
}
export interface ListingCounts {
  readonly added: number
  readonly changed: number
}

/** In the control plane, into the catalog. */
export interface InventoryRecordActivities {
  readonly recordProbe: (note: ProbeNote) => Promise<void>
  /** `listing` names one listing: what it has not seen when it closes is gone. */
  readonly recordDiscovered: (page: {
    readonly endpointId: string
    readonly listing: string
    readonly atMs: number
    readonly vms: readonly VmFacts[]
  }) => Promise<ListingCounts>
  readonly closeListing: (input: {
    readonly endpointId: string
    readonly listing: string
    readonly atMs: number
  }) => Promise<{ readonly gone: number }>
  readonly recordRepositoryTest: (input: {
    readonly repositoryId: string
    readonly atMs: number
    readonly result: TestRepositoryResult
  }) => Promise<void>
  readonly recordSiteTest: (input: {
    readonly site: string
    readonly atMs: number
    readonly result: TestSiteResult
  }) => Promise<void>
}
