import { isCancellation, uuid4 } from '@temporalio/workflow'
import type { ActivityOptions } from '@temporalio/workflow'
import type { SerializedError } from '../../base/index.ts'
import type { EndpointFacts, InventoryActivities, InventoryRecordActivities } from '../../activities/inventory/types.ts'
import { asFailure, errorOf } from '../shared/failures.ts'
import { controlSteps, siteSteps } from '../shared/options.ts'
import { StepIds, hex32 } from '../shared/steps.ts'
import type {
  CheckRestoreInput,
  CheckRestoreResult,
  DiscoverInput,
  DiscoverResult,
  LookAtImagesInput,
  LookAtImagesResult,
  TestRepositoryInput,
  TestRepositoryResult,
  TestSiteInput,
  TestSiteResult,
} from './contract.ts'

/** Somebody waits for the answer: a site without a worker is said soon, a hypervisor that does not answer too. */
const whileSomebodyWaits: ActivityOptions = {
  scheduleToStartTimeout: '20 seconds',
  startToCloseTimeout: '90 seconds',
  scheduleToCloseTimeout: '100 seconds',
  retry: { initialInterval: '1 second', maximumAttempts: 2 },
}

/** Looks at an endpoint and, if asked, lists its VMs into the catalog page by page. */
export async function discoverEndpoint(input: DiscoverInput): Promise<DiscoverResult> {
  const ids = new StepIds()
  const site = siteSteps<InventoryActivities>(input.site, 'hypervisor')
  const records = controlSteps<InventoryRecordActivities>('quick')
  const endpointId: string = input.endpoint.id
  let facts: EndpointFacts | null = null
  let error: SerializedError | null = null
  const counts = { found: 0, added: 0, changed: 0, gone: 0 }
  try {
    const probe = { ...ids.step('probe', `Look at ${input.endpoint.address}`), ...whileSomebodyWaits }
    facts = await site.probeEndpoint.executeWithOptions(probe, [{ endpoint: input.endpoint }])
    if (input.mode === 'discover') {
      const listing = hex32(uuid4())
      for (let after: string | null = null, page = 1; ; page += 1) {
        const list = { ...ids.step('list', `List VMs, page ${page}`), ...whileSomebodyWaits }
        const { vms, next } = await site.discoverVms.executeWithOptions(list, [{ endpoint: input.endpoint, after }])
        const { added, changed } = await records.recordDiscovered.executeWithOptions(
          ids.step('record-page', `Write down ${vms.length} VMs`),
          [{ endpointId, listing, atMs: Date.now(), vms }],
        )
        counts.found += vms.length
        counts.added += added
        counts.changed += changed
        if (next === null) break
        after = next
      }
      // Only a listing that came to its end says that something is gone.
      const { gone } = await records.closeListing.executeWithOptions(ids.step('close-listing', 'Mark what is gone'), [
        { endpointId, listing, atMs: Date.now() },
      ])
      counts.gone = gone
    }
  } catch (thrown) {
    error = resultOf(thrown)
    counts.found = counts.added = counts.changed = 0
  }
  await orFail(
    records.recordProbe.executeWithOptions(ids.step('record-probe', 'Write down what was found'), [
      { endpointId, atMs: Date.now(), facts, error },
    ]),
  )
  return {
    v: 1,
    version: facts?.version ?? null,
    identity: facts?.identity ?? null,
    evidence: facts?.evidence ?? null,
    capabilities: facts?.capabilities ?? null,
    findings: facts?.findings ?? [],
    error,
    ...counts,
  }
}

/** Opens a repository with its secret, probes its store, measures it. */
export async function testRepository(input: TestRepositoryInput): Promise<TestRepositoryResult> {
  const ids = new StepIds()
  const site = siteSteps<InventoryActivities>(input.repository.site, 'hypervisor')
  const records = controlSteps<InventoryRecordActivities>('quick')
  let result: TestRepositoryResult
  try {
    const options = { ...ids.step('test', `Test ${input.repository.name}`), ...whileSomebodyWaits }
    result = await site.inspectRepository.executeWithOptions(options, [input])
  } catch (thrown) {
    result = { v: 1, repositoryUuid: null, probe: null, usage: null, error: resultOf(thrown) }
  }
  await orFail(
    records.recordRepositoryTest.executeWithOptions(ids.step('record-test', 'Write down what was found'), [
      { repositoryId: input.repository.id, atMs: Date.now(), result },
    ]),
  )
  return result
}

/** Asks a worker of a site what it can reach: the server, its hypervisors, its repositories. */
export async function testSite(input: TestSiteInput): Promise<TestSiteResult> {
  const ids = new StepIds()
  const site = siteSteps<InventoryActivities>(input.site, 'hypervisor')
  const records = controlSteps<InventoryRecordActivities>('quick')
  let result: TestSiteResult
  try {
    const options = { ...ids.step('reach', `Reach everything of ${input.site}`), ...whileSomebodyWaits }
    result = await site.reachAll.executeWithOptions(options, [input])
  } catch (thrown) {
    result = { v: 1, worker: null, checks: [], error: resultOf(thrown) }
  }
  await orFail(
    records.recordSiteTest.executeWithOptions(ids.step('record-site', 'Write down what was found'), [
      { site: input.site, atMs: Date.now(), result },
    ]),
  )
  return result
}

/** What would happen if this point were restored there; changes nothing. */
export async function checkRestore(input: CheckRestoreInput): Promise<CheckRestoreResult> {
  const ids = new StepIds()
  const site = siteSteps<InventoryActivities>(
    input.target.kind === 'new' ? input.target.site : input.target.vm.site,
    'hypervisor',
  )
  try {
    const options = {
      ...ids.step('check', 'Ask the target about space, name, networks and device model'),
      ...whileSomebodyWaits,
    }
    return await site.inspectRestore.executeWithOptions(options, [input])
  } catch (thrown) {
    return { v: 1, findings: [], passed: [], logicalBytes: 0, dataBytes: null, error: resultOf(thrown) }
  }
}

/** Which images lie in the folder of an endpoint, or that some of them are the disks of a VM from now on. */
export async function lookAtImages(input: LookAtImagesInput): Promise<LookAtImagesResult> {
  const ids = new StepIds()
  const { endpoint, vm } = input
  const site = siteSteps<InventoryActivities>(input.site, 'hypervisor')
  try {
    if (vm === null) {
      const list = { ...ids.step('list', `Which images are in ${endpoint.address}?`), ...whileSomebodyWaits }
      return { v: 1, images: await site.listImages.executeWithOptions(list, [{ endpoint }]), error: null }
    }
    const describe = { ...ids.step('describe', `Describe ${vm.name} in ${endpoint.address}`), ...whileSomebodyWaits }
    await site.describeImages.executeWithOptions(describe, [{ endpoint, ...vm }])
    return { v: 1, images: [], error: null }
  } catch (thrown) {
    return { v: 1, images: [], error: resultOf(thrown) }
  }
}

/** What a look finds wrong is its result; only a cancel ends it. */
function resultOf(thrown: unknown): SerializedError {
  const error = errorOf(thrown)
  if (error === undefined || isCancellation(thrown)) throw asFailure(thrown)
  return error
}

async function orFail(step: Promise<void>): Promise<void> {
  try {
    await step
  } catch (thrown) {
    throw asFailure(thrown)
  }
}
